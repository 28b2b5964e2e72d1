// How the kernels of PackingId::kConvSegments, kConvDots and kConvMulls see a window: as segments,
// runs of bytes that are contiguous in a channels-last input and therefore one long K.
//
//   row ky of the window:   | tap 0, C bytes | tap 1 | tap 2 |     one segment of 3 * C bytes
//   with dilation in x:     | tap 0 |  gap  | tap 1 |  gap ...     one segment a tap
//
// So nothing is gathered, and a first layer of 3 channels and 3x3 taps reads 3 segments of 9 bytes.
// Integer kernels read segments in units of 4 or 8 bytes, the last one past the segment's end;
// packed weights are zero there. Of floats, what is called bytes here are elements.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

struct Segments {
  int32_t per_row;  // segments in a row of the window
  int32_t bytes;    // of each
  int64_t step;     // distance of two in a row, bytes

  constexpr int32_t quads() const { return (bytes + 3) / 4; }
  // Bytes that are read past the end.
  constexpr int32_t beyond(int32_t unit) const { return (bytes + unit - 1) / unit * unit - bytes; }
};

// Units of integer kernels whose kr is at most 4, and of others.
inline constexpr int32_t kQuadUnit = 4, kMullUnit = 8;

constexpr Segments segments_of(const ConvKernelParams& p) {
  if (p.dilation_w == 1 || p.kernel_w == 1) return {1, p.kernel_w * p.in_channels, 0};
  return {p.kernel_w, p.in_channels, p.dilation_w * p.in_col_bytes};
}

// Rows of the input under `rows` rows of the output.
constexpr int32_t input_rows(const ConvKernelParams& p, int32_t rows) {
  return (rows - 1) * p.stride_h + (p.kernel_h - 1) * p.dilation_h + 1;
}

// Bytes from the first to past the last input pixel under `cols` columns of the output.
constexpr int64_t input_line_bytes(const ConvKernelParams& p, int32_t cols) {
  return (int64_t{cols - 1} * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1) * p.in_col_bytes;
}

// True if the windows of output columns [begin, begin + cols) can be read in place: they lie inside
// the input's row with `overread` bytes past the last one.
constexpr bool inside_row(const ConvKernelParams& p, int32_t begin, int32_t cols,
                          int64_t overread) {
  const int64_t first = (int64_t{begin} * p.stride_w - p.pad_left) * p.in_col_bytes;
  const int64_t end = first + input_line_bytes(p, cols) + overread;
  return first >= 0 && end <= p.in_width * p.in_col_bytes;
}
// The same with all bytes of their last quads.
constexpr bool inside_row(const ConvKernelParams& p, int32_t begin, int32_t cols) {
  const Segments s = segments_of(p);
  return inside_row(p, begin, cols, s.quads() * 4 - s.bytes);
}

// What a tile keeps in scratch: a pointer for each row of the input, a correction for each pixel of
// the output and 15 unused, and lines: one of padding for rows outside the image and, where
// inside_row() is false, copies of the rows with padding around.
struct SegmentScratch {
  int64_t corrections_at, lines_at, line_bytes;
};

constexpr SegmentScratch segment_scratch(const ConvKernelParams& p, int32_t rows, int32_t cols) {
  auto aligned = [](int64_t bytes) { return (bytes + 63) / 64 * 64; };
  SegmentScratch s{};
  s.corrections_at = aligned(int64_t{input_rows(p, rows)} * static_cast<int64_t>(sizeof(void*)));
  s.lines_at = s.corrections_at + aligned((int64_t{rows} * cols + 15) * 4);
  s.line_bytes = aligned(input_line_bytes(p, cols) + kMullUnit - 1);
  return s;
}

}  // namespace pj
