// Blocks of integer convolutions on the matrix instructions: mr pixels times 16 output channels in
// registers.
//
//   x: 8 k's of pixel 0 and of pixel 1        w[k/8][16][8]: 8 k's of channel c and of channel c +
//   1 smmla adds all four dot products to       [p0 c, p0 c+1, p1 c, p1 c+1]
//
// Three pairs of pixels are 24 accumulators, 3 registers of inputs and the rest for weights. 8 k's
// cost 3 loads, 3 loads of upper halves and 8 of weights for 24 smmla of 32 products, which a core
// with two vector pipes does in 12 cycles; upper halves take 1.5 more.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/neon_dot.h"

namespace pj {
namespace {

template <typename X>
struct NeonMmla : NeonDot<X> {
  static constexpr int32_t kUnit = kMullUnit;

  // Assembly for the reason given in neon_dot.h.
  PJ_INLINE static void multiply(int32x4_t& acc, uint8x16_t x, uint8x16_t w) {
    if constexpr (std::is_signed_v<X>) {
      asm("smmla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(w));
    } else {
      asm("ummla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(w));
    }
  }
  static constexpr bool kLine = false;
  static BlockSizes<NeonBlocksFn> sizes(PanelFlags, int32_t channels);
};

// The products of `mr` pixels; the last pair of an odd number has one pixel twice.
template <typename X, int mr, int pairs>
PJ_INLINE void mmla_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                           const uint8_t* w, int32x4_t (&acc)[pairs][8]) {
  const uint8_t* const* row = r.rows;
  const int32_t steps = (t.segment_bytes + 7) / 8;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[mr];
      for (int i = 0; i < mr; ++i) x[i] = segment + i * t.pixel_step;
      for (int32_t left = steps; left > 0; --left, w += 128) {
        uint8x16_t xs[pairs];
        unrolled<pairs>([&](auto i) PJ_INLINE_LAMBDA {
          const auto* second = reinterpret_cast<const uint64_t*>(x[2 * i + 1 < mr ? 2 * i + 1 : 0]);
          const uint64x2_t low = vreinterpretq_u64_u8(load_first<8>(x[2 * i]));
          xs[i] = vreinterpretq_u8_u64(vld1q_lane_u64(second, low, 1));
        });
        for (int i = 0; i < mr; ++i) x[i] += 8;
        unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
          const uint8x16_t weights = vld1q_u8(w + 16 * v);
          unrolled<pairs>(
              [&](auto i) PJ_INLINE_LAMBDA { NeonMmla<X>::multiply(acc[i][v], xs[i], weights); });
        });
      }
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <typename X, int mr>
[[gnu::noinline]] void mmla_blocks(const NeonTile& t, const SegmentRow& r, int32_t col,
                                   int32_t count) {
  constexpr int kPairs = (mr + 1) / 2;
  const bool plain = plain_panel(r, NeonMmla<X>::kPanel);
  const auto* bias = reinterpret_cast<const int64_t*>(r.panel + kPanelFlagBytes);
  const uint8_t* const weights = r.panel + kPanelFlagBytes + 128;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const int32_t* corrections = r.corrections == nullptr ? nullptr : r.corrections + col;
  for (; count > 0; --count) {
    int32x4_t acc[kPairs][8];
    unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
      const int32x4_t b = vreinterpretq_s32_s64(vld1q_dup_s64(bias + v));
      unrolled<kPairs>([&](auto i) PJ_INLINE_LAMBDA { acc[i][v] = b; });
    });
    mmla_window<X, mr>(t, r, x_offset, weights, acc);
    // From pairs of pixels and channels to pixels.
    int32x4_t sums[mr][4];
    unrolled<mr * 4>([&](auto n) PJ_INLINE_LAMBDA {
      constexpr int kPixel = n / 4, kVector = n % 4;
      const auto a = vreinterpretq_s64_s32(acc[kPixel / 2][2 * kVector]);
      const auto b = vreinterpretq_s64_s32(acc[kPixel / 2][2 * kVector + 1]);
      sums[kPixel][kVector] =
          vreinterpretq_s32_s64(kPixel % 2 == 0 ? vzip1q_s64(a, b) : vzip2q_s64(a, b));
    });
    if (corrections != nullptr) {
      add_corrections(corrections, sums);
      corrections += mr;
    }
    finish_pixels<X>(t, r, plain, out, sums);
    x_offset += mr * t.pixel_step;
    out += mr * t.out_step;
  }
}

template <typename X>
BlockSizes<NeonBlocksFn> NeonMmla<X>::sizes(PanelFlags, int32_t) {
  static constexpr BlockSize<NeonBlocksFn> kSizes[] = {{6, mmla_blocks<X, 6>},
                                                       {4, mmla_blocks<X, 4>},
                                                       {2, mmla_blocks<X, 2>},
                                                       {1, mmla_blocks<X, 1>}};
  return {kSizes, 4};
}

template <typename X, typename W, int mr, int nr>
void run_mmla_conv(const Tile& t) {
  static_assert(nr == NeonMmla<X>::kPanel && mr == 6);
  run_neon_tile<NeonMmla<X>>(t);
}

}  // namespace
}  // namespace pj
