// Blocks whose sums become bytes while the next block's are made. Products and conversions keep
// different units of the CPU busy, but the conversions of a whole block are more than the CPU looks
// ahead; so half as many sums are in work while the other half, of the block before, is converted:
//
//   quad 0 of block n | group 0 of block n - 1 | quad 1 | group 1 | quad 2 | group 2 | other quads
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/vnni_block.h"

namespace pj {
namespace {

// Pixels of a block: three groups of four registers.
constexpr int overlap_pixels(int panels) { return 12 / (panels * Vnni::kPanelVectors); }
constexpr int kOverlapGroups = 3;

template <int panels, bool flips>
struct OverlapBlock {
  static constexpr int kPixels = overlap_pixels(panels);
  Accumulators<kPixels, panels * Vnni::kPanelVectors> acc;

  // The products of the block at `segment`; between them, the block before is converted.
  template <typename Between>
  PJ_INLINE void multiply(const VnniTile& t, const VnniRow& r, const uint8_t* segment,
                          const int32_t* corrections, Between between) {
    const auto flip = [&] {
      if constexpr (flips) return Vnni::set32(t.in_flip);
      if constexpr (!flips) return NoFlip();
    }();
    Lanes<kPixels> x(segment, t.pixel_step);
    // Weights that stayed in registers from block to block would drive sums out of these.
    const uint8_t* panel = r.panel;
    forget(panel);
    Lanes<panels> w(panel + 128, t.panel_bytes);
    begin_sums<kPixels, panels>(t, r, corrections, acc);
    unrolled<kOverlapGroups>([&](auto group) __attribute__((always_inline)) {
      accumulate_quad<kPixels, panels>(x, w, group, flip, acc);
      between(group);
    });
    for (int32_t q = t.quads - kOverlapGroups; q > 0; --q) {
      x.advance(4);
      w.advance(64);
      accumulate_quad<kPixels, panels>(x, w, kOverlapGroups - 1, flip, acc);
    }
  }
};

// Blocks for all `cols` pixels of a row, more than a block of them; the last one overlaps the one
// before it. For results that need no limits, in tiles whose window is one segment of at least
// kOverlapGroups quads. Of two panels, part of the channels may be written; more are not worth it.
template <int panels, bool flips>
[[gnu::noinline]] void vnni_overlapped_blocks(const VnniTile& t, const VnniRow& r, int32_t,
                                              int32_t cols) {
  using Block = OverlapBlock<panels, flips>;
  constexpr bool whole = panels != 2;
  int32_t left = (cols + Block::kPixels - 1) / Block::kPixels - 1;  // blocks
  const int64_t back = (left + 1) * Block::kPixels - cols;          // pixels, of the last block
  const uint8_t* x = r.rows[0];
  uint8_t* out = r.out;
  const int32_t* corrections = r.corrections;
  Block blocks[2];
  blocks[0].multiply(t, r, x, corrections, [](auto) {});
  // Two turns at a time: what is a block's number for the compiler stays in registers.
  auto next = [&](Block & now, Block & before) __attribute__((always_inline)) {
    x += Block::kPixels * t.pixel_step;
    if (corrections != nullptr) corrections += Block::kPixels;
    if (--left == 0) {
      x -= back * t.pixel_step;
      if (corrections != nullptr) corrections -= back;
    }
    now.multiply(
        t, r, x, corrections, [&](auto group) __attribute__((always_inline)) {
          requantize_group<group, Block::kPixels, panels, whole>(
              t, r, VnniStage<panels * Vnni::kPanelVectors>(t, r), out, before.acc);
          out += Block::kPixels / kOverlapGroups * t.out_step;
        });
    if (left == 0) out -= back * t.out_step;
  };
  do {
    next(blocks[1], blocks[0]);
    if (left == 0) {
      blocks[0] = blocks[1];
      break;
    }
    next(blocks[0], blocks[1]);
  } while (left > 0);
  requantize_block<Block::kPixels, panels, whole>(t, r, out, blocks[0].acc);
}

}  // namespace
}  // namespace pj
