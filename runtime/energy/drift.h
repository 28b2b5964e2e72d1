// The mean of values that were measured one after the other while the machine drifted.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "runtime/energy/energy.h"

namespace pj::energy {

// What one thing needed, whenever it was measured.
struct Series {
  std::vector<double> values, times;  // joules, seconds
};

// How much more than on average the machine drew at a time: what all series have in common. A
// machine that warms up needs more for everything, so that their values, each relative to its own
// mean, lie on one curve.
class CommonDrift {
 public:
  // Series that scatter widely or have values below 0 say nothing about it. Without any that do,
  // and over less than six times, there is none.
  CommonDrift(std::span<const Series> series, double begin, double end);

  // Its mean from `begin` to `end` is 1.
  double at(double time) const;
  // Degrees of freedom that it took from each series.
  double degrees() const { return degrees_; }
  // The values without it.
  std::vector<double> removed_from(const Series& series) const;

 private:
  static constexpr size_t kDegree = 4;  // of the polynomial that its logarithm is
  double log_at(double time) const;

  double begin_, end_, mean_ = 1, degrees_ = 0;
  std::array<double, kDegree> coefficients_{};
};

struct Mean {
  double value = 0, half_width = 0;  // of the 95 % interval

  Energy energy(IdlePolicy policy) const {
    return {value, value - half_width, value + half_width, EnergySource::kMeasured, policy};
  }
};

// The interval is what at least three values scatter, of which `used` degrees of freedom are gone.
// `gain_error`, a relative standard uncertainty, widens it.
Mean mean_of(std::span<const double> values, double gain_error, double used = 0);

}  // namespace pj::energy
