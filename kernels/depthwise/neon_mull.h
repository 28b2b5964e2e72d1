// Depthwise convolution of integers without dot product instructions (ARMv8.0), windows of K x K, 3
// or 5, whose weights fit 8 bits without their zero point: 4 output pixels of 8 channels at a time.
//
//   p    = smull(x, w)    of one tap, 8 products of 16 bits
//   p   += smlal(x, w)    of another: no weight is -128, so two fit
//   acc += p              saddw, saddw2: 8 sums of 32 bits
//
// Products of 8 bits are twice as many in an instruction as those of 16 bits, and nothing is
// widened before. The taps go in pairs, the last of a row with that of the next row; the weights of
// 3 x 3 windows stay in registers for a row of pixels, and a column of the input serves all windows
// that it belongs to. Instructions of four pixels alternate, as a core in order needs it: 36
// multiplications, 40 additions and 18 loads for 288 products of K = 3 with stride 1.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/neon_requantize.h"
#include "kernels/conv/conv.h"
#include "kernels/packing/panel_flags.h"

namespace pj {
namespace {

inline constexpr int kMullPixels = 4;

// A panel of 8 channels.
template <int taps>
struct MullPanel {
  int8x8_t w[taps];
  int32x4_t bias[2];
  float32x4_t scale[2];
  bool calm;
  bool simple;  // NeonStage::simple()
};

// Takes a panel of PackingId::kDepthwiseWide; false if its weights do not fit. Unsigned inputs are
// seen as x - 128.
template <typename X, int taps>
PJ_INLINE bool read_panel(const uint8_t* packed, MullPanel<taps>& panel) {
  const auto* bias = reinterpret_cast<const int32_t*>(packed + kPanelFlagBytes);
  const auto* scale = reinterpret_cast<const float*>(bias + 8);
  const auto* weights = reinterpret_cast<const int16_t*>(scale + 8);
  int16x8_t largest = vdupq_n_s16(0), sum = largest;
  for (int tap = 0; tap < taps; ++tap) {
    const int16x8_t w = vld1q_s16(weights + 8 * tap);
    largest = vmaxq_s16(largest, vabsq_s16(w));
    sum = vaddq_s16(sum, w);
    panel.w[tap] = vmovn_s16(w);
  }
  panel.calm = flags_of(packed).calm != 0;
  panel.bias[0] = vld1q_s32(bias);
  panel.bias[1] = vld1q_s32(bias + 4);
  if (!std::is_signed_v<X>) {
    panel.bias[0] = vaddq_s32(panel.bias[0], vshll_n_s16(vget_low_s16(sum), 7));
    panel.bias[1] = vaddq_s32(panel.bias[1], vshll_n_s16(vget_high_s16(sum), 7));
  }
  panel.scale[0] = vld1q_f32(scale);
  panel.scale[1] = vld1q_f32(scale + 4);
  return vmaxvq_s16(largest) <= 127;
}

// A row of output pixels of one panel.
struct MullRow {
  const uint8_t* rows[5];  // of the input at column 0, or the pad pixel
  int64_t step[5];         // between two columns; 0: of the pad pixel
  const uint8_t* pad;
  int32_t first, width;  // column under the first tap of output 0; columns of the input
  uint8_t* out;
  int64_t out_step;
  int32_t cols;
};

// Assembly, which keeps its order, for the reason given in kernels/conv/neon_mull.h.
PJ_INLINE int16x8_t tap_products(int8x8_t x, int8x8_t w) {
  int16x8_t p;
  asm volatile("smull %0.8h, %1.8b, %2.8b" : "=w"(p) : "w"(x), "w"(w));
  return p;
}
PJ_INLINE void add_tap_products(int16x8_t& p, int8x8_t x, int8x8_t w) {
  asm volatile("smlal %0.8h, %1.8b, %2.8b" : "+w"(p) : "w"(x), "w"(w));
}
PJ_INLINE void add_wide(const int32x4_t (&from)[2], int16x8_t p, int32x4_t (&acc)[2]) {
  asm volatile("saddw %0.4s, %1.4s, %2.4h" : "=w"(acc[0]) : "w"(from[0]), "w"(p));
  asm volatile("saddw2 %0.4s, %1.4s, %2.8h" : "=w"(acc[1]) : "w"(from[1]), "w"(p));
}
// The next column of a row.
PJ_INLINE int8x8_t next_column(const uint8_t*& at, int64_t step) {
  int8x8_t x;
  asm volatile("ld1 {%0.8b}, [%1], %2" : "=w"(x), "+r"(at) : "r"(step) : "memory");
  return x;
}

// The columns of one row of the windows of a block, which begin at column `first`; `border`: some
// may be outside the input.
template <typename X, int columns, bool border>
PJ_INLINE void load_columns(const MullRow& r, int ky, int32_t first, int8x8_t (&x)[columns]) {
  const int64_t step = r.step[ky];
  const uint8_t* at = r.rows[ky] + first * step;
  unrolled<columns>([&](auto c) PJ_INLINE_LAMBDA {
    if constexpr (border) {
      const bool inside = static_cast<uint32_t>(first + c) < static_cast<uint32_t>(r.width);
      x[c] = vreinterpret_s8_u8(vld1_u8(inside ? at + c * step : r.pad));
    } else {
      x[c] = next_column(at, step);
    }
  });
  if constexpr (!std::is_signed_v<X>)
    unrolled<columns>([&](auto c) PJ_INLINE_LAMBDA { x[c] = veor_s8(x[c], vdup_n_s8(-128)); });
}

// Results of the block that begins at input column `first`.
template <typename X, int K, int stride, bool border>
PJ_INLINE void mull_pixels(const MullRow& r, const MullPanel<K * K>& panel,
                           const NeonStage<X>& stage, int32_t first, uint8x16_t (&results)[2]) {
  constexpr int mr = kMullPixels, kColumns = (mr - 1) * stride + K;
  int32x4_t acc[mr][2];
  int16x8_t p[mr], last[mr];
  auto all = [](auto&& f) PJ_INLINE_LAMBDA { unrolled<mr>(f); };
  unrolled<K>([&](auto ky) PJ_INLINE_LAMBDA {
    int8x8_t x[kColumns];
    load_columns<X, kColumns, border>(r, ky, first, x);
    const int8x8_t* w = panel.w + K * ky;
    unrolled<K / 2>([&](auto j) PJ_INLINE_LAMBDA {
      constexpr int kx = 2 * j;
      all([&](auto i) PJ_INLINE_LAMBDA { p[i] = tap_products(x[i * stride + kx], w[kx]); });
      all([&](auto i)
              PJ_INLINE_LAMBDA { add_tap_products(p[i], x[i * stride + kx + 1], w[kx + 1]); });
      all([&](auto i) PJ_INLINE_LAMBDA {
        add_wide(ky == 0 && kx == 0 ? panel.bias : acc[i], p[i], acc[i]);
      });
    });
    if constexpr (ky % 2 == 1) {
      all([&](auto i)
              PJ_INLINE_LAMBDA { add_tap_products(last[i], x[i * stride + K - 1], w[K - 1]); });
    } else {
      all([&](auto i)
              PJ_INLINE_LAMBDA { last[i] = tap_products(x[i * stride + K - 1], w[K - 1]); });
    }
    if constexpr (ky % 2 == 1 || ky == K - 1)
      all([&](auto i) PJ_INLINE_LAMBDA { add_wide(acc[i], last[i], acc[i]); });
  });
  int32x4_t sums[2 * mr];
  unrolled<2 * mr>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = acc[i / 2][i % 2]; });
  if (panel.calm) {
    if (panel.simple) {
      stage.template calm_bytes<true, 2>(sums, panel.scale, results);
    } else {
      stage.template calm_bytes<false, 2>(sums, panel.scale, results);
    }
  } else {
    const float32x4_t scale[] = {panel.scale[0], panel.scale[1], panel.scale[0], panel.scale[1]};
    unrolled<2>([&](auto h) PJ_INLINE_LAMBDA {
      const int32x4_t four[] = {acc[2 * h][0], acc[2 * h][1], acc[2 * h + 1][0], acc[2 * h + 1][1]};
      results[h] = stage.template bytes<false>(four, scale);
    });
  }
}

// All pixels of a row, in blocks; the last block may overlap the one before it.
template <typename X, int K, int stride>
[[gnu::noinline]] void mull_row(const MullRow& r, const MullPanel<K * K>& from,
                                const OutputStage& output) {
  constexpr int mr = kMullPixels, kColumns = (mr - 1) * stride + K;
  const NeonStage<X> stage(output);
  const MullPanel<K* K> panel = from;  // in registers
  const int32_t cols = r.cols;
  const int64_t out_step = r.out_step;
  for (int32_t col = 0; col < cols; col += mr) {
    if (col + mr > cols && cols >= mr) col = cols - mr;
    const int32_t first = r.first + col * stride;
    uint8x16_t results[2];
    if (first >= 0 && first + kColumns <= r.width) {
      mull_pixels<X, K, stride, false>(r, panel, stage, first, results);
    } else {
      mull_pixels<X, K, stride, true>(r, panel, stage, first, results);
    }
    uint8_t* out = r.out + col * out_step;
    const int32_t left = cols - col;
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      if (left < mr && i >= left) return;
      vst1q_lane_u64(reinterpret_cast<uint64_t*>(out), vreinterpretq_u64_u8(results[i / 2]), i % 2);
      out += out_step;
    });
  }
}

}  // namespace
}  // namespace pj
