#include "runtime/energy/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace pj::energy {
namespace {

// The t distribution's density is substituted by t = sqrt(v) tan(a), which turns its integral into
// one of cos(a)^(v-1) over a finite range; Simpson's rule does the rest.
double cosine_power_integral(double exponent, double to) {
  constexpr int kSteps = 400;  // even
  const double h = to / kSteps;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double weight = i == 0 || i == kSteps ? 1 : (i % 2 == 1 ? 4 : 2);
    // Rounding may put the last point beyond the cosine's zero.
    sum += weight * std::pow(std::max(0.0, std::cos(h * i)), exponent);
  }
  return sum * h / 3;
}

}  // namespace

double student_t(double degrees, double confidence) {
  const double whole = cosine_power_integral(degrees - 1, std::numbers::pi / 2);
  double low = 0, high = std::numbers::pi / 2;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    if (cosine_power_integral(degrees - 1, middle) < confidence * whole) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return std::sqrt(degrees) * std::tan(low);
}

}  // namespace pj::energy
