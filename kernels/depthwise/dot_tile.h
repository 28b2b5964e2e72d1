// What the parts of dot.h share: the constants of one call, and a panel of weights.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/dot_lanes.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// Constants of one call.
template <typename V>
struct DotTile {
  const Tile& t;
  const ConvKernelParams& p;
  DotStage stage;
  uint8_t flip;  // makes inputs unsigned
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
  __m128i order;  // of the bytes loaded
};

// A panel of packed weights and where its channels are.
struct DotPanel {
  const std::byte* packed;
  int32_t channels;
  int64_t in_offset;  // bytes from the tile's first channel; 0 with a multiplier
  int64_t out_offset;
  // With a multiplier only: for each 16 channels, and how many bytes are loaded for them.
  const DotSource* sources;
  int32_t source_bytes;
};

}  // namespace
}  // namespace pj
