#include "runtime/energy/nnls.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pj::energy {
namespace {

constexpr size_t kN = kTermCount;
constexpr double kTolerance = 1e-10;  // columns have length 1

using Vector = std::array<double, kN>;
using Set = std::array<bool, kN>;

// The normal equations, columns scaled to length 1, value scaled likewise.
struct Normal {
  std::array<Vector, kN> gram{};
  Vector right{}, length{};
};

Normal make_normal(const std::vector<Equation>& equations) {
  Normal n;
  double value_length = 0;
  for (const Equation& e : equations) {
    const double w = e.weight * e.weight;
    for (size_t i = 0; i < kN; ++i) {
      for (size_t j = 0; j < kN; ++j) n.gram[i][j] += w * e.factors[i] * e.factors[j];
      n.right[i] += w * e.factors[i] * e.value;
    }
    value_length += w * e.value * e.value;
  }
  value_length = std::sqrt(value_length);
  if (value_length == 0) return n;
  for (size_t i = 0; i < kN; ++i) n.length[i] = std::sqrt(n.gram[i][i]);
  for (size_t i = 0; i < kN; ++i) {
    if (n.length[i] == 0) continue;
    for (size_t j = 0; j < kN; ++j)
      if (n.length[j] > 0) n.gram[i][j] /= n.length[i] * n.length[j];
    n.right[i] /= n.length[i] * value_length;
  }
  for (double& length : n.length) length /= value_length;
  return n;
}

// Solves for the unknowns in `set`; the others are 0. False if they do not determine each other.
bool solve(const Normal& normal, const Set& set, Vector& x) {
  std::vector<size_t> index;
  for (size_t i = 0; i < kN; ++i)
    if (set[i]) index.push_back(i);
  const size_t n = index.size();
  // Cholesky: the matrix is the lower triangle times its transpose.
  std::array<Vector, kN> lower{};
  Vector half{};
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = normal.gram[index[i]][index[j]];
      for (size_t k = 0; k < j; ++k) sum -= lower[i][k] * lower[j][k];
      if (i == j && sum < kTolerance) return false;
      lower[i][j] = i == j ? std::sqrt(sum) : sum / lower[j][j];
    }
    double sum = normal.right[index[i]];
    for (size_t k = 0; k < i; ++k) sum -= lower[i][k] * half[k];
    half[i] = sum / lower[i][i];
  }
  x = {};
  for (size_t i = n; i-- > 0;) {
    double sum = half[i];
    for (size_t k = i + 1; k < n; ++k) sum -= lower[k][i] * x[index[k]];
    x[index[i]] = sum / lower[i][i];
  }
  return true;
}

// The unknown whose growth lowers the error most; kN if none does.
size_t steepest(const Normal& normal, const Vector& x, const Set& free) {
  size_t best = kN;
  double most = kTolerance;
  for (size_t i = 0; i < kN; ++i) {
    if (!free[i]) continue;
    double slope = normal.right[i];
    for (size_t j = 0; j < kN; ++j) slope -= normal.gram[i][j] * x[j];
    if (slope > most) most = slope, best = i;
  }
  return best;
}

// Moves x towards `target` until an unknown becomes 0, and takes those that are out of the set.
void step_to_border(Vector& x, const Vector& target, Set& set) {
  double fraction = 1;
  for (size_t i = 0; i < kN; ++i)
    if (set[i] && target[i] <= 0) fraction = std::min(fraction, x[i] / (x[i] - target[i]));
  for (size_t i = 0; i < kN; ++i) {
    if (!set[i]) continue;
    x[i] += fraction * (target[i] - x[i]);
    if (x[i] <= kTolerance) x[i] = 0, set[i] = false;
  }
}

bool positive(const Vector& x, const Set& set) {
  for (size_t i = 0; i < kN; ++i)
    if (set[i] && x[i] <= 0) return false;
  return true;
}

}  // namespace

Terms solve_nonnegative(const std::vector<Equation>& equations,
                        const std::array<bool, kTermCount>& used) {
  const Normal normal = make_normal(equations);
  Set set{}, free{};
  for (size_t i = 0; i < kN; ++i) free[i] = used[i] && normal.length[i] > 0;
  Vector x{}, target{};
  for (int step = 0; step < 100; ++step) {
    const size_t entering = steepest(normal, x, free);
    if (entering == kN) break;
    free[entering] = false;
    set[entering] = true;
    if (!solve(normal, set, target)) {
      set[entering] = false;  // others stand for it, for good
      continue;
    }
    while (!positive(target, set)) {
      const Set before = set;
      step_to_border(x, target, set);
      for (size_t i = 0; i < kN; ++i) free[i] = free[i] || (before[i] && !set[i]);
      if (!solve(normal, set, target)) break;
    }
    x = target;
  }
  Terms result;
  for (size_t i = 0; i < kN; ++i)
    if (x[i] > 0) result[i] = x[i] / normal.length[i];
  return result;
}

}  // namespace pj::energy
