// Nearest neighbour: pixels copied, and whole rows where the source row stays the same.
#pragma once

#include "kernels/move/copy_run.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

// `cols` pixels from the one of column `col` on, of `size` bytes, known to the compiler, or else of
// any number.
template <int64_t size>
PJ_INLINE void copy_pixels(const ResizeKernelParams& p, const ResizeSource* col, int32_t cols,
                           const std::byte* x, std::byte* y) {
  for (int32_t c = 0; c < cols; ++c) {
    if constexpr (size > 0) {
      std::memcpy(y + c * size, x + col[c].first, size);
    } else {
      copy_run(y + c * p.pixel_bytes, x + col[c].first, p.pixel_bytes);
    }
  }
}

template <typename, typename>
void run_nearest(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  const int32_t cols = t.size[kCol];
  const ResizeSource* const col = p.col(t.begin[kCol]);
  std::byte* y = t.out[0];
  const std::byte* const* rows = t.rows;
  for (int32_t r = 0; r < t.size[kRow]; ++r, y += p.out_row_bytes) {
    const ResizeSource* source = p.row(t.begin[kRow] + r);
    if (r > 0 && source->first == source[-1].first) {
      std::memcpy(y, y - p.out_row_bytes, static_cast<size_t>(cols * p.pixel_bytes));
      continue;
    }
    const std::byte* x = t.in[0] != nullptr ? t.in[0] + source->first : *rows++;
    if (p.pixel_bytes == 1) {
      copy_pixels<1>(p, col, cols, x, y);
    } else {
      copy_pixels<0>(p, col, cols, x, y);
    }
  }
}

}  // namespace
}  // namespace pj
