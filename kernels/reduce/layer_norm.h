// Layer normalisation of floats, row by row: mean and variance are summed in 64 bits, the rest is
// computed in the reference's order, so that both round alike.
#pragma once

#include "kernels/reduce/fold.h"

namespace pj {
namespace {

template <typename, typename>
void run_layer_norm(const Tile& t) {
  const LayerNormKernelParams& p = *static_cast<const LayerNormKernelParams*>(t.params);
  const float* x = reinterpret_cast<const float*>(t.in[0]);
  const float* gamma = reinterpret_cast<const float*>(t.in[1]);
  const float* beta = reinterpret_cast<const float*>(t.in[2]);
  float* y = reinterpret_cast<float*>(t.out[0]);
  const auto zero = hn::Set(kF64, 0.0);
  auto row_mean = [&](const float* row, auto read) {
    const double sum = fold_lanes(fold_row<kLanes64>(row, p.count, read, zero, SumFold{}),
                                  [](double a, double b) { return a + b; });
    return sum / static_cast<double>(p.count);
  };
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    const auto mean =
        static_cast<float>(row_mean(x, [](const float* from) { return load_double(from); }));
    const auto wide_mean = hn::Set(kF64, static_cast<double>(mean));
    const double variance = row_mean(x, [&](const float* from) {
      const auto distance = hn::Sub(load_double(from), wide_mean);
      return hn::Mul(distance, distance);
    });
    const VecF32 center = splat(mean);
    const VecF32 scale = splat(layer_norm_scale(variance, p.epsilon));
    auto normalize = [&](float* to, const float* from, const float* g, const float* b) {
      const VecF32 unit = hn::Mul(hn::Sub(load_wide(from), center), scale);
      store(hn::Add(hn::Mul(unit, load_wide(g)), load_wide(b)), to);
    };
    for_blocks<kLanes32>(p.count, y, normalize, x, gamma, beta);
  }
}

}  // namespace
}  // namespace pj
