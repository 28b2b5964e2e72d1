// Blocks of integer convolutions without dot product instructions (ARMv8.0): mr pixels times 8
// output channels in registers.
//
//   x  pairs of k's   0 1 2 3 | 4 5 6 7     a register: 8 + 8 bytes; and turned by 1, 2 and 3 pairs
//   w  channel        0 1 2 3 | 0 1 2 3     what belongs there: channel j meets the pairs j + turn
//
//   p    = smull (x, w)     4 channels, 2 products of 16 bits each
//   p   += smlal2(x, w)     2 more: two fit 16 bits, unless both are (-128)^2
//   acc += pairs of p       sadalp, a sum of 32 bits for each channel
//
// Four turns have every channel meet every k, so that no lanes are left to be added up at the end.
// 16 products for three instructions, where a product of 16 bits by lane needs four; three turns
// of x serve all 8 channels.
//
// Schedule, for each pixel and 16 k's: 24 multiplications and additions in two groups of 12, of
// which each instruction waits for the one four before it. Cortex-A53, in order: one a cycle, with
// 3 turns and 2 cycles for the load of x that makes 29, and 16 more for the weights of all 8
// pixels: 4.1 products a cycle of the 5.3 that the multiplications alone allow. Cortex-A72: smull
// and smlal2 go to one pipe, and its limit of 8 products a cycle remains; sadalp and turns fit the
// other. One order serves both.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/neon.h"

namespace pj {
namespace {

template <typename X>
struct NeonMull {
  using Result = X;
  static constexpr bool kLine = false;
  using Seen = int8_t;
  static constexpr int32_t kPanel = 8, kUnit = kMullUnit;
  static constexpr uint8_t kFlip = std::is_signed_v<X> ? 0 : 0x80;

  PJ_INLINE static int32x4_t add_bytes(int32x4_t acc, uint8x16_t x) {
    return vpadalq_s16(acc, vpaddlq_s8(vreinterpretq_s8_u8(x)));
  }
  PJ_INLINE static int8x16_t load(const uint8_t* p) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(kFlip)));
  }
  // 8 bytes, twice.
  PJ_INLINE static int8x16_t load_half(const uint8_t* p) {
    const uint8x8_t x = veor_u8(vld1_u8(p), vdup_n_u8(kFlip));
    return vreinterpretq_s8_u8(vcombine_u8(x, x));
  }
  static BlockSizes<NeonBlocksFn> sizes(PanelFlags flags, int32_t channels);
};

// The instructions of a step, which stay in the order in which they are written. Not the
// intrinsics: gcc 12 schedules them as if there were always others to fill the gaps, which on
// Cortex-A53 costs 40 %.
template <int turn>
PJ_INLINE int8x16_t turned(int8x16_t x) {
  int8x16_t y;
  asm volatile("ext %0.16b, %1.16b, %1.16b, %2" : "=w"(y) : "w"(x), "n"(2 * turn));
  return y;
}
PJ_INLINE int16x8_t products(int8x16_t w, int8x16_t x) {
  int16x8_t p;
  asm volatile("smull %0.8h, %1.8b, %2.8b" : "=w"(p) : "w"(w), "w"(x));
  return p;
}
PJ_INLINE int16x8_t high_products(int8x16_t w, int8x16_t x) {
  int16x8_t p;
  asm volatile("smull2 %0.8h, %1.16b, %2.16b" : "=w"(p) : "w"(w), "w"(x));
  return p;
}
PJ_INLINE void add_products(int16x8_t& p, int8x16_t w, int8x16_t x) {
  asm volatile("smlal2 %0.8h, %1.16b, %2.16b" : "+w"(p) : "w"(w), "w"(x));
}
PJ_INLINE void add_pairs(int32x4_t& acc, int16x8_t p) {
  asm volatile("sadalp %0.4s, %1.8h" : "+w"(acc) : "w"(p));
}

// 16 k's of a pixel, two turns of them: x[0] and x[1] meet four registers of weights.
template <bool paired>
PJ_INLINE void mull_turns(int8x16_t x0, int8x16_t x1, const int8x16_t* w, int32x4_t (&acc)[2]) {
  int16x8_t p[4];
  auto x = [&](int i) PJ_INLINE_LAMBDA { return i < 2 ? x0 : x1; };
  unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { p[i] = products(w[i], x(i)); });
  if constexpr (paired) {
    unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { add_products(p[i], w[i], x(i)); });
  } else {
    unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { add_pairs(acc[i % 2], p[i]); });
    unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { p[i] = high_products(w[i], x(i)); });
  }
  unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { add_pairs(acc[i % 2], p[i]); });
}

// The next 16 k's of all operands.
template <typename X, bool paired, int mr>
PJ_INLINE void mull_step(const uint8_t* (&x)[mr], const uint8_t*& w, int32x4_t (&acc)[mr][2]) {
  int8x16_t weights[8];
  unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
    weights[v] = vld1q_s8(reinterpret_cast<const int8_t*>(w) + 16 * v);
  });
  w += 128;
  int8x16_t next = NeonMull<X>::load(x[0]);
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int8x16_t xs = next;
    mull_turns<paired>(xs, turned<1>(xs), weights, acc[i]);
    const int8x16_t x2 = turned<2>(xs), x3 = turned<3>(xs);
    if constexpr (i + 1 < mr) next = NeonMull<X>::load(x[i + 1]);
    mull_turns<paired>(x2, x3, weights + 4, acc[i]);
    x[i] += 16;
  });
}

// The last 8 k's of a segment, which are turned among themselves.
template <typename X, int mr>
PJ_INLINE void mull_half(const uint8_t* (&x)[mr], const uint8_t*& w, int32x4_t (&acc)[mr][2]) {
  int8x16_t weights[8];
  unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
    const int8x8_t eight = vld1_s8(reinterpret_cast<const int8_t*>(w) + 8 * v);
    weights[v] = vcombine_s8(eight, vdup_n_s8(0));
  });
  w += 128;
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int8x16_t xs = NeonMull<X>::load_half(x[i]);
    x[i] += 8;
    const int8x16_t turns[] = {xs, turned<1>(xs), turned<2>(xs), turned<3>(xs)};
    unrolled<2>([&](auto h) PJ_INLINE_LAMBDA {
      int16x8_t p[4];
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA {
        p[v] = products(weights[4 * h + v], turns[2 * h + v / 2]);
      });
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { add_pairs(acc[i][v % 2], p[v]); });
    });
  });
}

template <typename X, bool paired, int mr>
PJ_INLINE void mull_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                           const uint8_t* w, int32x4_t (&acc)[mr][2]) {
  const int32_t rest = t.segment_bytes % 16;
  const int32_t steps = t.segment_bytes / 16 + (rest > 8 ? 1 : 0);
  const bool half = rest > 0 && rest <= 8;
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[mr];
      for (int i = 0; i < mr; ++i) x[i] = segment + i * t.pixel_step;
      for (int32_t left = steps; left > 0; --left) mull_step<X, paired, mr>(x, w, acc);
      if (half) mull_half<X, mr>(x, w, acc);
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <typename X, bool paired, int mr>
[[gnu::noinline]] void mull_blocks(const NeonTile& t, const SegmentRow& r, int32_t col,
                                   int32_t count) {
  constexpr int kPairs = (mr + 1) / 2;  // of pixels, whose results fill a register
  const NeonStage<X> stage(t.stage);
  const bool calm = flags_of(r.panel).calm != 0;
  const bool plain = calm && r.channels == NeonMull<X>::kPanel;
  const auto* bias = reinterpret_cast<const int32_t*>(r.panel + kPanelFlagBytes);
  const auto* scales = reinterpret_cast<const float*>(bias + 8);
  const auto* weights = reinterpret_cast<const uint8_t*>(scales + 8);
  const float32x4_t scale[4] = {vld1q_f32(scales), vld1q_f32(scales + 4), vld1q_f32(scales),
                                vld1q_f32(scales + 4)};
  const int64_t out_step = t.out_step;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * out_step;
  const int32_t* corrections = r.corrections == nullptr ? nullptr : r.corrections + col;
  for (; count > 0; --count, x_offset += mr * t.pixel_step) {
    int32x4_t acc[mr][2];
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      acc[i][0] = vld1q_s32(bias);
      acc[i][1] = vld1q_s32(bias + 4);
    });
    if (corrections != nullptr) {
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        const int32x4_t c = vdupq_n_s32(corrections[i]);
        acc[i][0] = vaddq_s32(acc[i][0], c);
        acc[i][1] = vaddq_s32(acc[i][1], c);
      });
      corrections += mr;
    }
    mull_window<X, paired, mr>(t, r, x_offset, weights, acc);
    auto sum = [&](int i) PJ_INLINE_LAMBDA { return acc[i / 2 < mr ? i / 2 : mr - 1][i % 2]; };
    if (plain) {
      int32x4_t calm_sums[kPairs * 4];  // in registers
      unrolled<kPairs * 4>([&](auto i) PJ_INLINE_LAMBDA { calm_sums[i] = sum(i); });
      uint8x16_t bytes[kPairs];
      if (t.simple) {
        stage.template calm_bytes<true, kPairs>(calm_sums, scale, bytes);
      } else {
        stage.template calm_bytes<false, kPairs>(calm_sums, scale, bytes);
      }
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        vst1q_lane_u64(reinterpret_cast<uint64_t*>(out), vreinterpretq_u64_u8(bytes[i / 2]), i % 2);
        out += out_step;
      });
    } else {
      int32x4_t sums[kPairs * 4];  // in memory
      unrolled<kPairs * 4>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = sum(i); });
      for (int i = 0; i < mr; i += 2) {
        const uint8x16_t bytes = stage.any_bytes(sums + 2 * i, scale, calm);
        store_eight(out, bytes, r.channels);
        if (i + 1 < mr) store_eight(out + out_step, vextq_u8(bytes, bytes, 8), r.channels);
        out += (i + 1 < mr ? 2 : 1) * out_step;
      }
    }
  }
}

template <typename X>
BlockSizes<NeonBlocksFn> NeonMull<X>::sizes(PanelFlags flags, int32_t) {
  static constexpr BlockSize<NeonBlocksFn> kSizes[] = {{8, mull_blocks<X, true, 8>},
                                                       {6, mull_blocks<X, true, 6>},
                                                       {4, mull_blocks<X, true, 4>},
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
  static_assert(nr == NeonMull<X>::kPanel && mr == 8);
  run_neon_tile<NeonMull<X>>(t);
}

}  // namespace
}  // namespace pj
