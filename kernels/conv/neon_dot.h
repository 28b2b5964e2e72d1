// Blocks of integer convolutions on the dot product instructions: mr pixels times 16 output
// channels in registers.
//
//                w[quad][16][4]    a panel; a register is a quad of 4 channels
//   x0 16 bytes -> acc0[16]        four quads; each of them is one lane of sdot or udot, which adds
//   x1 16 bytes -> acc1[16]        the 4 products of each channel
//   ...
//
// Four quads cost mr + 16 loads for 16 * mr dot products: with two loads and two dot products a
// cycle (Cortex-A76) loads are never the limit, and mr accumulators a channel hide the latency
// (4 cycles on Cortex-A55) from mr = 1 on. 24 accumulators, 6 inputs and two registers of weights
// are all 32. Of panels with at most 8 channels half of the registers of weights are left out, and
// 8 pixels have 16 accumulators.
//
// Unsigned models multiply unsigned by unsigned, so nothing is flipped.
#pragma once

#include <type_traits>

#include "kernels/conv/neon.h"

namespace pj {
namespace {

template <typename X>
struct NeonDot {
  using Result = X;
  using Seen = X;
  static constexpr int32_t kPanel = 16, kUnit = kQuadUnit;
  static constexpr uint8_t kFlip = 0;

  // Adds the four products of each lane of w and lane `lane` of x. Not the intrinsic: gcc 12 copies
  // accumulators from register to register, and through memory where there are many.
  template <int lane>
  PJ_INLINE static void dot(int32x4_t& acc, uint8x16_t w, uint8x16_t x) {
    if constexpr (std::is_signed_v<X>) {
      asm("sdot %0.4s, %1.16b, %2.4b[%3]" : "+w"(acc) : "w"(w), "w"(x), "n"(lane));
    } else {
      asm("udot %0.4s, %1.16b, %2.4b[%3]" : "+w"(acc) : "w"(w), "w"(x), "n"(lane));
    }
  }
  PJ_INLINE static int32x4_t add_bytes(int32x4_t acc, uint8x16_t x) {
    if constexpr (std::is_signed_v<X>) {
      return vdotq_s32(acc, vdupq_n_s8(1), vreinterpretq_s8_u8(x));
    } else {
      return vreinterpretq_s32_u32(vdotq_u32(vreinterpretq_u32_s32(acc), vdupq_n_u8(1), x));
    }
  }
  static BlockSizes<NeonBlocksFn> sizes(PanelFlags, int32_t channels);
  static constexpr bool kLine = true;
  static void line(const NeonTile& t, SegmentRow r, int32_t channels);
};

struct FourBytes {
  uint8_t of[4];
};

// The first `bytes` bytes of a register.
template <int bytes>
PJ_INLINE uint8x16_t load_first(const uint8_t* p) {
  if constexpr (bytes == 16) {
    return vld1q_u8(p);
  } else if constexpr (bytes == 12) {
    uint8x16_t x = load_first<8>(p);
    asm("ld1 {%0.s}[2], %1" : "+w"(x) : "Q"(*reinterpret_cast<const FourBytes*>(p + 8)));
    return x;
  } else if constexpr (bytes == 8) {
    return vcombine_u8(vld1_u8(p), vdup_n_u8(0));
  } else {
    // Without merging into another register.
    uint8x16_t x;
    asm("ldr %s0, %1" : "=w"(x) : "m"(*reinterpret_cast<const FourBytes*>(p)));
    return x;
  }
}

// The next `quads` quads, of 4 * vectors channels.
template <typename X, int quads, int mr, int vectors>
PJ_INLINE void dot_quads(const uint8_t* (&x)[mr], const uint8_t*& w,
                         int32x4_t (&acc)[mr][vectors]) {
  uint8x16_t xs[mr];
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    xs[i] = load_first<4 * quads>(x[i]);
    x[i] += 4 * quads;
  });
  unrolled<quads>([&](auto q) PJ_INLINE_LAMBDA {
    unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
      const uint8x16_t weights = vld1q_u8(w + q * 64 + v * 16);
      unrolled<mr>(
          [&](auto i) PJ_INLINE_LAMBDA { NeonDot<X>::template dot<q>(acc[i][v], weights, xs[i]); });
    });
  });
  w += quads * 64;
}

// A window of any segments.
template <typename X, int mr, int vectors>
PJ_INLINE void dot_segments(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                            const uint8_t* w, int32x4_t (&acc)[mr][vectors]) {
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[mr];
      for (int i = 0; i < mr; ++i) x[i] = segment + i * t.pixel_step;
      int32_t q = t.quads;
      for (; q >= 4; q -= 4) dot_quads<X, 4>(x, w, acc);
      if ((q & 2) != 0) dot_quads<X, 2>(x, w, acc);
      if ((q & 1) != 0) dot_quads<X, 1>(x, w, acc);
    }
  }
}

// A window whose rows are one segment of `quads` quads: first layers, where what the loops above do
// for each row would take longer than the products.
template <typename X, int quads, int mr, int vectors>
PJ_INLINE void dot_short_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                                const uint8_t* w, int32x4_t (&acc)[mr][vectors]) {
  const uint8_t* const* row = r.rows;
  const int64_t pixel_step = t.pixel_step, row_step = t.row_step;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += row_step) {
    const uint8_t* x[mr];
    x[0] = *row + x_offset;
    for (int i = 1; i < mr; ++i) x[i] = x[i - 1] + pixel_step;
    dot_quads<X, quads>(x, w, acc);
  }
}

template <typename X, int mr, int vectors>
PJ_INLINE void dot_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                          const uint8_t* w, int32x4_t (&acc)[mr][vectors]) {
  if (t.segments > 1 || t.quads > 3) return dot_segments<X>(t, r, x_offset, w, acc);
  if (t.quads == 1) return dot_short_window<X, 1>(t, r, x_offset, w, acc);
  if (t.quads == 2) return dot_short_window<X, 2>(t, r, x_offset, w, acc);
  dot_short_window<X, 3>(t, r, x_offset, w, acc);
}

struct DotScales {
  float32x4_t of[4];

  PJ_INLINE explicit DotScales(const uint8_t* panel) {
    const auto* from = reinterpret_cast<const float*>(panel + kPanelFlagBytes + 64);
    unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { of[v] = vld1q_f32(from + 4 * v); });
  }
};

// Turns the sums of `mr` pixels into results, all channels of them. Nothing branches here: pixels
// then overlap in the CPU, where each alone is a long chain.
template <typename X, bool simple, int mr>
PJ_INLINE void finish_calm(const NeonTile& t, const SegmentRow& r, uint8_t* out,
                           const int32x4_t (&acc)[mr][4]) {
  const NeonStage<X> stage(t.stage);
  const DotScales scale(r.panel);
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    vst1q_u8(out, stage.template calm_16<simple>(acc[i], scale.of));
    out += t.out_step;
  });
}
// 8 channels: two pixels make a register.
template <typename X, bool simple, int mr>
PJ_INLINE void finish_calm(const NeonTile& t, const SegmentRow& r, uint8_t* out,
                           const int32x4_t (&acc)[mr][2]) {
  const NeonStage<X> stage(t.stage);
  const DotScales scales(r.panel);
  const float32x4_t scale[] = {scales.of[0], scales.of[1], scales.of[0], scales.of[1]};
  unrolled<(mr + 1) / 2>([&](auto pair) PJ_INLINE_LAMBDA {
    constexpr int kFirst = 2 * pair, kSecond = kFirst + 1 < mr ? kFirst + 1 : kFirst;
    const int32x4_t sums[] = {acc[kFirst][0], acc[kFirst][1], acc[kSecond][0], acc[kSecond][1]};
    const uint8x16_t bytes = stage.template calm_16<simple>(sums, scale);
    vst1_u8(out, vget_low_u8(bytes));
    out += t.out_step;
    if constexpr (kSecond > kFirst) {
      vst1q_lane_u64(reinterpret_cast<uint64_t*>(out), vreinterpretq_u64_u8(bytes), 1);
      out += t.out_step;
    }
  });
}

// The same for any sums and number of channels.
template <typename X>
[[gnu::noinline]] void finish_any(const NeonTile& t, const SegmentRow& r, uint8_t* out,
                                  const int32x4_t* sums, int32_t pixels) {
  const NeonStage<X> stage(t.stage);
  const DotScales scale(r.panel);
  const bool calm = flags_of(r.panel).calm != 0;
  const int64_t out_step = t.out_step;
  auto all = [&](auto&& store) PJ_INLINE_LAMBDA {
    for (int32_t i = 0; i < pixels; ++i, sums += 4, out += out_step) store();
  };
  if (r.channels == NeonDot<X>::kPanel) {
    all([&]() PJ_INLINE_LAMBDA { vst1q_u8(out, stage.template bytes<false>(sums, scale.of)); });
  } else {
    all([&]() PJ_INLINE_LAMBDA {
      store_some(out, stage.any_bytes(sums, scale.of, calm), r.channels);
    });
  }
}

// Whether all `channels` channels of a panel exist and their sums are calm.
PJ_INLINE bool plain_panel(const SegmentRow& r, int32_t channels) {
  return flags_of(r.panel).calm != 0 && r.channels == channels;
}

template <typename X, int mr, int vectors>
PJ_INLINE void finish_pixels(const NeonTile& t, const SegmentRow& r, bool plain, uint8_t* out,
                             const int32x4_t (&acc)[mr][vectors]) {
  if (plain && t.simple) return finish_calm<X, true>(t, r, out, acc);
  if (plain) return finish_calm<X, false>(t, r, out, acc);
  int32x4_t sums[mr * 4];
  unrolled<mr * 4>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = acc[i / 4][i % vectors]; });
  finish_any<X>(t, r, out, sums, mr);
}

template <int mr, int vectors>
PJ_INLINE void add_corrections(const int32_t* corrections, int32x4_t (&acc)[mr][vectors]) {
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int32x4_t c = vdupq_n_s32(corrections[i]);
    unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA { acc[i][v] = vaddq_s32(acc[i][v], c); });
  });
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <typename X, int mr, int vectors = 4>
[[gnu::noinline]] void dot_blocks(const NeonTile& t, const SegmentRow& r, int32_t col,
                                  int32_t count) {
  const bool plain = plain_panel(r, 4 * vectors);
  const auto* bias = reinterpret_cast<const int32_t*>(r.panel + kPanelFlagBytes);
  const uint8_t* const weights = r.panel + kPanelFlagBytes + 128;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const int32_t* corrections = r.corrections == nullptr ? nullptr : r.corrections + col;
  for (; count > 0; --count) {
    int32x4_t acc[mr][vectors];
    unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
      const int32x4_t b = vld1q_s32(bias + 4 * v);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { acc[i][v] = b; });
    });
    if (corrections != nullptr) {
      add_corrections(corrections, acc);
      corrections += mr;
    }
    dot_window<X>(t, r, x_offset, weights, acc);
    finish_pixels<X>(t, r, plain, out, acc);
    x_offset += mr * t.pixel_step;
    out += mr * t.out_step;
  }
}

template <typename X>
BlockSizes<NeonBlocksFn> NeonDot<X>::sizes(PanelFlags, int32_t channels) {
  static constexpr BlockSize<NeonBlocksFn> kSizes[] = {
      {6, dot_blocks<X, 6>}, {5, dot_blocks<X, 5>}, {4, dot_blocks<X, 4>},
      {3, dot_blocks<X, 3>}, {2, dot_blocks<X, 2>}, {1, dot_blocks<X, 1>}};
  static constexpr BlockSize<NeonBlocksFn> kHalves[] = {
      {8, dot_blocks<X, 8, 2>}, {4, dot_blocks<X, 4, 2>}, {1, dot_blocks<X, 1, 2>}};
  if (channels <= 8) return {kHalves, 3};
  return {kSizes, 6};
}

// The sums of a single pixel for the first 4 * vectors channels of a panel.
template <typename X, int vectors>
PJ_INLINE void pixel_sums(const NeonTile& t, const SegmentRow& r, int32_t correction,
                          int32x4_t (&acc)[1][vectors]) {
  const auto* bias = reinterpret_cast<const int32_t*>(r.panel + kPanelFlagBytes);
  unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
    acc[0][v] = vaddq_s32(vld1q_s32(bias + 4 * v), vdupq_n_s32(correction));
  });
  dot_segments<X>(t, r, 0, r.panel + kPanelFlagBytes + 128, acc);
}

// All panels of a single pixel: fully connected layers. What blocks do for each panel anew is done
// once, and of few channels those that do not exist are left out.
template <typename X>
void NeonDot<X>::line(const NeonTile& tile, SegmentRow r, int32_t channels) {
  const NeonTile t = tile;
  const NeonStage<X> stage(t.stage);
  const int32_t correction = r.corrections == nullptr ? 0 : *r.corrections;
  for (int32_t left = channels; left > 0; left -= kPanel, r.panel += t.panel_bytes) {
    r.channels = left < kPanel ? left : kPanel;
    if (r.channels <= 4) {
      int32x4_t acc[1][1];
      pixel_sums<X>(t, r, correction, acc);
      const int32x4_t sums[] = {acc[0][0], acc[0][0], acc[0][0], acc[0][0]};
      return finish_any<X>(t, r, r.out, sums, 1);
    }
    int32x4_t acc[1][4];
    pixel_sums<X>(t, r, correction, acc);
    if (plain_panel(r, kPanel)) {
      vst1q_u8(r.out, stage.template bytes<true>(acc[0], DotScales(r.panel).of));
    } else {
      const int32x4_t sums[] = {acc[0][0], acc[0][1], acc[0][2], acc[0][3]};  // in memory
      finish_any<X>(t, r, r.out, sums, 1);
    }
    r.out += kPanel;
  }
}

template <typename X, typename W, int mr, int nr>
void run_dot_conv(const Tile& t) {
  static_assert(nr == NeonDot<X>::kPanel && mr == 6);
  run_neon_tile<NeonDot<X>>(t);
}

}  // namespace
}  // namespace pj
