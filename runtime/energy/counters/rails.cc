#include "runtime/energy/counters/rails.h"

namespace pj::energy {

double rail_resolution(double shunt_volts, std::optional<uint64_t> micro_ohms,
                       std::optional<uint64_t> millivolts) {
  if (!micro_ohms || *micro_ohms == 0 || !millivolts) return 0;
  const double amperes = shunt_volts / (static_cast<double>(*micro_ohms) * 1e-6);
  return amperes * static_cast<double>(*millivolts) * 1e-3;
}

void add_rail(const System& system, CounterInfo info, const std::string& voltage,
              const std::string& current, Counters& out) {
  info.unit = "mV*mA";
  info.kind = CounterKind::kSampled;
  info.where = current;
  check_readable(system, voltage, info);
  if (info.readable()) check_readable(system, current, info);
  out.push_back(std::make_unique<PowerFiles>(system, std::move(info), voltage, current, 1e-6));
}

}  // namespace pj::energy
