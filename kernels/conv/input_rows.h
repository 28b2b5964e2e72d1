// The rows of the input under a tile, as kernels on segments (kernels/conv/segments.h) read them:
// where windows hang over the sides of the image, rows are copied to scratch with padding around,
// few bytes next to the products they take part in, and blocks need to know nothing of borders.
//
// For files that are compiled once for each ISA level.
#pragma once

#include <cstring>

#include "kernels/conv/segments.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// Fills the table of input rows, each at the first pixel under the tile: if `inside`, where the
// input can be read in place, there; else in copies. The bytes of padding are all `zero`.
PJ_INLINE void find_rows(const Tile& t, const ConvKernelParams& p, const SegmentScratch& layout,
                         bool inside, int zero, const uint8_t** table) {
  const int64_t width = int64_t{p.in_width} * p.in_col_bytes;
  const int64_t begin = (int64_t{t.begin[kCol]} * p.stride_w - p.pad_left) * p.in_col_bytes;
  const int64_t bytes = input_line_bytes(p, t.size[kCol]);
  const int64_t left = begin < 0 ? (-begin < bytes ? -begin : bytes) : 0;
  const int64_t end = begin + bytes < width ? begin + bytes : width;
  const int64_t copied = end > begin + left ? end - begin - left : 0;

  auto* line = reinterpret_cast<uint8_t*>(t.scratch + layout.lines_at);
  const uint8_t* padding = nullptr;
  const int32_t count = input_rows(p, t.size[kRow]);
  for (int32_t i = 0; i < count; ++i) {
    const auto* row = reinterpret_cast<const uint8_t*>(t.rows[i]);
    if (row != nullptr && inside) {
      table[i] = row + begin;
      continue;
    }
    if (row == nullptr && padding != nullptr) {
      table[i] = padding;
      continue;
    }
    table[i] = line;
    if (row == nullptr) {
      padding = line;
      std::memset(line, zero, static_cast<size_t>(layout.line_bytes));
    } else {
      std::memset(line, zero, static_cast<size_t>(left));
      std::memcpy(line + left, row + begin + left, static_cast<size_t>(copied));
      std::memset(line + left + copied, zero,
                  static_cast<size_t>(layout.line_bytes - left - copied));
    }
    line += layout.line_bytes;
  }
}

// True if all pixels of the tile are as equally spaced as those of one row, in input and output:
// pointwise layers whose rows follow each other.
PJ_INLINE bool rows_are_one(const Tile& t, const ConvKernelParams& p, const uint8_t* const* table) {
  if (p.kernel_h * p.kernel_w * p.stride_h * p.stride_w != 1) return false;
  if (p.out_row_bytes != t.size[kCol] * p.out_col_bytes) return false;
  for (int32_t i = 1; i < t.size[kRow]; ++i)
    if (table[i] != table[i - 1] + t.size[kCol] * p.in_col_bytes) return false;
  return true;
}

}  // namespace
}  // namespace pj
