// Functions on vectors of floats. NaN gives NaN.
//
// Errors, against the correctly rounded value: exp, expm1 and tanh are Highway's, within 1, 4 and 4
// units in the last place; logistic and silu within 4 units, gelu within 2^-21 times the larger of
// 1 and |x|.
#pragma once

#include "kernels/common/simd.h"
// Behind simd.h, which chooses the level.
#include <hwy/contrib/math/math-inl.h>

namespace pj {
namespace {

// f(x) where x is a number, x where it is NaN.
template <typename F>
PJ_INLINE VecF32 unless_nan(VecF32 x, F f) {
  return hn::IfThenElse(hn::Eq(x, x), f(x), x);
}

PJ_INLINE VecF32 exp_lanes(VecF32 x) {
  // Above 88.8 the result is infinite.
  return unless_nan(x, [](VecF32 v) { return hn::Exp(kF32, hn::Min(v, splat(90.0f))); });
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
// x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))
PJ_INLINE VecF32 gelu_tanh_lanes(VecF32 x) {
  const VecF32 cubic = hn::Mul(hn::Mul(hn::Mul(splat(0.044715f), x), x), x);
  const VecF32 inner = hn::Mul(splat(0.7978845608f), hn::Add(x, cubic));
  return hn::Mul(hn::Mul(splat(0.5f), x), hn::Add(splat(1.0f), tanh_lanes(inner)));
}
PJ_INLINE VecF32 hard_swish_lanes(VecF32 x) {
  const VecF32 gate = limit_lanes(hn::Add(x, splat(3.0f)), splat(0.0f), splat(6.0f));
  return hn::Mul(hn::Div(x, splat(6.0f)), gate);
}

}  // namespace
}  // namespace pj
