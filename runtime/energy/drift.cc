#include "runtime/energy/drift.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "runtime/energy/statistics.h"

namespace pj::energy {
namespace {

constexpr double kWidelyScattered = 0.1;  // relative standard deviation
constexpr size_t kLeastTimes = 6;

template <size_t n>
using Row = std::array<double, n>;

// Legendre's polynomials of degree 1 to n at x in [-1, 1]: nearly independent of each other on
// times that are spread evenly.
template <size_t n>
Row<n> legendre(double x) {
  Row<n> p;
  double before = 1, last = x;
  for (size_t k = 0; k < n; ++k) {
    p[k] = last;
    const auto degree = static_cast<double>(k + 1);
    const double next = ((2 * degree + 1) * x * last - degree * before) / (degree + 1);
    before = last, last = next;
  }
  return p;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  const double middle = mean(values);
  double squares = 0;
  for (double v : values) squares += (v - middle) * (v - middle);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

bool follows_the_machine(const Series& series) {
  if (series.values.size() < kLeastTimes) return false;
  for (double v : series.values)
    if (v <= 0) return false;
  return standard_deviation(series.values) < kWidelyScattered * mean(series.values);
}

// Solves a symmetric system by elimination; an unknown that nothing determines is 0.
template <size_t n>
Row<n> solve(std::array<Row<n>, n> matrix, Row<n> right) {
  Row<n> x{};
  for (size_t i = 0; i < n; ++i) {
    if (matrix[i][i] < 1e-9) continue;
    for (size_t row = i + 1; row < n; ++row) {
      const double factor = matrix[row][i] / matrix[i][i];
      for (size_t k = i; k < n; ++k) matrix[row][k] -= factor * matrix[i][k];
      right[row] -= factor * right[i];
    }
  }
  for (size_t i = n; i-- > 0;) {
    if (matrix[i][i] < 1e-9) continue;
    double sum = right[i];
    for (size_t k = i + 1; k < n; ++k) sum -= matrix[i][k] * x[k];
    x[i] = sum / matrix[i][i];
  }
  return x;
}

}  // namespace

// Least squares of log(value) over a level of each series' own and the polynomials, which they
// share: levels fall out where each series' means are subtracted.
CommonDrift::CommonDrift(std::span<const Series> all, double begin, double end)
    : begin_(begin), end_(end) {
  std::array<Row<kDegree>, kDegree> matrix{};
  Row<kDegree> right{};
  double used = 0;
  for (const Series& series : all) {
    if (!follows_the_machine(series)) continue;
    ++used;
    const auto n = static_cast<double>(series.values.size());
    std::vector<Row<kDegree + 1>> rows;  // polynomials, then the value
    Row<kDegree + 1> means{};
    for (size_t i = 0; i < series.values.size(); ++i) {
      const Row<kDegree> p = legendre<kDegree>(2 * (series.times[i] - begin) / (end - begin) - 1);
      Row<kDegree + 1>& row = rows.emplace_back();
      for (size_t k = 0; k < kDegree; ++k) row[k] = p[k];
      row[kDegree] = std::log(series.values[i]);
      for (size_t k = 0; k <= kDegree; ++k) means[k] += row[k] / n;
    }
    for (const Row<kDegree + 1>& row : rows) {
      for (size_t i = 0; i < kDegree; ++i) {
        for (size_t k = 0; k < kDegree; ++k)
          matrix[i][k] += (row[i] - means[i]) * (row[k] - means[k]);
        right[i] += (row[i] - means[i]) * (row[kDegree] - means[kDegree]);
      }
    }
  }
  coefficients_ = solve(matrix, right);
  if (used > 0) degrees_ = kDegree / used;
  constexpr int kPieces = 200;
  double sum = 0;
  for (int i = 0; i < kPieces; ++i)
    sum += std::exp(log_at(begin + (end - begin) * (i + 0.5) / kPieces));
  mean_ = sum / kPieces;
}

double CommonDrift::log_at(double time) const {
  const Row<kDegree> p = legendre<kDegree>(2 * (time - begin_) / (end_ - begin_) - 1);
  double sum = 0;
  for (size_t k = 0; k < kDegree; ++k) sum += coefficients_[k] * p[k];
  return sum;
}

double CommonDrift::at(double time) const { return std::exp(log_at(time)) / mean_; }

std::vector<double> CommonDrift::removed_from(const Series& series) const {
  std::vector<double> values;
  for (size_t i = 0; i < series.values.size(); ++i)
    values.push_back(series.values[i] / at(series.times[i]));
  return values;
}

Mean mean_of(std::span<const double> values, double gain_error, double used) {
  assert(values.size() >= 3);
  const auto n = static_cast<double>(values.size());
  const double value = mean(values), degrees = std::max(1.0, n - 1 - used);
  const double deviation = standard_deviation(values) * std::sqrt((n - 1) / degrees);
  const double scatter = student_t95(degrees) * deviation / std::sqrt(n);
  return {value, std::hypot(scatter, 1.96 * gain_error * value)};
}

}  // namespace pj::energy
