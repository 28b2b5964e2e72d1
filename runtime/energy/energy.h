// Energy: joules that cannot be separated from where they come from.
//
// There is no conversion to a number. What prints gets the figure, its interval, its source and
// the idle policy together, as text or through visit().
#pragma once

#include <cstdint>
#include <string>

namespace pj::energy {

enum class EnergySource : uint8_t {
  kMeasured,    // read from a power counter
  kCalibrated,  // computed by a model that was fitted to counters of this machine
  kPrior,       // computed by a model from published figures of other machines
};

// What the joules contain.
enum class IdlePolicy : uint8_t {
  kGross,     // all that the counter saw meanwhile
  kDynamic,   // without what the idle machine would have drawn at the same clock
  kMarginal,  // without what a spinning core would have drawn
};

const char* name_of(EnergySource source);
const char* name_of(IdlePolicy policy);

class Energy {
 public:
  // `low` and `high` bound the 95 % interval; low <= joules <= high, all finite.
  Energy(double joules, double low, double high, EnergySource source, IdlePolicy policy);

  EnergySource source() const { return source_; }
  IdlePolicy policy() const { return policy_; }
  // True if the interval leaves no doubt about the sign.
  bool excludes_zero() const { return low_ > 0 || high_ < 0; }
  // ... and that less than nothing is needed: of a difference.
  bool is_saving() const { return high_ < 0; }

  // Of `factor` times as much work (factor >= 0).
  Energy scaled(double factor) const;
  // Intervals add up in full, since parts share their errors; the sum is only as good as its worst
  // source. The policies must be the same.
  Energy operator+(const Energy& other) const;

  // "1.23 mJ [1.20, 1.26] measured, gross".
  std::string text() const;
  // The mean power over `seconds`, in the same form.
  std::string watts_text(double seconds) const;
  // Calls v(name, value) for energy_uj, energy_low_uj, energy_high_uj (double), energy_source and
  // idle_policy (const char*).
  template <typename V>
  void visit(V&& v) const {
    v("energy_uj", joules_ * 1e6);
    v("energy_low_uj", low_ * 1e6);
    v("energy_high_uj", high_ * 1e6);
    v("energy_source", name_of(source_));
    v("idle_policy", name_of(policy_));
  }

 private:
  double joules_, low_, high_;
  EnergySource source_;
  IdlePolicy policy_;
};

}  // namespace pj::energy
