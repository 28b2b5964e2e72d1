// Sum and difference of two quantised tensors of 8 bits: the one home of the rule, shared by the
// kernels of all ISAs. Bit-identical to the addition of XNNPACK (qs8 and qu8), which LiteRT runs.
//
// In units of the output the real result is  (a - za) * sa/so + (b - zb) * sb/so.  In fixed point
// both ratios become integers with a common shift, chosen so that the larger one has 21 bits:
//
//   multiplier = round_to_nearest_even(ratio * 2^shift)          negative for what is subtracted
//   bias       = 2^(shift-1) - za * multiplier_a - zb * multiplier_b
//   q          = zero_point + clamp((bias + a * multiplier_a + b * multiplier_b) >> shift, low,
//   high)
//
// The 2^(shift-1) makes the arithmetic shift round to nearest, halves upwards. 32 bits suffice: the
// shift is in [12, 30], and |a|, |za|, |a - za| <= 255 keep every product within 255 * 2^21 < 2^29,
// so that each partial sum, in the order written, has at most three terms below 2^29.
//
// The fixed point serves ratios in [2^-10, 2^8). Outside it the sum is computed in float and
// rounded to nearest even, as in requantize().
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {

struct QuantizedAdd {
  int32_t fixed_point;                              // 0 or 1; no unnamed bytes behind it
  int32_t multiplier_a, multiplier_b, bias, shift;  // used if fixed_point
  float ratio_a, ratio_b;                           // used otherwise
  int32_t zero_a, zero_b;
  int32_t low, high, zero_point;  // limits apply before the zero point is added
};

// Quantisation of an operand or of the result.
struct ScaleAndZero {
  float scale;
  int32_t zero_point;
};

// At planning: a + b, or a - b if `subtract`. `dtype` is that of all three tensors.
inline QuantizedAdd prepare_quantized_add(ScaleAndZero a, ScaleAndZero b, ScaleAndZero out,
                                          DType dtype, Activation activation, bool subtract) {
  const OutputStage stage = make_output_stage(dtype, out.scale, out.zero_point, activation);
  QuantizedAdd r = {};
  r.ratio_a = finite_ratio(a.scale, out.scale);
  r.ratio_b = finite_ratio(b.scale, out.scale);
  r.zero_a = a.zero_point;
  r.zero_b = b.zero_point;
  r.low = static_cast<int32_t>(stage.low);
  r.high = static_cast<int32_t>(stage.high);
  r.zero_point = out.zero_point;
  auto in_range = [](float ratio) { return ratio >= 0x1p-10f && ratio < 0x1p8f; };
  r.fixed_point =
      (dtype == DType::kI8 || dtype == DType::kU8) && in_range(r.ratio_a) && in_range(r.ratio_b);
  if (r.fixed_point) {
    r.shift = 20 - std::ilogb(r.ratio_a > r.ratio_b ? r.ratio_a : r.ratio_b);
    r.multiplier_a = round_to_int(std::ldexp(r.ratio_a, r.shift));
    r.multiplier_b = round_to_int(std::ldexp(r.ratio_b, r.shift));
    if (subtract) r.multiplier_b = -r.multiplier_b;
    r.bias = (int32_t{1} << (r.shift - 1)) - a.zero_point * r.multiplier_a -
             b.zero_point * r.multiplier_b;
  }
  if (subtract) r.ratio_b = -r.ratio_b;
  return r;
}

PJ_INLINE int32_t quantized_add(const QuantizedAdd& r, int32_t a, int32_t b) {
  if (r.fixed_point) {
    int32_t sum = (r.bias + a * r.multiplier_a + b * r.multiplier_b) >> r.shift;
    sum = sum > r.low ? sum : r.low;
    return (sum < r.high ? sum : r.high) + r.zero_point;
  }
  const float sum =
      static_cast<float>(a - r.zero_a) * r.ratio_a + static_cast<float>(b - r.zero_b) * r.ratio_b;
  const float x = clamp_to(sum, static_cast<float>(r.low), static_cast<float>(r.high));
  return round_to_int(x) + r.zero_point;
}

}  // namespace pj
