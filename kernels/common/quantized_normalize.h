// Log-softmax and L2 norm of 8 bits: the one home of the rule. Both are functions of the distance
// between stored numbers, and so have at most 256 results in a row.
//
//   log-softmax   real = -scale * d - log(sum of exp(-scale * d)), d the distance from the largest
//                 number; the sum runs in f32 in the order of the row
//   L2 norm       real = scale * d / max(scale * sqrt(sum of d^2), 1e-6), d the distance from the
//                 zero point; the sum is exact
//
// and the result is quantised as any real value.
#pragma once

#include "kernels/common/requantize.h"

namespace pj {

// A row's distances are multiplied by `factor`, then `offset` is subtracted.
struct NormalizedRow {
  float factor, offset;
};
PJ_INLINE NormalizedRow log_softmax_row(float scale, float sum_of_exponentials) {
  return {-scale, __builtin_logf(sum_of_exponentials)};
}
PJ_INLINE NormalizedRow l2_row(float scale, int64_t sum_of_squares) {
  const float norm = scale * __builtin_sqrtf(static_cast<float>(sum_of_squares));
  return {scale / (norm > 1e-6f ? norm : 1e-6f), 0};
}
PJ_INLINE int32_t normalized(const NormalizedRow& row, int32_t distance, float inverse_scale,
                             int32_t zero_point, IntRange range) {
  return quantize_value(static_cast<float>(distance) * row.factor - row.offset, inverse_scale,
                        zero_point, range.min, range.max);
}

}  // namespace pj
