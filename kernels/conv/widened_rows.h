// Scratch of the kernels in kernels/conv/widened.h, as planner and kernel see it: for each pixel
// of a block the k's of its window as int16 in one run, and then one int32 a pixel.
//
// A block takes half of a small L1, so pixels with many k's would be few, and weights pass L1 once
// a block. Of pointwise convolutions with many channels it holds a chunk of these at a time; sums
// of all output channels wait in scratch meanwhile.
#pragma once

#include <cstdint>

#include "kernels/conv/conv.h"

namespace pj {

struct WidenedRows {
  int32_t k;         // of a window
  int32_t k_padded;  // with the zeros that packing adds
  int32_t chunk;     // k's at a time: k, or a multiple of kWindowUnit
  int64_t pitch;     // distance of two pixels, in elements: a multiple of 16, zeros from chunk on
  int32_t pixels;    // of a block
  int32_t out_channels;

  explicit WidenedRows(const ConvKernelParams& p)
      : k(p.kernel_h * p.kernel_w * p.in_channels),
        k_padded((k + kWindowUnit - 1) / kWindowUnit * kWindowUnit),
        chunk(k),
        out_channels(p.out_channels) {
    // Shorter ones gain nothing, and few pixels read their weights once anyway.
    constexpr int32_t kMostWhole = 448, kChunk = 192, kManyPixels = 16;
    const bool pointwise = p.kernel_h * p.kernel_w == 1;
    if (pointwise && k > kMostWhole && p.in_width >= kManyPixels) {
      const int32_t count = (k + kChunk - 1) / kChunk;
      chunk = ((k + count - 1) / count + kWindowUnit - 1) / kWindowUnit * kWindowUnit;
    }
    pitch = (int64_t{chunk} + 15) / 16 * 16;
    // Pixels at a multiple of 512 bytes would share few sets of the cache.
    if (pitch % 256 == 0) pitch += 16;
    constexpr int64_t kBytes = 16 << 10, kLeast = 12, kMost = 192, kRegisters = 6;
    const int64_t fit = kBytes / pixel_bytes() / kRegisters * kRegisters;
    pixels = static_cast<int32_t>(fit < kLeast ? kLeast : (fit > kMost ? kMost : fit));
  }
  int64_t pixel_bytes() const { return pitch * 2; }
  bool in_chunks() const { return chunk < k; }
  // Where the sums of a panel's channels begin, 16 for each pixel, and where those of the next do.
  int64_t sums_at() const { return (pixels * (pixel_bytes() + 4) + 63) / 64 * 64; }
  int64_t panel_sums_bytes() const { return int64_t{pixels} * 64; }
  int64_t total_bytes() const {
    return sums_at() + (in_chunks() ? (out_channels + 15) / 16 * panel_sums_bytes() : 0);
  }
};

}  // namespace pj
