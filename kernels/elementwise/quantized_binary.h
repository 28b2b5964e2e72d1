// Functions of two quantised tensors, and of one with a number or a vector.
#pragma once

#include "kernels/elementwise/binary_run.h"

namespace pj {
namespace {

// y = f(a, b) for a run; f makes a vector of 32-bit results without the zero point. It owns what it
// needs: bytes that are stored might change whatever it refers to.
template <typename Q, typename F>
PJ_INLINE void quantized_run(const Run& run, ByteLimits<Q> limits, F f) {
  binary_run<Q, kByteBlock>(run, [=](Q* y, const Q* a, const Q* b) {
    VecI32 u[kByteVectors], v[kByteVectors];
    load_block(a, u);
    load_block(b, v);
    unrolled<kByteVectors>([&](auto k) PJ_INLINE_LAMBDA { v[k] = f(u[k], v[k]); });
    store_bytes(v, limits, y);
  });
}

template <typename Q>
PJ_INLINE ByteLimits<Q> limits_of(const QuantizedAdd& r) {
  return {r.zero_point, r.low + r.zero_point, r.high + r.zero_point};
}

template <typename Q>
PJ_INLINE void fixed_point_sum(const QuantizedAdd& r, const Run& run) {
  const VecI32 ma = splat(r.multiplier_a), mb = splat(r.multiplier_b), bias = splat(r.bias);
  const int shift = r.shift;
  quantized_run<Q>(run, limits_of<Q>(r), [=](VecI32 a, VecI32 b) {
    const VecI32 sum = hn::Add(hn::Add(bias, hn::Mul(a, ma)), hn::Mul(b, mb));
    return hn::ShiftRightSame(sum, shift);
  });
}

template <typename Q, typename>
void run_quantized_sum(const Tile& t) {
  const SumParams& p = *static_cast<const SumParams*>(t.params);
  const QuantizedAdd& r = p.rule;
  if (r.fixed_point)
    return for_runs<2>(t, p.strides, [&](const Run& run) { fixed_point_sum<Q>(r, run); });
  const ByteLimits<Q> limits = limits_of<Q>(r);
  const VecI32 za = splat(r.zero_a), zb = splat(r.zero_b);
  const VecF32 ra = splat(r.ratio_a), rb = splat(r.ratio_b);
  const VecF32 low = splat(static_cast<float>(r.low)), high = splat(static_cast<float>(r.high));
  for_runs<2>(t, p.strides, [&](const Run& run) {
    quantized_run<Q>(run, limits, [=](VecI32 a, VecI32 b) {
      const VecF32 x = hn::Mul(hn::ConvertTo(kF32, hn::Sub(a, za)), ra);
      const VecF32 y = hn::Mul(hn::ConvertTo(kF32, hn::Sub(b, zb)), rb);
      return round_lanes(clamp_lanes(hn::Add(x, y), low, high));
    });
  });
}

template <typename Q, typename>
void run_quantized_product(const Tile& t) {
  const ProductParams& p = *static_cast<const ProductParams*>(t.params);
  const ByteLimits<Q> limits = all_bytes<Q>(p.stage.zero_point);
  const VecI32 za = splat(p.zero_a), zb = splat(p.zero_b);
  const VecF32 scale = splat(p.scale), low = splat(p.stage.low), high = splat(p.stage.high);
  for_runs<2>(t, p.strides, [&](const Run& run) {
    quantized_run<Q>(run, limits, [=](VecI32 a, VecI32 b) {
      const VecI32 product = hn::Mul(hn::Sub(a, za), hn::Sub(b, zb));
      const VecF32 x = hn::Mul(hn::ConvertTo(kF32, product), scale);
      return round_lanes(clamp_lanes(x, low, high));
    });
  });
}

template <typename Q, typename>
void run_quantized_prelu(const Tile& t) {
  const QuantizedPReluParams& p = *static_cast<const QuantizedPReluParams*>(t.params);
  const ByteLimits<Q> limits = all_bytes<Q>(p.stage.zero_point);
  const VecI32 zx = splat(p.zero_x), za = splat(p.zero_alpha);
  const VecF32 positive = splat(p.positive), negative = splat(p.negative);
  const VecF32 low = splat(p.stage.low), high = splat(p.stage.high);
  for_runs<2>(t, p.strides, [&](const Run& run) {
    quantized_run<Q>(run, limits, [=](VecI32 x, VecI32 alpha) {
      const VecI32 d = hn::Sub(x, zx);
      const VecF32 above = hn::Mul(hn::ConvertTo(kF32, d), positive);
      const VecI32 product = hn::Mul(d, hn::Sub(alpha, za));
      const VecF32 below = hn::Mul(hn::ConvertTo(kF32, product), negative);
      const auto falls = hn::RebindMask(kF32, hn::Lt(d, splat(0)));
      return round_lanes(clamp_lanes(hn::IfThenElse(falls, below, above), low, high));
    });
  });
}

template <typename Q, typename>
void run_extreme(const Tile& t) {
  const ExtremeParams& p = *static_cast<const ExtremeParams*>(t.params);
  constexpr hn::ScalableTag<Q> d8;
  constexpr int64_t kBlock = static_cast<int64_t>(hn::MaxLanes(d8));
  const auto low = hn::Set(d8, static_cast<Q>(p.low)), high = hn::Set(d8, static_cast<Q>(p.high));
  auto map = [&](auto f) PJ_INLINE_LAMBDA {
    for_runs<2>(t, p.strides, [&](const Run& run) {
      binary_run<Q, kBlock>(run, [=](Q* y, const Q* a, const Q* b) {
        const auto q = f(hn::LoadU(d8, a), hn::LoadU(d8, b));
        hn::StoreU(hn::Min(hn::Max(q, low), high), d8, y);
      });
    });
  };
  if (p.minimum != 0) return map([](auto a, auto b) { return hn::Min(a, b); });
  map([](auto a, auto b) { return hn::Max(a, b); });
}

}  // namespace
}  // namespace pj
