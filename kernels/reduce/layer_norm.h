// Layer normalisation of floats, row by row: mean and variance are summed in 64 bits, in one pass
// over distances to the row's first number, so that a large mean costs no digits.
#pragma once

#include "kernels/reduce/fold.h"

namespace pj {
namespace {

// Sums over a row of the distances to its first number, and of their squares.
struct DistanceSums {
  double first, second;
};

PJ_INLINE DistanceSums sum_distances(const float* x, int64_t n) {
  const auto origin = hn::Set(kF64, static_cast<double>(*x));
  // Two of each, so that additions wait half as long for each other.
  auto first = hn::Set(kF64, 0.0), second = first, more = first, more_second = first;
  auto add = [&](const float* from, auto& sum, auto& squares) PJ_INLINE_LAMBDA {
    const auto d = hn::Sub(load_double(from), origin);
    sum = hn::Add(sum, d);
    squares = hn::MulAdd(d, d, squares);
  };
  int64_t i = 0;
  for (; i + 2 * kLanes64 <= n; i += 2 * kLanes64) {
    add(x + i, first, second);
    add(x + i + kLanes64, more, more_second);
  }
  for (; i < n; i += kLanes64) {
    float copy[kLanes64];
    const float* from = x + i;
    if (n - i < kLanes64) {
      // Missing numbers are the first one, at distance 0.
      for (float& c : copy) c = *x;
      std::memcpy(copy, from, static_cast<size_t>(n - i) * sizeof(float));
      from = copy;
    }
    add(from, first, second);
  }
  first = hn::Add(first, more);
  second = hn::Add(second, more_second);
  return {hn::GetLane(hn::SumOfLanes(kF64, first)), hn::GetLane(hn::SumOfLanes(kF64, second))};
}

template <typename, typename>
void run_layer_norm(const Tile& t) {
  const LayerNormKernelParams& p = *static_cast<const LayerNormKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  const float* gamma = reinterpret_cast<const float*>(t.in[1]);
  const float* beta = reinterpret_cast<const float*>(t.in[2]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const double inverse = 1 / static_cast<double>(p.count);
  // Sums of a row while the one before is normalised: neither waits for the other.
  DistanceSums next = sum_distances(x, p.count);
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    const DistanceSums sums = next;
    if (row + 1 < t.size[kRow]) next = sum_distances(x + p.count, p.count);
    const double distance = sums.first * inverse;  // from x[0] to the mean
    const auto mean = static_cast<float>(*x + distance);
    // To the mean as it is rounded.
    const double rounding = *x + distance - static_cast<double>(mean);
    const double variance = sums.second * inverse - distance * distance + rounding * rounding;
    const VecF32 center = splat(mean);
    const VecF32 scale = splat(layer_norm_scale(variance < 0 ? 0 : variance, p.epsilon));
    auto normalize = [&](float* to, const float* from, const float* g, const float* b) {
      const VecF32 unit = hn::Mul(hn::Sub(load_wide(from), center), scale);
      store(hn::Add(hn::Mul(unit, load_wide(g)), load_wide(b)), to);
    };
    for_blocks<kLanes32>(p.count, y, normalize, x, gamma, beta);
  }
}

}  // namespace
}  // namespace pj
