// Floats to 8 bits and back: quantize_value() and dequantisation, lane by lane.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

template <typename, typename Q>
void run_quantize(const Tile& t) {
  const ConvertParams& p = *static_cast<const ConvertParams*>(t.params);
  const ByteLimits<Q> limits = all_bytes<Q>(p.zero_point);
  const VecF32 inverse = splat(p.scale);
  const VecF32 low = splat(static_cast<float>(limits.low - p.zero_point));
  const VecF32 high = splat(static_cast<float>(limits.high - p.zero_point));
  for_runs<1>(t, p.strides, [&](const Run& run) {
    auto block = [&](Q* y, const float* x) {
      VecI32 v[kByteVectors];
      unrolled<kByteVectors>([&](auto k) PJ_INLINE_LAMBDA {
        v[k] = round_lanes(clamp_lanes(hn::Mul(load_wide(x + k * kLanes32), inverse), low, high));
      });
      store_bytes(v, limits, y);
    };
    for_blocks<kByteBlock>(run.n, reinterpret_cast<Q*>(run.out), block,
                           reinterpret_cast<const float*>(run.in[0]));
  });
}

template <typename Q, typename>
void run_dequantize(const Tile& t) {
  const ConvertParams& p = *static_cast<const ConvertParams*>(t.params);
  const VecI32 zero = splat(p.zero_point);
  const VecF32 scale = splat(p.scale);
  for_runs<1>(t, p.strides, [&](const Run& run) {
    auto block = [&](float* y, const Q* x) {
      store(hn::Mul(hn::ConvertTo(kF32, hn::Sub(load_wide(x), zero)), scale), y);
    };
    for_blocks<kLanes32>(run.n, reinterpret_cast<float*>(run.out), block,
                         reinterpret_cast<const Q*>(run.in[0]));
  });
}

}  // namespace
}  // namespace pj
