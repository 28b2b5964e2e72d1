// hard_swish(x) = x * clamp(x + 3, 0, 6) / 6 on 8 bits, bit-identical to TFLite's kernel, which
// LiteRT runs. The function is used to fill a table of 256 entries, so it need not be fast.
//
// TFLite computes in 16-bit fixed point. Both factors start from  h = (q - zero_in) * 128,  which
// fills 16 bits:
//   r = clamp(x, -3, 3) / 3 in units of 2^-15: h times a 16-bit multiplier and a power of two, with
//       saturation doing the clamping; then (r + 1) / 2 is the gate in [0, 1);
//   p = x in units of the output, times 2^k: h times another 16-bit multiplier;
//   q = zero_out + (p * gate) / 2^k.
// "times" is the doubling high product of gemmlowp: a * b / 2^15.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {

struct QuantizedHardSwish {
  // False if a ratio of scales leaves the range that TFLite accepts: compute in reals instead.
  bool fixed_point;
  int32_t gate_multiplier, gate_exponent;
  int32_t output_multiplier, output_exponent;
  int32_t zero_in, zero_out, qmin, qmax;
};

namespace hard_swish {

// real = multiplier / 2^15 * 2^exponent, the multiplier rounded first to 31 bits, then to 15.
inline void split_multiplier(float real, int32_t& multiplier, int32_t& exponent) {
  int e = 0;
  auto fraction = static_cast<int64_t>(std::round(std::frexp(double{real}, &e) * 0x1p31));
  if (fraction == int64_t{1} << 31) {
    fraction /= 2;
    ++e;
  }
  const int64_t rounded = (fraction + (1 << 15)) >> 16;
  multiplier = static_cast<int32_t>(rounded < 32767 ? rounded : 32767);
  exponent = e;
}

inline int32_t saturate16(int32_t x) { return x < -32768 ? -32768 : (x > 32767 ? 32767 : x); }

// a * b / 2^15, halves away from zero; both have 16 bits and are not both -32768.
inline int32_t high_product(int32_t a, int32_t b) {
  const int32_t product = a * b;
  return (product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15);
}

// x / 2^exponent, halves away from zero.
inline int32_t divide_by_power(int32_t x, int32_t exponent) {
  const int32_t mask = (1 << exponent) - 1;
  return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

}  // namespace hard_swish

inline QuantizedHardSwish prepare_quantized_hard_swish(DType dtype, float in_scale, int32_t in_zero,
                                                       float out_scale, int32_t out_zero) {
  const IntRange range = range_of(dtype);
  QuantizedHardSwish r = {};
  const float fine_scale = in_scale / 128.0f;
  hard_swish::split_multiplier(finite_ratio(fine_scale, out_scale), r.output_multiplier,
                               r.output_exponent);
  hard_swish::split_multiplier(finite_ratio(fine_scale, 3.0f / 32768.0f), r.gate_multiplier,
                               r.gate_exponent);
  r.fixed_point = is_int8_like(dtype) && r.output_exponent >= -15 && r.output_exponent <= 0 &&
                  r.gate_exponent >= -15 && r.gate_exponent <= 15;
  r.zero_in = in_zero;
  r.zero_out = out_zero;
  r.qmin = range.min;
  r.qmax = range.max;
  return r;
}

// Requires r.fixed_point.
inline int32_t quantized_hard_swish(const QuantizedHardSwish& r, int32_t q) {
  using namespace hard_swish;
  const int32_t fine = (q - r.zero_in) * 128;
  int32_t gate = fine;
  // The last doubling follows the product, so that the product keeps its lowest bit.
  if (r.gate_exponent > 0) gate = saturate16(gate * (1 << (r.gate_exponent - 1)));
  gate = high_product(gate, r.gate_multiplier);
  if (r.gate_exponent > 0) gate = saturate16(gate * 2);
  if (r.gate_exponent < 0) gate = divide_by_power(gate, -r.gate_exponent);
  gate = (gate + (1 << 15)) >> 1;
  const int32_t product = gate * high_product(fine, r.output_multiplier) / (1 << 15);
  const int32_t result = divide_by_power(product, -r.output_exponent) + r.zero_out;
  return result < r.qmin ? r.qmin : (result > r.qmax ? r.qmax : result);
}

}  // namespace pj
