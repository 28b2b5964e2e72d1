// Bilinear interpolation of 16-bit floats in their own arithmetic: between two rows of the input
// once for all columns of an output row, then along the row (as kernels/resize/bilinear_float.h).
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/half_neon.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

// a + (b - a) * weight for `count` numbers.
PJ_INLINE void interpolate_halves(const std::byte* a, const std::byte* b, Halves weight,
                                  int64_t count, std::byte* y) {
  for (int64_t i = 0; i < count; i += kHalfLanes) {
    const auto some = static_cast<int32_t>(count - i < kHalfLanes ? count - i : kHalfLanes);
    const Halves start = load_halves(a + 2 * i, some);
    const Halves step = vsubq_f16(load_halves(b + 2 * i, some), start);
    store_halves(y + 2 * i, vfmaq_f16(start, step, weight), some);
  }
}

template <typename X, typename W, int mr, int nr>
void run_half_bilinear(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  std::byte* y = t.out[0];
  for (int32_t r = 0; r < t.size[kRow]; ++r) {
    const ResizeSource& row = *p.row(t.begin[kRow] + r);
    interpolate_halves(t.in[0] + row.first, t.in[0] + row.second, set_halves(row.fraction),
                       p.in_cols * p.channels, t.scratch);
    for (int32_t c = 0; c < p.cols; ++c, y += p.channels * 2) {
      const ResizeSource& col = *p.col(c);
      interpolate_halves(t.scratch + col.first, t.scratch + col.second, set_halves(col.fraction),
                         p.channels, y);
    }
  }
}

}  // namespace
}  // namespace pj
