// What is under a pooling window.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/kernel.h"
#include "kernels/pool/pool.h"

namespace pj {
namespace {

// The taps of one output pixel that are inside the image: rows [0, row_count) x columns [0, cols).
struct Taps {
  const std::byte* const* rows;
  int32_t row_count;
  int64_t first_col_bytes, col_bytes;
  int32_t cols;
  int32_t count() const { return row_count * cols; }

  // Of row `row` of the tile, still without columns.
  PJ_INLINE Taps(const Tile& t, const PoolParams& p, int32_t row)
      : rows(t.rows + row * p.stride_h),
        row_count(p.kernel_h),
        first_col_bytes(0),
        col_bytes(p.in_col_bytes),
        cols(0) {
    // Rows outside the input are at the ends.
    while (row_count > 0 && *rows == nullptr) ++rows, --row_count;
    while (row_count > 0 && rows[row_count - 1] == nullptr) --row_count;
  }
  // Those of column `col` of the output.
  PJ_INLINE void move_to(const PoolParams& p, int32_t col) {
    const int32_t begin = col * p.stride_w - p.pad_left;
    const int32_t first = begin > 0 ? begin : 0;
    const int32_t end = begin + p.kernel_w < p.in_width ? begin + p.kernel_w : p.in_width;
    first_col_bytes = first * col_bytes;
    cols = end > first ? end - first : 0;
  }
};

}  // namespace
}  // namespace pj
