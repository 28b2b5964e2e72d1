#include "runtime/energy/drift.h"

#include <cassert>
#include <cmath>

#include "runtime/energy/statistics.h"

namespace pj::energy {

Mean drift_free_mean(std::span<const double> values, double gain_error) {
  assert(values.size() >= 6);
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (double v : values) mean += v / n;
  // Polynomials of degree 1 and 2 that are orthogonal on the points, and their coefficients.
  const auto position = [&](size_t i) { return static_cast<double>(i) - (n - 1) / 2; };
  const double second_offset = (n * n - 1) / 12;
  double line = 0, line_norm = 0, bow = 0, bow_norm = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = position(i), w = u * u - second_offset;
    line += u * values[i], line_norm += u * u;
    bow += w * values[i], bow_norm += w * w;
  }
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double u = position(i), w = u * u - second_offset;
    const double rest = values[i] - mean - u * line / line_norm - w * bow / bow_norm;
    squares += rest * rest;
  }
  const double degrees = n - 3;
  const double error = std::sqrt(squares / degrees / n);
  const double scatter = student_t95(degrees) * error;
  return {mean, std::hypot(scatter, 1.96 * gain_error * mean)};
}

}  // namespace pj::energy
