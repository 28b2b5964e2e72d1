// Log-softmax and L2 norm of 8 bits, by the rule of quantized_normalize.h, with the exponentials
// made at planning.
#pragma once

#include "kernels/common/quantized_normalize.h"
#include "kernels/common/simd.h"
#include "kernels/reduce/reduce.h"

namespace pj {
namespace {

template <typename Q, typename>
void run_normalize_table(const Tile& t) {
  const auto& p = *static_cast<const QuantizedNormalizeParams*>(t.params);
  constexpr IntRange range = kByteRange<Q>;
  const bool logarithm = p.fn == static_cast<int32_t>(NormalizeFn::kLogSoftmax);
  const Q* x = reinterpret_cast<const Q*>(t.in[0]);
  Q* y = reinterpret_cast<Q*>(t.out[0]);
  for (int32_t r = 0; r < t.size[kRow]; ++r, x += p.count, y += p.count) {
    int32_t origin = p.zero_x;
    NormalizedRow row;
    if (logarithm) {
      Q top = x[0];
      for (int64_t i = 1; i < p.count; ++i) top = x[i] > top ? x[i] : top;
      float sum = 0;
      for (int64_t i = 0; i < p.count; ++i) sum += p.table[top - x[i]];
      row = log_softmax_row(p.scale, sum);
      origin = top;
    } else {
      int64_t sum = 0;
      for (int64_t i = 0; i < p.count; ++i) {
        const int32_t d = x[i] - origin;
        sum += d * d;
      }
      row = l2_row(p.scale, sum);
    }
    const int32_t sign = logarithm ? -1 : 1;
    auto result = [&](int32_t q) {
      const int32_t d = sign * (q - origin);
      return static_cast<Q>(normalized(row, d, p.inverse, p.zero_y, range));
    };
    if (p.count <= 256) {
      for (int64_t i = 0; i < p.count; ++i) y[i] = result(x[i]);
      continue;
    }
    // Longer rows have no more results than that.
    Q results[256];
    for (int32_t q = range.min; q <= range.max; ++q) results[q - range.min] = result(q);
    for (int64_t i = 0; i < p.count; ++i) y[i] = results[x[i] - range.min];
  }
}

}  // namespace
}  // namespace pj
