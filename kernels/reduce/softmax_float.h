// Rows of floats. Softmax: exp((x - max) * beta) over its sum; its logarithm: x - max - log(sum).
// There a row with a NaN, or with nothing but -infinity, becomes NaN. L2 norm: x / max(|x|, 1e-6).
#pragma once

#include <limits>

#include "kernels/elementwise/float_functions.h"
#include "kernels/reduce/fold.h"

namespace pj {
namespace {

PJ_INLINE float sum_of(VecF32 v) {
  return fold_lanes(v, [](float a, float b) { return a + b; });
}
PJ_INLINE float largest_of(const float* x, int64_t n) {
  return row_extreme(x, n, MaxFold{}, least_of<float>(), [](float a, float b) { return b > a; });
}

// The sum of f(x) over a row.
template <typename F>
PJ_INLINE float sum_of_row(const float* x, int64_t n, F f) {
  auto read = [&](const float* from) { return f(load_wide(from)); };
  return sum_of(fold_row<kLanes32>(x, n, read, splat(0.0f), SumFold{}));
}

// y = f(x) for a row.
template <typename F>
PJ_INLINE void map_row(const float* x, float* y, int64_t n, F f) {
  for_blocks<kLanes32>(
      n, y, [&](float* to, const float* from) { store(f(load_wide(from)), to); }, x);
}

template <typename, typename>
void run_normalize(const Tile& t) {
  const NormalizeKernelParams& p = *static_cast<const NormalizeKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const bool logarithm = p.fn == static_cast<int32_t>(NormalizeFn::kLogSoftmax);
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    if (logarithm) {
      const VecF32 top = splat(largest_of(x, p.count));
      const float sum =
          sum_of_row(x, p.count, [&](VecF32 v) { return exp_lanes(hn::Sub(v, top)); });
      const VecF32 log_sum = splat(__builtin_logf(sum));
      map_row(x, y, p.count, [&](VecF32 v) { return hn::Sub(hn::Sub(v, top), log_sum); });
    } else {
      const float norm =
          __builtin_sqrtf(sum_of_row(x, p.count, [](VecF32 v) { return hn::Mul(v, v); }));
      const VecF32 divisor = splat(norm < 1e-6f ? 1e-6f : norm);
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
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    const VecF32 top = splat(largest_of(x, p.count));
    map_row(x, y, p.count, [&](VecF32 v) { return exp_lanes(hn::Mul(hn::Sub(v, top), beta)); });
    const VecF32 divisor = splat(sum_of_row(y, p.count, [](VecF32 v) { return v; }));
    map_row(y, y, p.count, [&](VecF32 v) { return hn::Div(v, divisor); });
  }
}

}  // namespace
}  // namespace pj
