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

// Writes `bytes` copies of `value`, and more up to a multiple of kLineBlock.
constexpr int64_t kLineBlock = 32;
struct LineBlock {
  uint8_t bytes[kLineBlock];
};
PJ_INLINE void fill_line(uint8_t* to, const LineBlock& value, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += kLineBlock) std::memcpy(to + i, &value, kLineBlock);
}

// memcpy() for the lengths of rows, without the call.
PJ_INLINE void copy_line(uint8_t* to, const uint8_t* from, int64_t bytes) {
  if (bytes < kLineBlock) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return;
  }
  for (int64_t i = 0; i + kLineBlock < bytes; i += kLineBlock)
    std::memcpy(to + i, from + i, kLineBlock);
  std::memcpy(to + bytes - kLineBlock, from + bytes - kLineBlock, kLineBlock);
}

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
  LineBlock pad;
  std::memset(&pad, zero, sizeof(pad));
  const int64_t right = (left + copied) / kLineBlock * kLineBlock;
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
      fill_line(line, pad, layout.line_bytes);
    } else {
      // Lines are whole blocks long; the copy goes over what is filled too much.
      fill_line(line + right, pad, layout.line_bytes - right);
      fill_line(line, pad, left);
      copy_line(line + left, row + begin + left, copied);
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
