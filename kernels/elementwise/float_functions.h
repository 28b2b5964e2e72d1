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

// Arguments from which on exponentials are infinite, or 0 for negative ones.
inline constexpr float kMostExponent = 105.0f;

#if HWY_TARGET == HWY_AVX3
// 2^(i/16).
alignas(64) inline constexpr float kPowersOfTwo[] = {
    1.0f,        1.04427373f, 1.09050775f, 1.13878858f, 1.18920708f, 1.24185777f,
    1.29683959f, 1.35425556f, 1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f,
    1.68179286f, 1.75625217f, 1.83400810f, 1.91520655f};

// exp(v), or exp(-v), for numbers from -kMostExponent to kMostExponent.
//
// v = n * ln 2 + r with n in sixteenths and |r| <= ln 2 / 32; 2^n is a power of two times a number
// of the table, and exp(r) = 1 + r + r^2 * (a + r / 6). With a = 1/2 + 0.0345 (ln 2 / 32)^2, which
// takes the best from r^4 / 24, the relative error of that is 2^-29. The last bit of the sum with
// 1.5 * 2^19 is worth a sixteenth, so that it rounds n and has the table's index in its low bits.
template <bool negated = false>
PJ_INLINE VecF32 exp_of(VecF32 v) {
  constexpr float kLog2E = 1.44269504f, kRounder = 786432.0f;
  const VecF32 rounded = hn::MulAdd(v, splat(negated ? -kLog2E : kLog2E), splat(kRounder));
  const VecF32 n = hn::Sub(rounded, splat(kRounder));
  // ln 2 in two parts; the fused product with the first is exact where it cancels.
  const VecF32 ln2 = splat(0.693147182f);
  const VecF32 most = negated ? hn::NegMulSub(n, ln2, v) : hn::NegMulAdd(n, ln2, v);
  const VecF32 r = hn::NegMulAdd(n, splat(-1.90465421e-9f), most);
  const VecF32 square = hn::MulAdd(r, splat(0.166666672f), splat(0.5000162f));
  const VecF32 tail = hn::MulAdd(square, hn::Mul(r, r), r);
  const VecF32 power{
      _mm512_permutexvar_ps(_mm512_castps_si512(rounded.raw), _mm512_load_ps(kPowersOfTwo))};
  return VecF32{_mm512_scalef_ps(hn::MulAdd(power, tail, power).raw, n.raw)};
}
#else
// v * 2^n for whole n in [-152, 152]: half of it twice, since 2^n itself may be no normal number.
PJ_INLINE VecF32 scale_by_power(VecF32 v, VecF32 n) {
  const VecI32 whole = hn::ConvertTo(kI32, n), half = hn::ShiftRight<1>(whole);
  auto power = [](VecI32 k) PJ_INLINE_LAMBDA {
    return hn::BitCast(kF32, hn::ShiftLeft<23>(hn::Add(k, splat(127))));
  };
  return hn::Mul(hn::Mul(v, power(half)), power(hn::Sub(whole, half)));
}

// The same where a table costs more than a polynomial: n is whole, |r| <= ln 2 / 2, and
// exp(r) = 1 + r + r^2 * (a polynomial of degree 4, which the Remez algorithm found: relative error
// 2^-28).
template <bool negated = false>
PJ_INLINE VecF32 exp_of(VecF32 x) {
  const VecF32 v = negated ? hn::Neg(x) : x;
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
#endif

PJ_INLINE VecF32 exp_lanes(VecF32 x) {
  return exp_of(limit_lanes(x, splat(-kMostExponent), splat(kMostExponent)));
}
// x within the arguments of exp_of(). What NaN becomes is not said.
PJ_INLINE VecF32 exponent_of(VecF32 x) {
#if HWY_TARGET == HWY_AVX3
  // The smaller magnitude, with the sign of the first.
  return VecF32{_mm512_range_ps(x.raw, splat(kMostExponent).raw, 2)};
#else
  return limit_lanes(x, splat(-kMostExponent), splat(kMostExponent));
#endif
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
  const VecF32 v = limit_lanes(x, splat(-kMostExponent), splat(kMostExponent));
  return hn::Div(one, hn::Add(one, exp_of<true>(v)));
}
// Dividing x keeps its NaN.
PJ_INLINE VecF32 silu_lanes(VecF32 x) {
  return hn::Div(x, hn::Add(splat(1.0f), exp_of<true>(exponent_of(x))));
}
// x / 2 * (1 + tanh(u)) = x * logistic(2 * u), with u = sqrt(2 / pi) * (x + 0.044715 * x^3)
PJ_INLINE VecF32 gelu_tanh_lanes(VecF32 x) {
  constexpr float kSlope = -2 * 0.7978845608f;
  const VecF32 slope = hn::MulAdd(hn::Mul(x, x), splat(kSlope * 0.044715f), splat(kSlope));
  return hn::Div(x, hn::Add(splat(1.0f), exp_of(exponent_of(hn::Mul(slope, x)))));
}
// x times the normal distribution function, which is logistic(g) with g = log(P(x) / P(-x)): an odd
// function, x times a polynomial in x^2 that the Remez algorithm found for |x| <= 5.6, where the
// result's error is 2^-25 times the larger of 1 and |x|. Beyond, the polynomial keeps growing.
PJ_INLINE VecF32 gelu_lanes(VecF32 x) {
  constexpr float kFactors[] = {-2.71489421e-7f, 8.02552551e-6f, -1.11209525e-4f,
                                -6.34792829e-5f, 7.26641264e-2f, 1.59577062f};
  const VecF32 square = hn::Mul(x, x);
  VecF32 slope = splat(3.69420787e-9f);
  for (float factor : kFactors) slope = hn::MulAdd(slope, square, splat(factor));
  return hn::Div(x, hn::Add(splat(1.0f), exp_of<true>(exponent_of(hn::Mul(slope, x)))));
}
PJ_INLINE VecF32 hard_swish_lanes(VecF32 x) {
  const VecF32 gate = limit_lanes(hn::Add(x, splat(3.0f)), splat(0.0f), splat(6.0f));
  return hn::Mul(hn::Div(x, splat(6.0f)), gate);
}

}  // namespace
}  // namespace pj
