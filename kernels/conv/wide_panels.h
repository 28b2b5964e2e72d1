// What planner and kernels agree on where panels of f16 weights are widened for a tile, by kernels
// whose loads do not widen for nothing: NEON's (kernels/conv/float.h). Portable.
#pragma once

#include "kernels/conv/conv.h"

namespace pj {

// Panels that are widened at a time, at most.
inline constexpr int32_t kWidePanels = 4;

// Bytes of a panel of nr channels: bias, then weights, as floats.
constexpr int64_t wide_panel_bytes(int64_t k, int32_t nr) { return (k + 1) * nr * 4; }

// They are at the beginning of the scratch.
constexpr int64_t wide_scratch_bytes(const ConvKernelParams& p, int32_t nr) {
  const int64_t k = int64_t{p.kernel_h} * p.kernel_w * p.in_channels;
  return (kWidePanels * wide_panel_bytes(k, nr) + 63) / 64 * 64;
}

}  // namespace pj
