// Functions on vectors of floats. NaN gives NaN.
//
// Errors, against the correctly rounded value: exp within 1 unit in the last place, log, expm1 and
// tanh, which are Highway's, within 4; logistic and silu within 4 units, gelu within 2^-21 times
// the larger of 1 and |x|.
#pragma once

#include <limits>

#include "kernels/common/simd.h"
#include "kernels/common/unrolled.h"
// Behind simd.h, which chooses the level.
#include <hwy/contrib/math/math-inl.h>

namespace pj {
namespace {

// f(x) where x is a number, x where it is NaN.
template <typename F>
PJ_INLINE VecF32 unless_nan(VecF32 x, F f) {
  return hn::IfThenElse(hn::Eq(x, x), f(x), x);
}

// v * 2^n for whole n in [-152, 130].
PJ_INLINE VecF32 scale_by_power(VecF32 v, VecF32 n) {
#if HWY_TARGET == HWY_AVX3
  return VecF32{_mm512_scalef_ps(v.raw, n.raw)};
#else
  // Half of it twice: 2^n itself may be no normal number.
  const VecI32 whole = hn::ConvertTo(kI32, n), half = hn::ShiftRight<1>(whole);
  auto power = [](VecI32 k) PJ_INLINE_LAMBDA {
    return hn::BitCast(kF32, hn::ShiftLeft<23>(hn::Add(k, splat(127))));
  };
  return hn::Mul(hn::Mul(v, power(half)), power(hn::Sub(whole, half)));
#endif
}
// x = n * ln 2 + r with |r| <= ln 2 / 2, and exp(r) = 1 + r + r^2 * (a polynomial of degree 4,
// which the Remez algorithm found: relative error 2^-28).
PJ_INLINE VecF32 exp_lanes(VecF32 x) {
  // Beyond these the result is 0 or infinite.
  const VecF32 v = limit_lanes(x, splat(-105.0f), splat(90.0f));
  const VecF32 n = hn::Round(hn::Mul(v, splat(1.44269504f)));
  // ln 2 in two parts; the product with the first is exact.
  const VecF32 r =
      hn::NegMulAdd(n, splat(-2.12194440e-4f), hn::NegMulAdd(n, splat(0.693359375f), v));
  const VecF32 r2 = hn::Mul(r, r);
  const VecF32 low = hn::MulAdd(r, splat(0.166665206f), splat(0.499999934f));
  const VecF32 middle = hn::MulAdd(r, splat(0.00836871688f), splat(0.041668388f));
  const VecF32 high = hn::MulAdd(r2, splat(0.00138145986f), middle);
  const VecF32 tail = hn::MulAdd(hn::MulAdd(high, r2, low), r2, r);
  return scale_by_power(hn::Add(tail, splat(1.0f)), n);
}
PJ_INLINE VecF32 log_lanes(VecF32 x) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto ordinary = hn::And(hn::Gt(x, splat(0.0f)), hn::Lt(x, splat(infinity)));
  // The square root has the NaN and infinities that the logarithm has, but for 0.
  const VecF32 special = hn::IfThenElse(hn::Eq(x, splat(0.0f)), splat(-infinity), hn::Sqrt(x));
  return hn::IfThenElse(ordinary, hn::Log(kF32, x), special);
}
// exp(x) - 1 for x <= 0.
PJ_INLINE VecF32 expm1_lanes(VecF32 x) {
  return unless_nan(x, [](VecF32 v) { return hn::Expm1(kF32, hn::Max(v, splat(-90.0f))); });
}
PJ_INLINE VecF32 tanh_lanes(VecF32 x) {
  // Beyond 10 the result rounds to 1.
  return unless_nan(
      x, [](VecF32 v) { return hn::Tanh(kF32, hn::Min(hn::Max(v, splat(-10.0f)), splat(10.0f))); });
}
PJ_INLINE VecF32 logistic_lanes(VecF32 x) {
  const VecF32 one = splat(1.0f);
  return hn::Div(one, hn::Add(one, exp_lanes(hn::Neg(x))));
}
PJ_INLINE VecF32 silu_lanes(VecF32 x) {
  return hn::Div(x, hn::Add(splat(1.0f), exp_lanes(hn::Neg(x))));
}
// x / 2 * (1 + tanh(u)) = x * logistic(2 * u), with u = sqrt(2 / pi) * (x + 0.044715 * x^3)
PJ_INLINE VecF32 gelu_tanh_lanes(VecF32 x) {
  constexpr float kSlope = -2 * 0.7978845608f;
  const VecF32 slope = hn::MulAdd(hn::Mul(x, x), splat(kSlope * 0.044715f), splat(kSlope));
  return hn::Div(x, hn::Add(splat(1.0f), exp_lanes(hn::Mul(slope, x))));
}
PJ_INLINE VecF32 hard_swish_lanes(VecF32 x) {
  const VecF32 gate = limit_lanes(hn::Add(x, splat(3.0f)), splat(0.0f), splat(6.0f));
  return hn::Mul(hn::Div(x, splat(6.0f)), gate);
}

}  // namespace
}  // namespace pj
