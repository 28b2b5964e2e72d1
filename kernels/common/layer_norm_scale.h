// What rows are multiplied with in layer normalisation.
#pragma once

#include <cmath>

namespace pj {

inline float layer_norm_scale(double variance, float epsilon) {
  return static_cast<float>(1 / std::sqrt(variance + epsilon));
}

}  // namespace pj
