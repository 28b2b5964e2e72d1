#include "runtime/energy/model.h"

namespace pj::energy {

const char* name_of(Term term) {
  constexpr const char* kNames[kTermCount] = {"seconds", "core_seconds", "mac_int8",
                                              "mac_f16", "mac_f32",      "byte_l1",
                                              "byte_l2", "byte_l3",      "byte_dram"};
  return kNames[static_cast<size_t>(term)];
}

Energy EnergyModel::estimate(const Terms& amounts) const {
  double middle = 0, least = 0, most = 0;
  for (size_t t = 0; t < kTermCount; ++t) {
    middle += amounts[t] * joules[t];
    least += amounts[t] * low[t];
    most += amounts[t] * high[t];
  }
  return {middle, least, most, source, policy};
}

Energy EnergyModel::difference(const Terms& a, const Terms& b) const {
  double middle = 0, least = 0, most = 0;
  for (size_t t = 0; t < kTermCount; ++t) {
    const double amount = a[t] - b[t];
    middle += amount * joules[t];
    least += amount * (amount > 0 ? low[t] : high[t]);
    most += amount * (amount > 0 ? high[t] : low[t]);
  }
  return {middle, least, most, source, policy};
}

}  // namespace pj::energy
