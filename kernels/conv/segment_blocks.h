// What kernels on segments share, whatever their instructions: where the rows of the input are, and
// how rows of pixels are cut into blocks that fit registers.
//
// Where a window hangs over the sides of the input, or its last unit would be read past them, the
// rows that the tile needs are first copied to scratch with padding around: few bytes next to the
// products they take part in, and blocks need to know nothing of borders.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/conv/segments.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// Where the windows of a tile are.
struct SegmentTile {
  int32_t kernel_h, segments, quads;  // window rows, segments a row, quads a segment
  int32_t row_step;                   // table entries between two window rows
  int64_t segment_step, pixel_step;   // bytes
  int64_t panel_bytes, out_step;

  PJ_INLINE explicit SegmentTile(const ConvKernelParams& p)
      : kernel_h(p.kernel_h),
        segments(segments_of(p).per_row),
        quads(segments_of(p).quads()),
        row_step(p.dilation_h),
        segment_step(segments_of(p).step),
        pixel_step(p.stride_w * p.in_col_bytes),
        panel_bytes(p.panel_bytes),
        out_step(p.out_col_bytes) {}
};

// What all blocks of a row of pixels share.
struct SegmentRow {
  const uint8_t* const* rows;  // rows of the input under it, from pixel 0 of the tile
  const uint8_t* panel;
  const int32_t* corrections;  // to be added to the sums of each pixel; or null
  uint8_t* out;
  int32_t channels;  // to write
};

// A function for blocks of `pixels` pixels.
template <typename Fn>
struct BlockSize {
  int32_t pixels;
  Fn blocks;
};

// Sizes from the largest on. The largest fills the registers; a row that is no multiple of it is
// cut into equal blocks.
template <typename Fn>
struct BlockSizes {
  const BlockSize<Fn>* sizes;
  int32_t count;

  // The smallest size of at least `pixels`; the largest if there is none.
  const BlockSize<Fn>& at_least(int32_t pixels) const {
    int32_t i = count - 1;
    while (i > 0 && sizes[i].pixels < pixels) --i;
    return sizes[i];
  }
  const BlockSize<Fn>& at_most(int32_t pixels) const {
    int32_t i = 0;
    while (sizes[i].pixels > pixels) ++i;
    return sizes[i];
  }
};

// How a row of pixels is cut into blocks.
template <typename Fn>
struct RowCut {
  struct Run {
    Fn blocks;
    int32_t col, count;
  };
  Run runs[8];
  int32_t count = 0;
};

// Appends the runs of columns [done, cols).
template <typename Fn>
PJ_INLINE void cut_row(int32_t done, int32_t cols, const BlockSizes<Fn>& sizes, RowCut<Fn>& cut) {
  const int32_t largest = sizes.sizes[0].pixels;
  while (done < cols) {
    // Into the fewest blocks, as equal as the sizes allow: some of n pixels, the others of n - 1.
    const int32_t left = cols - done;
    const int32_t blocks = (left + largest - 1) / largest;
    const int32_t n = (left + blocks - 1) / blocks;
    const BlockSize<Fn>* size = &sizes.at_least(n);
    if (size->pixels > cols) size = &sizes.at_most(left);
    const bool exact = size->pixels == n && &sizes.at_least(n - 1) != size;
    const int32_t count = exact ? left - (n - 1) * blocks : left / size->pixels;
    if (count > 0) {
      cut.runs[cut.count++] = {size->blocks, done, count};
      done += count * size->pixels;
    } else {
      // One block that computes pixels again which the one before it has.
      cut.runs[cut.count++] = {size->blocks, cols - size->pixels, 1};
      done = cols;
    }
  }
}

// Fills the table of input rows, each at the first pixel under the tile: where the input can be
// read in place, there; else in copies.
PJ_INLINE void find_rows(const Tile& t, const ConvKernelParams& p, int32_t unit,
                         const SegmentScratch& layout, const uint8_t** table) {
  const int64_t width = int64_t{p.in_width} * p.in_col_bytes;
  const int64_t begin = (int64_t{t.begin[kCol]} * p.stride_w - p.pad_left) * p.in_col_bytes;
  const int64_t bytes = input_line_bytes(p, t.size[kCol]);
  const bool inside = inside_row(p, unit, t.begin[kCol], t.size[kCol]);
  const int64_t left = begin < 0 ? (-begin < bytes ? -begin : bytes) : 0;
  const int64_t end = begin + bytes < width ? begin + bytes : width;
  const int64_t copied = end > begin + left ? end - begin - left : 0;
  const int zero = static_cast<int>(*t.in[2]);

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
