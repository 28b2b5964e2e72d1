// Softmax of floats: exp((x - max) * beta) over its sum, row by row. A row with a NaN, or with
// nothing but -infinity, becomes NaN.
#pragma once

#include <limits>

#include "kernels/elementwise/float_functions.h"
#include "kernels/reduce/fold.h"

namespace pj {
namespace {

template <typename, typename>
void run_softmax_float(const Tile& t) {
  const SoftmaxKernelParams& p = *static_cast<const SoftmaxKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const VecF32 beta = splat(p.beta), least = splat(-std::numeric_limits<float>::infinity());
  auto read = [](const float* from) { return load_wide(from); };
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    const float top = fold_lanes(fold_row<kLanes32>(x, p.count, read, least, MaxFold{}),
                                 [](float a, float b) { return b > a ? b : a; });
    const VecF32 top_lanes = splat(top);
    auto exponential = [&](float* to, const float* from) {
      store(exp_lanes(hn::Mul(hn::Sub(load_wide(from), top_lanes), beta)), to);
    };
    for_blocks<kLanes32>(p.count, y, exponential, x);
    const float sum = fold_lanes(fold_row<kLanes32>(y, p.count, read, splat(0.0f), SumFold{}),
                                 [](float a, float b) { return a + b; });
    const VecF32 divisor = splat(sum);
    auto divide = [&](float* to, const float* from) {
      store(hn::Div(load_wide(from), divisor), to);
    };
    for_blocks<kLanes32>(p.count, y, divide, static_cast<const float*>(y));
  }
}

}  // namespace
}  // namespace pj
