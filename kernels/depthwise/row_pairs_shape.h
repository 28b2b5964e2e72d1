// What planner, packing and the kernel of row_pairs.h agree on. Portable.
//
// Input rows are taken in pairs. A window that begins in the second row of a pair is the same
// window moved by a row: weights are packed for both places.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

inline constexpr int32_t kPairChannels = 16;  // of a panel
inline constexpr int32_t kPairPixels = 4;     // that are computed at a time
// A column of a pair of rows: two 16-bit numbers for each channel of a panel.
inline constexpr int32_t kPairColumn = kPairChannels * 4;
// Panels that pass together, so that a line of the input is used up while it is in L1.
inline constexpr int32_t kPairPanels = 4;
inline constexpr int32_t kMostPairs = 8;

// Pairs of rows under a window, wherever it begins.
constexpr int32_t row_pairs(int32_t kernel_h) { return kernel_h / 2 + 1; }

// Columns of input that `count` output pixels need.
constexpr int32_t pair_columns(const ConvKernelParams& p, int32_t count) {
  return (count - 1) * p.stride_w + p.kernel_w;
}

// Output pixels of which the columns leave room in a small L1, for `panels` panels: a multiple of
// kPairPixels.
constexpr int32_t pair_fit(const ConvKernelParams& p, int32_t panels) {
  constexpr int32_t kBudget = 14 << 10;
  const int32_t columns = kBudget / (panels * row_pairs(p.kernel_h) * kPairColumn) - p.kernel_w;
  return (columns / p.stride_w + 1) / kPairPixels * kPairPixels;
}

// Fewer panels where blocks of pixels would be small, which costs more than lines do.
constexpr int32_t pair_panels(const ConvKernelParams& p) {
  const int32_t all = (p.out_channels + kPairChannels - 1) / kPairChannels;
  int32_t panels = all < kPairPanels ? all : kPairPanels;
  while (panels > 1 && pair_fit(p, panels) < 2 * kPairPixels) panels = (panels + 1) / 2;
  return panels;
}

// Output pixels of a block.
constexpr int32_t pair_block(const ConvKernelParams& p) {
  const int32_t fit = pair_fit(p, pair_panels(p));
  return fit > kPairPixels ? fit : kPairPixels;
}

// Scratch: for each panel a ring of pairs of rows.
constexpr int64_t pair_slot_bytes(const ConvKernelParams& p) {
  return int64_t{pair_columns(p, pair_block(p))} * kPairColumn;
}
constexpr int64_t pair_ring_bytes(const ConvKernelParams& p) {
  return row_pairs(p.kernel_h) * pair_slot_bytes(p);
}
constexpr int64_t pair_scratch_bytes(const ConvKernelParams& p) {
  return pair_panels(p) * pair_ring_bytes(p);
}

// Weights of a panel, for one place of the window.
constexpr int64_t pair_weights_bytes(int32_t kernel_h, int32_t kernel_w) {
  return int64_t{row_pairs(kernel_h)} * kernel_w * kPairColumn;
}

}  // namespace pj
