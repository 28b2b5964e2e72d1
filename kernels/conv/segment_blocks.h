// What integer kernels on segments share, whatever their instructions: where windows are.
//
// Where a window hangs over the sides of the input, or its last unit would be read past them, the
// rows that the tile needs are first copied to scratch with padding around: few bytes next to the
// products they take part in, and blocks need to know nothing of borders.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/input_rows.h"
#include "kernels/conv/row_cut.h"
#include "kernels/conv/segments.h"

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

// Fills the table of input rows of a kernel that reads segments in units of `unit` bytes.
PJ_INLINE void find_rows(const Tile& t, const ConvKernelParams& p, int32_t unit,
                         const SegmentScratch& layout, const uint8_t** table) {
  const int32_t beyond = segments_of(p).beyond(unit);
  find_rows(t, p, layout, inside_row(p, t.begin[kCol], t.size[kCol], beyond),
            static_cast<int>(*t.in[2]), table);
}

}  // namespace
}  // namespace pj
