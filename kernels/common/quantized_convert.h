// From one quantisation to another, and leaky ReLU: the one home of the rule, shared by the kernels
// of all ISAs. Between tensors of the same 8-bit type it is bit-identical to XNNPACK (qs8 and qu8):
//
//   multiplier = round_to_nearest_even(256 * ratio)                  ratio = s_in / s_out
//   q          = saturate(((x - zx) * multiplier + 128 + (zero_point << 8)) >> 8)
//
// Halves round upwards. Leaky ReLU uses ratio * alpha instead of ratio where x < zx.
//
// The fixed point serves multipliers of 1 to 2^15 (ratios in [2^-8, 2^7]). Everything else, also
// conversions from one type to another, is computed in float and rounded to nearest even. With
// equal scales both ways are exact: int8 <-> uint8 with zero points 128 apart only flips the top
// bit.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {

struct QuantizedConvert {
  bool fixed_point;
  int32_t positive, negative;            // multipliers for x >= zx and x < zx, if fixed_point
  float positive_ratio, negative_ratio;  // otherwise
  int32_t zero_in, zero_out, qmin, qmax;
};

// At planning. `alpha` is the slope below zero; 1 for a plain conversion.
inline QuantizedConvert prepare_quantized_convert(DType in, float in_scale, int32_t in_zero,
                                                  DType out, float out_scale, int32_t out_zero,
                                                  float alpha = 1.0f) {
  const IntRange range = range_of(out);
  QuantizedConvert r = {};
  r.positive_ratio = finite_ratio(in_scale, out_scale);
  r.negative_ratio = r.positive_ratio * alpha;
  r.zero_in = in_zero;
  r.zero_out = out_zero;
  r.qmin = range.min;
  r.qmax = range.max;
  auto in_range = [](float ratio) {
    return std::abs(ratio) >= 0x1p-8f && ratio <= 0x1p7f && ratio >= -0x1.fffcp6f;
  };
  r.fixed_point =
      is_int8_like(in) && in == out && in_range(r.positive_ratio) && in_range(r.negative_ratio);
  if (r.fixed_point) {
    r.positive = round_to_int(256.0f * r.positive_ratio);
    r.negative = round_to_int(256.0f * r.negative_ratio);
  }
  return r;
}

PJ_INLINE int32_t quantized_convert(const QuantizedConvert& r, int32_t x) {
  const int32_t difference = x - r.zero_in;
  if (r.fixed_point) {
    const int32_t multiplier = difference >= 0 ? r.positive : r.negative;
    int32_t q = (difference * multiplier + 128 + r.zero_out * 256) >> 8;
    q = q > r.qmin ? q : r.qmin;
    return q < r.qmax ? q : r.qmax;
  }
  const float ratio = difference >= 0 ? r.positive_ratio : r.negative_ratio;
  return quantize_value(static_cast<float>(difference), ratio, r.zero_out, r.qmin, r.qmax);
}

}  // namespace pj
