// Non-negative least squares.
#pragma once

#include <vector>

#include "runtime/energy/model.h"

namespace pj::energy {

struct Equation {
  Terms factors;     // not negative
  double value = 0;  // what they should sum up to
  double weight = 1;
};

// The x >= 0 that minimises the sum of (weight * (factors . x - value))^2, by the active-set method
// of C. Lawson and R. Hanson (Solving Least Squares Problems, 1974). Unknowns that `used` leaves
// out, that no equation has, or that others already stand for are 0.
Terms solve_nonnegative(const std::vector<Equation>& equations,
                        const std::array<bool, kTermCount>& used);

}  // namespace pj::energy
