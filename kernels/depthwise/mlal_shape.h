// What planner and kernel agree on for kernels/depthwise/neon_mlal.h. Portable.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

inline constexpr int kMlalPixels = 4, kMlalChannels = 8;

// Columns of the input under a block of pixels.
constexpr int32_t mlal_columns(const ConvKernelParams& p) {
  return (kMlalPixels - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1;
}

// Scratch: copies of the windows of a block of pixels at the ends of a row.
constexpr int64_t mlal_scratch_bytes(const ConvKernelParams& p) {
  return int64_t{p.kernel_h} * mlal_columns(p) * kMlalChannels;
}

}  // namespace pj
