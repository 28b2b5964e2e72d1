// What the parts of dot.h share: the constants of one call, and a panel of weights.
#pragma once

#include <cstring>

#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/kernel.h"
#if defined(__ARM_NEON)
#include "kernels/depthwise/dot_lanes_neon.h"
#else
#include "kernels/depthwise/dot_lanes.h"
#endif

namespace pj {
namespace {

// Constants of one call.
template <typename V>
struct DotTile {
  const Tile& t;
  const ConvKernelParams& p;
  typename V::Stage stage;
  uint8_t flip;  // makes inputs what products see: unsigned, or on ARM signed
  int32_t shifts, groups, steps, multiplier;
  int32_t taps;  // of a part: a group of rows and a column of the window each
  // Where the quads of each tap of each part are, from the place of an output pixel in the strips.
  int32_t* tap_offsets;
  std::byte* strips;

  // All strips of one group of rows follow each other, then those of the next.
  int64_t strip_bytes() const { return int64_t{steps} * kGroupRows * V::kBytes; }
  int64_t group_bytes() const { return strip_bytes() * p.stride_w; }
};

// Where 16 output channels come from if there is a multiplier. They need at most 8 input channels.
struct DotSource {
  int32_t start;  // first channel of a pixel that is loaded
  DotLane order;  // of the bytes loaded
};

// A panel of packed weights and where its channels are.
struct DotPanel {
  const std::byte* packed;
  int32_t channels;
  int64_t in_offset;  // bytes from the tile's first channel; 0 with a multiplier
  int64_t out_offset;
  // With a multiplier only: for each 16 channels, and how many bytes are loaded for them.
  const DotSource* sources = nullptr;
  int32_t source_bytes = 0;
};

// The panel that begins at channel c of a tile's `channels`, without a multiplier.
template <typename V>
PJ_INLINE DotPanel dot_panel(const std::byte* packed, int32_t c, int32_t channels) {
  const int32_t left = channels - c;
  return {packed, left < V::kChannels ? left : V::kChannels, c, c};
}

// Calls f(the number of pixels in a vector), a constant. Only the last panel of a tile is narrow.
template <typename V, typename F>
PJ_INLINE void for_width(int32_t channels, F&& f) {
  const int32_t pixels = V::kChannels / dot_width(V::kChannels, channels);
  if constexpr (V::kChannels >= 64)
    if (pixels == 4) f(std::integral_constant<int, 4>{});
  if constexpr (V::kChannels >= 32)
    if (pixels == 2) f(std::integral_constant<int, 2>{});
  if (pixels == 1) f(std::integral_constant<int, 1>{});
}

}  // namespace
}  // namespace pj
