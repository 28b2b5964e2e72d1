// Where the blocks of kernels/depthwise/float_slide_blocks.h read and write.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// Of the three rows under a block: columns 0 and 1, and bytes from one to the next.
struct SlideWindow {
  const std::byte *first[3], *second[3];
  int64_t step[3];
};

// Rows of outputs, each the same number of blocks of the same size.
struct SlideRows {
  const std::byte* const* rows;  // of the input; null: outside the image
  int32_t row_step;              // of `rows`, between two rows of a window
  int32_t count;                 // rows of output
  int32_t blocks;                // of a row
  int32_t last_is_pad;           // 1: the pad pixel takes the place of a row's last column
  int64_t first_at, second_at;   // bytes from a row's begin to columns 0 and 1; -1: the pad pixel
  int64_t step;
  const std::byte* pad;
  std::byte* out;
  int64_t out_row_bytes, out_step;
  float low, high;

  template <int S>
  PJ_INLINE SlideWindow window(int32_t row) const {
    SlideWindow w;
    const std::byte* const* from = rows + row * S;
    for (int ky = 0; ky < 3; ++ky, from += row_step) {
      const std::byte* const x = *from;
      const bool there = x != nullptr;
      w.first[ky] = there && first_at >= 0 ? x + first_at : pad;
      w.second[ky] = there ? x + second_at : pad;
      w.step[ky] = there ? step : 0;
    }
    return w;
  }
};

}  // namespace
}  // namespace pj
