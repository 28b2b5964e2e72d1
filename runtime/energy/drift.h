// The mean of values that were measured one after the other while the machine drifted.
#pragma once

#include <span>

#include "runtime/energy/energy.h"

namespace pj::energy {

struct Mean {
  double value = 0, half_width = 0;  // of the 95 % interval

  Energy energy(IdlePolicy policy) const {
    return {value, value - half_width, value + half_width, EnergySource::kMeasured, policy};
  }
};

// The mean over the time of measuring. A parabola takes the drift out before the scatter is judged:
// otherwise the interval would contain the drift, which all steps share. `gain_error`, a relative
// standard uncertainty, widens the interval. At least 6 values, at even distances.
Mean drift_free_mean(std::span<const double> values, double gain_error);

}  // namespace pj::energy
