// Requantisation: from an int32 accumulator to an 8-bit value. The one home of the rule; every
// integer kernel of every ISA computes exactly this.
//
//   q = zero_point + round_to_nearest_even(clamp(float(acc) * scale, low, high))
//
// with low = qmin - zero_point and high = qmax - zero_point, qmin and qmax the limits of the type
// tightened by a fused activation. float(acc) rounds to nearest even as the conversion instructions
// of all CPUs do. Files that use it are compiled with -ffp-contract=off. It is the "fp32" rule of
// XNNPACK and of TFLite's per-channel kernels within 1 unit (kernels.md).
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "runtime/base/op_params.h"

// Kernel files are compiled once for each ISA level. An inline function that the compiler did not
// inline would exist once a level under one name, and the linker would keep any of them, perhaps
// one with instructions this CPU lacks. Hence: always inlined, and nothing from <algorithm>.
#define PJ_INLINE [[gnu::always_inline]] inline

namespace pj {

// Limits and zero point of a quantised output.
struct OutputStage {
  int32_t zero_point;
  float low, high;  // clamp limits before the zero point is added: integers stored as floats
};

// min(max(low, x), high); NaN gives low.
PJ_INLINE float clamp_to(float x, float low, float high) {
  const float raised = x > low ? x : low;
  return raised < high ? raised : high;
}

// Rounds to nearest even, for |x| <= 2^22: adding 1.5 * 2^23 puts the last bit of the fraction at
// 2^0, so that the addition itself rounds. Needs no SSE4.1 and vectorises everywhere.
PJ_INLINE int32_t round_to_int(float x) {
  constexpr float kMagic = 12582912.0f;
  return static_cast<int32_t>((x + kMagic) - kMagic);
}

// A real value quantised with saturation to [qmin, qmax]; NaN gives the value of qmin.
PJ_INLINE int32_t quantize_value(float real, float inverse_scale, int32_t zero_point, int32_t qmin,
                                 int32_t qmax) {
  const float low = static_cast<float>(qmin - zero_point);
  const float high = static_cast<float>(qmax - zero_point);
  return round_to_int(clamp_to(real * inverse_scale, low, high)) + zero_point;
}

// The output stage of an operator with a fused activation, for an output of type `dtype`.
inline OutputStage make_output_stage(DType dtype, float scale, int32_t zero_point,
                                     Activation activation) {
  const IntRange range = range_of(dtype);
  const ActivationLimits limits = limits_of(activation);
  // Quantised limits of the activation: rounded, saturated to the type.
  auto quantized = [&](float real, int32_t unbounded) {
    return std::isinf(real) ? unbounded
                            : quantize_value(real, 1.0f / scale, zero_point, range.min, range.max);
  };
  const int32_t qmin = quantized(limits.low, range.min);
  const int32_t upper = quantized(limits.high, range.max);
  const int32_t qmax = upper < qmin ? qmin : upper;
  return {zero_point, static_cast<float>(qmin - zero_point), static_cast<float>(qmax - zero_point)};
}

// a / b of positive numbers; the largest float instead of infinity, so that 0 times it stays 0.
inline float finite_ratio(float a, float b) {
  const float ratio = a / b;
  return ratio < std::numeric_limits<float>::max() ? ratio : std::numeric_limits<float>::max();
}

// From the scale of products of input and weight to the scale of the output. Multiply first, then
// divide: the order is part of the rule, since both operations round.
inline float requantization_scale(float input_scale, float weight_scale, float output_scale) {
  return finite_ratio(input_scale * weight_scale, output_scale);
}

PJ_INLINE int32_t requantize(int32_t accumulator, float scale, const OutputStage& stage) {
  const float x = clamp_to(static_cast<float>(accumulator) * scale, stage.low, stage.high);
  return round_to_int(x) + stage.zero_point;
}

}  // namespace pj
