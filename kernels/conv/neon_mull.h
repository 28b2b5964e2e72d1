// Blocks of integer convolutions without dot product instructions (ARMv8.0): mr pixels times 4
// output channels in registers.
//
//   x0 16 bytes                w[k/16][channel][16]     a panel of 4 channels
//
//   p  = smull (x0[0..8),  w[c][0..8))      8 products of 16 bits
//   p += smlal2(x0[8..16), w[c][8..16))     8 more: two fit 16 bits, unless both are (-128)^2
//   acc[0][c] += pairs of p                 sadalp, 4 sums of 32 bits
//
// 16 products for three instructions, where a product of 16 bits by lane needs four. The lanes of
// acc are added up at the end, for 4 pixels and channels together.
//
// Schedule. Cortex-A53, in order: each of the three waits 4 cycles for the one before, so the four
// channels' chains advance side by side and no cycle is lost; a 128-bit NEON instruction a cycle,
// and no load beside it: 12 * mr cycles for 4 * mr * 16 products, and two for each of the mr + 4
// loads. Weights stay for all pixels, each input for four chains. Cortex-A72: smull and smlal2 go
// to one pipe, sadalp to the other, so that 8 products a cycle, the multiplier's limit, remain as
// long as no more than 3 instructions a cycle are needed: (3 * 4 * mr + mr + 4 + 3) / (8 * mr) < 2.
// One order serves both.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/neon.h"

namespace pj {
namespace {

template <typename X>
struct NeonMull {
  using Seen = int8_t;
  static constexpr int32_t kPanel = 4, kUnit = kMullUnit;
  static constexpr uint8_t kFlip = std::is_signed_v<X> ? 0 : 0x80;

  PJ_INLINE static int32x4_t add_bytes(int32x4_t acc, uint8x16_t x) {
    return vpadalq_s16(acc, vpaddlq_s8(vreinterpretq_s8_u8(x)));
  }
  PJ_INLINE static int8x16_t load(const uint8_t* p) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(kFlip)));
  }
  PJ_INLINE static int8x16_t load_half(const uint8_t* p) {
    const uint8x8_t x = veor_u8(vld1_u8(p), vdup_n_u8(kFlip));
    return vreinterpretq_s8_u8(vcombine_u8(x, vdup_n_u8(0)));
  }
  static BlockSizes<NeonBlocksFn> sizes(PanelFlags flags);
};

// What 16 k's, or 8 of them, add to the sums of a pixel; `first`: what they are.
template <bool paired, bool half, bool first>
PJ_INLINE void mull_pixel(int8x16_t x, const int8x16_t (&w)[4], int32x4_t (&acc)[4]) {
  int16x8_t p[4];
  unrolled<4>([&](auto c) PJ_INLINE_LAMBDA { p[c] = vmull_s8(vget_low_s8(w[c]), vget_low_s8(x)); });
  if constexpr (paired && !half) {
    unrolled<4>([&](auto c) PJ_INLINE_LAMBDA { p[c] = vmlal_high_s8(p[c], w[c], x); });
  }
  unrolled<4>([&](auto c) PJ_INLINE_LAMBDA {
    acc[c] = first ? vpaddlq_s16(p[c]) : vpadalq_s16(acc[c], p[c]);
  });
  if constexpr (!paired && !half) {
    unrolled<4>([&](auto c)
                    PJ_INLINE_LAMBDA { acc[c] = vpadalq_s16(acc[c], vmull_high_s8(w[c], x)); });
  }
}

// The next 16 k's of all operands, or half as many, for which weights are padded.
template <typename X, bool paired, bool half, bool first, int mr>
PJ_INLINE void mull_step(const uint8_t* (&x)[mr], const uint8_t*& w, int32x4_t (&acc)[mr][4]) {
  int8x16_t weights[4];
  unrolled<4>([&](auto c) PJ_INLINE_LAMBDA {
    weights[c] = vld1q_s8(reinterpret_cast<const int8_t*>(w) + 16 * c);
  });
  w += 64;
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int8x16_t xs = half ? NeonMull<X>::load_half(x[i]) : NeonMull<X>::load(x[i]);
    x[i] += 16;
    mull_pixel<paired, half, first>(xs, weights, acc[i]);
  });
}

template <typename X, bool paired, int mr>
PJ_INLINE void mull_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                           const uint8_t* w, int32x4_t (&acc)[mr][4]) {
  const int32_t rest = t.segment_bytes % 16;
  const int32_t steps = t.segment_bytes / 16 + (rest > 8 ? 1 : 0);
  const bool half = rest > 0 && rest <= 8;
  const uint8_t* const* row = r.rows;
  bool begun = false;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[mr];
      for (int i = 0; i < mr; ++i) x[i] = segment + i * t.pixel_step;
      int32_t left = steps;
      if (!begun) {
        begun = true;
        if (left > 0) {
          --left;
          mull_step<X, paired, false, true>(x, w, acc);
        } else {
          for (int i = 0; i < mr; ++i)
            for (int c = 0; c < 4; ++c) acc[i][c] = vdupq_n_s32(0);
        }
      }
      for (; left > 0; --left) mull_step<X, paired, false, false>(x, w, acc);
      if (half) mull_step<X, paired, true, false>(x, w, acc);
    }
  }
}

// Stores the first `channels` bytes of each 4 for pixels that follow each other.
template <int mr>
PJ_INLINE void store_pixels(uint8_t* out, int64_t step, uint8x16_t bytes, int32_t channels) {
  const uint32x4_t pixels = vreinterpretq_u32_u8(bytes);
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    if (channels == 4) {
      vst1q_lane_u32(reinterpret_cast<uint32_t*>(out), pixels, i);
    } else {
      const uint32_t four = vgetq_lane_u32(pixels, i);
      for (int32_t c = 0; c < channels; ++c) out[c] = static_cast<uint8_t>(four >> 8 * c);
    }
    out += step;
  });
}

// `count` blocks that follow each other, from pixel `col` of the row. Results of fewer than four
// pixels fill a register with repetitions. Eight pixels are twice four, of which the sums are
// turned into results together: for each alone that is a chain that a core in order waits for.
template <typename X, bool paired, int mr>
[[gnu::noinline]] void mull_blocks(const NeonTile& t, const SegmentRow& r, int32_t col,
                                   int32_t count) {
  const NeonStage<X> stage(t.stage);
  const bool calm = flags_of(r.panel).calm != 0;
  const bool plain = calm && r.channels == 4;
  const uint8_t* const header = r.panel + kPanelFlagBytes;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const int32_t* corrections = r.corrections == nullptr ? nullptr : r.corrections + col;
  constexpr int kWindows = mr < 4 ? mr : 4, kGroups = (mr + 3) / 4;
  for (; count > 0; --count) {
    const int32x4_t bias = vld1q_s32(reinterpret_cast<const int32_t*>(header));
    int32x4_t sums[kGroups * 4];
#pragma GCC unroll 1
    for (int group = 0; group < kGroups; ++group) {
      int32x4_t acc[kWindows][4];
      mull_window<X, paired, kWindows>(t, r, x_offset, header + 32, acc);
      unrolled<4>([&](auto i) PJ_INLINE_LAMBDA {
        const auto& a = acc[i < kWindows ? i : kWindows - 1];
        const int32x4_t sum = vpaddq_s32(vpaddq_s32(a[0], a[1]), vpaddq_s32(a[2], a[3]));
        sums[4 * group + i] = vaddq_s32(sum, bias);
      });
      x_offset += kWindows * t.pixel_step;
    }
    if (corrections != nullptr) {
      unrolled<kGroups * 4>([&](auto i) PJ_INLINE_LAMBDA {
        sums[i] = vaddq_s32(sums[i], vdupq_n_s32(corrections[i < mr ? i : mr - 1]));
      });
      corrections += mr;
    }
    const float32x4_t channels = vld1q_f32(reinterpret_cast<const float*>(header + 16));
    const float32x4_t scale[4] = {channels, channels, channels, channels};
    if (plain) {
      unrolled<kGroups>([&](auto g) PJ_INLINE_LAMBDA {
        const uint8x16_t bytes = stage.template bytes<true>(sums + 4 * g, scale);
        store_pixels<kWindows>(out, t.out_step, bytes, 4);
        out += kWindows * t.out_step;
      });
    } else {
      for (int g = 0; g < kGroups; ++g, out += kWindows * t.out_step) {
        const uint8x16_t bytes = stage.any_bytes(sums + 4 * g, scale, calm ? kCalmBits : 0);
        store_pixels<kWindows>(out, t.out_step, bytes, r.channels);
      }
    }
  }
}

template <typename X>
BlockSizes<NeonBlocksFn> NeonMull<X>::sizes(PanelFlags flags) {
  static constexpr BlockSize<NeonBlocksFn> kSizes[] = {{8, mull_blocks<X, true, 8>},
                                                       {4, mull_blocks<X, true, 4>},
                                                       {3, mull_blocks<X, true, 3>},
                                                       {2, mull_blocks<X, true, 2>},
                                                       {1, mull_blocks<X, true, 1>}};
  // Rare, so few of them.
  static constexpr BlockSize<NeonBlocksFn> kUnpaired[] = {{2, mull_blocks<X, false, 2>},
                                                          {1, mull_blocks<X, false, 1>}};
  if (flags.paired == 0) return {kUnpaired, 2};
  return {kSizes, 5};
}

template <typename X, typename W, int mr, int nr>
void run_mull_conv(const Tile& t) {
  static_assert(nr == NeonMull<X>::kPanel && mr == 4);
  run_neon_tile<NeonMull<X>>(t);
}

}  // namespace
}  // namespace pj
