// How kernels/conv/quads.h has pixels and weights in memory, as planner, packing and kernel see it.
//
// Pixels: for each of a block of them the k's of its window as unsigned bytes in one run, and then
// one int32 a pixel. A block takes half of a small L1: weights pass L1 once a block.
//
// Weights: panels of PackingId::kConvQuads. A quad is four k's of one pixel: two pairs, each the
// operand of a 16-bit sum of two products.
#pragma once

#include <cstdint>

#include "kernels/conv/conv.h"

namespace pj {

// Channels of a panel; k's that a shuffle chooses from, and whole numbers of which a pixel has.
inline constexpr int32_t kQuadChannels = 16, kQuadBlock = 16;
inline constexpr int64_t kQuadBytes = kQuadChannels * 4;

struct QuadPanel {
  // Quads of each kind, in the order of the lists.
  int32_t strong;     // two of them together fit 16 bits: an even number
  int32_t plain;      // neighbouring k's, whose pairs fit 16 bits
  int32_t shuffled;   // any four of kQuadBlock k's, whose pairs do
  int32_t wide;       // neighbouring k's: even ones, then odd ones, are widened to 16 bits
  int32_t corrected;  // weights still have their zero point
  int32_t limited;    // a scale is 1 or more
  int32_t unused[10];
  int32_t bias[kQuadChannels];
  float scale[kQuadChannels];
  // Then, aligned: kQuadBytes for each quad; where it is in a pixel, uint16, in units of four k's;
  // and where among kQuadBlock k's from there, a byte for each of its four.
};
inline constexpr int64_t kQuadBiasAt = 64;
static_assert(sizeof(QuadPanel) == kQuadBiasAt + 8 * kQuadChannels);

struct QuadLists {
  int64_t capacity;  // of quads

  // What shuffling cannot repair takes further quads, as far as there is room; all else is wide.
  explicit constexpr QuadLists(int64_t k) : capacity((k + 3) / 4) {
    const int64_t blocks = (k + kQuadBlock - 1) / kQuadBlock, room = 4 + blocks / 8;
    capacity += blocks < room ? blocks : room;
  }
  constexpr int64_t weights_at() const { return sizeof(QuadPanel); }
  constexpr int64_t positions_at() const { return weights_at() + capacity * kQuadBytes; }
  constexpr int64_t choices_at() const { return positions_at() + (capacity + 1) / 2 * 4; }
  constexpr int64_t panel_bytes() const { return (choices_at() + capacity * 4 + 63) / 64 * 64; }
};

struct QuadRows {
  int32_t k;       // of a window
  int64_t pitch;   // distance of two pixels: a multiple of kQuadBlock
  int32_t pixels;  // of a block

  explicit QuadRows(const ConvKernelParams& p)
      : k(p.kernel_h * p.kernel_w * p.in_channels),
        pitch((int64_t{k} + kQuadBlock - 1) / kQuadBlock * kQuadBlock) {
    // Pixels at a multiple of 512 bytes would share few sets of the cache.
    if (pitch % 512 == 0) pitch += kQuadBlock;
    constexpr int64_t kBytes = 16 << 10, kLeast = 12, kMost = 192, kRegisters = 6;
    const int64_t fit = kBytes / pitch / kRegisters * kRegisters;
    pixels = static_cast<int32_t>(fit < kLeast ? kLeast : (fit > kMost ? kMost : fit));
  }
  int64_t corrections_at() const { return pixels * pitch; }
  int64_t total_bytes() const { return corrections_at() + int64_t{pixels} * 4; }
};

}  // namespace pj
