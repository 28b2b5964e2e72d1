// What planner, packing and kernels agree on for the depthwise kernels of dot.h. Portable.
//
// They take input rows in groups of four. Where the window moves by one row, two output rows share
// the groups: the second one reads the same bytes with weights that are shifted by a row.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

inline constexpr int32_t kGroupRows = 4;

// Output rows that are computed from the same groups. A window whose height is a multiple of four
// fills its groups; sharing would need one more.
constexpr int32_t dot_shifts(const ConvKernelParams& p) {
  const bool shares = p.stride_h == 1 && p.dilation_h == 1 && p.kernel_h % kGroupRows != 0;
  return shares ? 2 : 1;
}

// Groups of rows that `shifts` output rows need.
constexpr int32_t dot_groups(int32_t kernel_h, int32_t shifts) {
  return (kernel_h + shifts - 1 + kGroupRows - 1) / kGroupRows;
}

// Input columns are kept by phase: column c of a strip's phase f is input column c * stride_w + f.
// A window needs this many columns of a phase, besides the one at its own place.
constexpr int32_t dot_reach(const ConvKernelParams& p) {
  return (p.kernel_w - 1) * p.dilation_w / p.stride_w;
}

// Vectors that a phase of a strip is long: so many that all strips fit in half of a small L1, but
// enough for a window and a few output pixels.
constexpr int32_t dot_steps(const ConvKernelParams& p, int32_t vector_bytes) {
  constexpr int32_t kBudget = 20 << 10, kFewPixels = 16;
  const int32_t strips = dot_groups(p.kernel_h, dot_shifts(p)) * p.stride_w;
  const int32_t fit = kBudget / (strips * kGroupRows * vector_bytes);
  const int32_t needed = dot_reach(p) + kFewPixels;
  return fit > needed ? fit : needed;
}

// What weights minus their zero point are summed from, at most (kernels/packing/packing.h).
inline constexpr int32_t kMaxDotParts = 3;

// Scratch of the kernels with strips: where each tap of each part is in them, then they.
constexpr int32_t dot_taps(const ConvKernelParams& p) {
  return dot_groups(p.kernel_h, dot_shifts(p)) * p.kernel_w;
}
constexpr int64_t dot_table_bytes(const ConvKernelParams& p) {
  return (int64_t{kMaxDotParts} * dot_taps(p) * 4 + 63) / 64 * 64;
}
constexpr int64_t dot_strip_bytes(const ConvKernelParams& p, int32_t vector_bytes) {
  const int64_t strips = int64_t{dot_groups(p.kernel_h, dot_shifts(p))} * p.stride_w;
  return strips * dot_steps(p, vector_bytes) * kGroupRows * vector_bytes;
}

// Layers that vectors of 512 bits compute without strips (kernels/depthwise/dot_direct.h): they
// need one line of padding instead.
inline constexpr int32_t kDirectWindow = 3, kDirectVectorBytes = 64;
constexpr bool dot_direct(const ConvKernelParams& p) {
  return p.kernel_h == kDirectWindow && p.kernel_w == kDirectWindow && p.dilation_h == 1 &&
         p.dilation_w == 1 && p.stride_h == p.stride_w && p.stride_w <= 2 &&
         p.in_channels == p.out_channels && p.in_channels % 4 == 0;
}

// Layers that these vectors compute with quads of rows and quads of columns
// (kernels/depthwise/dot_crossed.h): a tile has so many pixels side by side, of two rows, and so
// many vectors of weights for each 16 channels.
inline constexpr int32_t kCrossedWindow = 5, kCrossedColumns = 4;
inline constexpr int32_t kCrossedQuads = 2 * kCrossedWindow + 2 * kCrossedColumns * 2;
constexpr bool dot_crossed(const ConvKernelParams& p, int32_t vector_bytes) {
  return vector_bytes == kDirectVectorBytes && p.kernel_h == kCrossedWindow &&
         p.kernel_w == kCrossedWindow && p.dilation_h == 1 && p.dilation_w == 1 &&
         p.stride_h == 1 && p.stride_w == 1 && p.in_channels == p.out_channels &&
         p.in_channels % 4 == 0;
}
// Their strips: three groups of columns, each of these as vertical and as horizontal quads.
inline constexpr int64_t kCrossedGroupBytes =
    (kCrossedColumns + 2) * kGroupRows * kDirectVectorBytes;
inline constexpr int32_t kCrossedGroups = 3;

// A line of padding.
constexpr int64_t dot_blank_bytes(const ConvKernelParams& p) {
  return (p.in_width * p.in_col_bytes + kDirectVectorBytes - 1) / kDirectVectorBytes *
         kDirectVectorBytes;
}

constexpr int64_t dot_scratch_bytes(const ConvKernelParams& p, int32_t vector_bytes) {
  if (dot_crossed(p, vector_bytes)) return dot_blank_bytes(p) + kCrossedGroups * kCrossedGroupBytes;
  if (vector_bytes == kDirectVectorBytes && dot_direct(p)) return dot_blank_bytes(p);
  return dot_table_bytes(p) + dot_strip_bytes(p, vector_bytes);
}

// Channels of a panel that has `left` of them: the panel's own number, or a half or a quarter of
// it, never less than 16. A narrow panel computes two or four pixels in one vector, so its packed
// weights are repeated.
constexpr int32_t dot_width(int32_t nr, int32_t left) {
  while (nr > 16 && left <= nr / 2) nr /= 2;
  return nr;
}

// First bytes of a panel of packed weights.
struct DotPanelHeader {
  int32_t parts;    // how many weights sum up to one
  int32_t limited;  // whether a result may pass the range of int32 before it is clamped
  int32_t calm;     // kDepthwiseDots: whether all sums are (kernels/common/calm_sums.h)
};
// Start of the weights in a panel, after the padded header, bias and scale.
constexpr int64_t dot_weights_offset(int32_t nr) { return 64 + int64_t{nr} * 8; }

}  // namespace pj
