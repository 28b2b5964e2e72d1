// Softmax of 8 bits: the steps of the reference (kernels/reference/normalize.cc), with the table of
// exponentials made at planning. The sum's order is part of the result, so it stays scalar.
#pragma once

#include "kernels/reduce/reduce.h"

namespace pj {
namespace {

template <typename Q, typename>
void run_softmax_table(const Tile& t) {
  const SoftmaxKernelParams& p = *static_cast<const SoftmaxKernelParams*>(t.params);
  const Q* x = reinterpret_cast<const Q*>(t.in[0]);
  Q* y = reinterpret_cast<Q*>(t.out[0]);
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.count) {
    Q top = x[0];
    for (int64_t i = 1; i < p.count; ++i) top = x[i] > top ? x[i] : top;
    float sum = 0;
    for (int64_t i = 0; i < p.count; ++i) sum += p.table[top - x[i]];
    const float inverse = 1.0f / (sum * p.output_scale);
    auto result = [&](int32_t distance) {
      const float q = clamp_to(p.table[distance] * inverse + 0.5f, 0.0f, p.high);
      const int32_t stored = static_cast<int32_t>(q) + p.zero_point;
      return static_cast<Q>(stored > p.qmin ? stored : p.qmin);
    };
    if (p.count <= 256) {
      for (int64_t i = 0; i < p.count; ++i) y[i] = result(top - x[i]);
      continue;
    }
    // Longer rows have no more results than that.
    Q results[256];
    for (int32_t distance = 0; distance < 256; ++distance) results[distance] = result(distance);
    for (int64_t i = 0; i < p.count; ++i) y[i] = results[top - x[i]];
  }
}

}  // namespace
}  // namespace pj
