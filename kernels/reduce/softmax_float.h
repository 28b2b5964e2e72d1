// Rows of floats. Softmax: exp((x - max) * beta) over its sum; its logarithm: x - max - log(sum).
// There a row with a NaN, or with nothing but -infinity, becomes NaN. L2 norm: x / max(|x|, 1e-6).
#pragma once

#include <limits>

#include "kernels/elementwise/float_functions.h"
#include "kernels/reduce/fold.h"

namespace pj {
namespace {

// Calls f(x, y) for each vector of a row, which makes y of x. The sum of all y is returned.
template <typename F>
PJ_INLINE VecF32 map_row(const float* x, float* y, int64_t n, F f) {
  VecF32 sum = splat(0.0f);
  for (int64_t i = 0; i < n; i += kLanes32) {
    const bool whole = n - i >= kLanes32;
    VecF32 v = f(whole ? load_wide(x + i) : load_first(x + i, n - i));
    if (whole) {
      store(v, y + i);
    } else {
      store_first(v, n - i, y + i);
      v = hn::IfThenElseZero(hn::FirstN(kF32, static_cast<size_t>(n - i)), v);
    }
    sum = hn::Add(sum, v);
  }
  return hn::SumOfLanes(kF32, sum);
}

// The sum of f(x) over a row, in all lanes.
template <typename F>
PJ_INLINE VecF32 sum_of_row(const float* x, int64_t n, F f) {
  auto read = [&](const float* from) { return f(load_wide(from)); };
  return hn::SumOfLanes(kF32, fold_row<kLanes32>(x, n, read, splat(0.0f), SumFold{}));
}

// The largest number of a row, in all lanes; -infinity if it has none.
PJ_INLINE VecF32 largest_of(const float* x, int64_t n) {
  VecF32 best = splat(least_of<float>());
  int64_t i = 0;
  for (; i + kLanes32 <= n; i += kLanes32) best = larger_of(load_wide(x + i), best);
  if (i < n) {
    const VecF32 last = larger_of(load_first(x + i, n - i), best);
    best = hn::IfThenElse(hn::FirstN(kF32, static_cast<size_t>(n - i)), last, best);
  }
  return hn::MaxOfLanes(kF32, best);
}

template <typename, typename>
void run_normalize(const Tile& t) {
  const NormalizeKernelParams& p = *static_cast<const NormalizeKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const bool logarithm = p.fn == static_cast<int32_t>(NormalizeFn::kLogSoftmax);
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    if (logarithm) {
      const VecF32 top = largest_of(x, p.count);
      const VecF32 sum =
          sum_of_row(x, p.count, [&](VecF32 v) { return exp_lanes(hn::Sub(v, top)); });
      const VecF32 log_sum = splat(__builtin_logf(hn::GetLane(sum)));
      map_row(x, y, p.count, [&](VecF32 v) { return hn::Sub(hn::Sub(v, top), log_sum); });
    } else {
      const VecF32 squares = sum_of_row(x, p.count, [](VecF32 v) { return hn::Mul(v, v); });
      const VecF32 divisor = larger_of(splat(1e-6f), hn::Sqrt(squares));
      map_row(x, y, p.count, [&](VecF32 v) { return hn::Div(v, divisor); });
    }
  }
}

template <typename, typename>
void run_softmax_float(const Tile& t) {
  const SoftmaxKernelParams& p = *static_cast<const SoftmaxKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const VecF32 beta = splat(p.beta);
  auto scale_row = [&](float* to, VecF32 sum) PJ_INLINE_LAMBDA {
    const VecF32 scale = hn::Div(splat(1.0f), sum);
    map_row(to, to, p.count, [&](VecF32 v) PJ_INLINE_LAMBDA { return hn::Mul(v, scale); });
  };
  // What a row's exponentials wait for, its largest number, is found while those of the row before
  // are computed, and what waits for their sum is done with the row after: neither delays.
  VecF32 top = largest_of(x, p.count), sum_before = splat(0.0f);
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    const bool last = row + 1 == t.size[kRow];
    const VecF32 next = largest_of(last ? x : x + p.count, p.count);
    const VecF32 sum = map_row(x, y, p.count, [&](VecF32 v) PJ_INLINE_LAMBDA {
      return exp_lanes(hn::Mul(hn::Sub(v, top), beta));
    });
    if (row > 0) scale_row(y - p.count, sum_before);
    if (last) scale_row(y, sum);
    top = next;
    sum_before = sum;
  }
}

}  // namespace
}  // namespace pj
