// Scratch of the kernels in kernels/conv/widened.h, as planner and kernel see it: for each pixel
// of a block the k's of its window as int16 in one run, and then one int32 a pixel.
#pragma once

#include <cstdint>

#include "kernels/conv/conv.h"

namespace pj {

struct WidenedRows {
  int32_t k;         // of a window
  int32_t k_padded;  // with the zeros that packing adds
  int64_t pitch;     // distance of two pixels, in elements: a multiple of 16, zeros from k on
  int32_t pixels;    // of a block: half of the L1 cache of small cores

  explicit WidenedRows(const ConvKernelParams& p)
      : k(p.kernel_h * p.kernel_w * p.in_channels),
        k_padded((k + kWindowUnit - 1) / kWindowUnit * kWindowUnit),
        pitch((int64_t{k} + 15) / 16 * 16) {
    // Pixels at a multiple of 512 bytes would share few sets of the cache.
    if (pitch % 256 == 0) pitch += 16;
    constexpr int64_t kBytes = 16 << 10, kLeast = 12, kMost = 192, kRegisters = 6;
    const int64_t fit = kBytes / pixel_bytes() / kRegisters * kRegisters;
    pixels = static_cast<int32_t>(fit < kLeast ? kLeast : (fit > kMost ? kMost : fit));
  }
  int64_t pixel_bytes() const { return pitch * 2; }
  int64_t total_bytes() const { return pixels * (pixel_bytes() + 4); }
};

}  // namespace pj
