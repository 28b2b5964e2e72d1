// Depthwise convolution of integers without dot product instructions (ARMv8.0), 3 x 3 windows whose
// weights fit 8 bits without their zero point: 4 output pixels of 8 channels at a time.
//
//   p    = smull(x, w)    of one tap, 8 products of 16 bits
//   p   += smlal(x, w)    of another: no weight is -128, so two fit
//   acc += p              saddw, saddw2: 8 sums of 32 bits
//
// Products of 8 bits are twice as many in an instruction as those of 16 bits, and nothing is
// widened before. The taps go in pairs, the third of the first row with that of the second; weights
// stay in registers for a row of pixels, and a column of the input serves all windows that it
// belongs to. Instructions of four pixels alternate, as a core in order needs it: 36
// multiplications, 40 additions and 18 loads for 288 products with stride 1.
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
struct MullPanel {
  int8x8_t w[9];
  int32x4_t bias[2];
  float32x4_t scale[4];
  bool fits, calm;
};

// Takes a panel of PackingId::kDepthwiseWide. Unsigned inputs are seen as x - 128.
template <typename X>
PJ_INLINE void read_panel(const uint8_t* packed, MullPanel& panel) {
  const auto* bias = reinterpret_cast<const int32_t*>(packed + kPanelFlagBytes);
  const auto* scale = reinterpret_cast<const float*>(bias + 8);
  const auto* weights = reinterpret_cast<const int16_t*>(scale + 8);
  int16x8_t largest = vdupq_n_s16(0), sum = largest;
  for (int tap = 0; tap < 9; ++tap) {
    const int16x8_t w = vld1q_s16(weights + 8 * tap);
    largest = vmaxq_s16(largest, vabsq_s16(w));
    sum = vaddq_s16(sum, w);
    panel.w[tap] = vmovn_s16(w);
  }
  panel.fits = vmaxvq_s16(largest) <= 127;
  panel.calm = flags_of(packed).calm != 0;
  panel.bias[0] = vld1q_s32(bias);
  panel.bias[1] = vld1q_s32(bias + 4);
  if (!std::is_signed_v<X>) {
    panel.bias[0] = vaddq_s32(panel.bias[0], vshll_n_s16(vget_low_s16(sum), 7));
    panel.bias[1] = vaddq_s32(panel.bias[1], vshll_n_s16(vget_high_s16(sum), 7));
  }
  for (int i = 0; i < 4; ++i) panel.scale[i] = vld1q_f32(scale + i % 2 * 4);
}

// A row of output pixels of one panel.
struct MullRow {
  const uint8_t* rows[3];  // of the input at column 0, or the pad pixel
  int64_t step[3];         // between two columns; 0: of the pad pixel
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
PJ_INLINE void add_wide(int32x4_t (&acc)[2], int16x8_t p) {
  asm volatile("saddw %0.4s, %0.4s, %1.4h" : "+w"(acc[0]) : "w"(p));
  asm volatile("saddw2 %0.4s, %0.4s, %1.8h" : "+w"(acc[1]) : "w"(p));
}

// Results of the pixels from `col` on, all of whose columns exist unless `border`.
template <typename X, int stride, bool border>
PJ_INLINE void mull_pixels(const MullRow& r, const MullPanel& panel, const NeonStage<X>& stage,
                           int32_t col, uint8x16_t (&results)[2]) {
  constexpr int mr = kMullPixels, kColumns = (mr - 1) * stride + 3;
  const int32_t first = r.first + col * stride;
  int32x4_t acc[mr][2];
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    acc[i][0] = panel.bias[0];
    acc[i][1] = panel.bias[1];
  });
  int16x8_t p[mr], third[mr];
  unrolled<3>([&](auto ky) PJ_INLINE_LAMBDA {
    const uint8_t* at = r.rows[ky] + first * r.step[ky];
    int8x8_t x[kColumns];
    unrolled<kColumns>([&](auto c) PJ_INLINE_LAMBDA {
      const uint8_t* from = at;
      if constexpr (border) {
        if (static_cast<uint32_t>(first + c) >= static_cast<uint32_t>(r.width)) from = r.pad;
      }
      x[c] = vreinterpret_s8_u8(vld1_u8(from));
      if constexpr (!std::is_signed_v<X>) x[c] = veor_s8(x[c], vdup_n_s8(-128));
      at += r.step[ky];
    });
    const int8x8_t* w = panel.w + 3 * ky;
    auto all = [](auto&& f) PJ_INLINE_LAMBDA { unrolled<mr>(f); };
    all([&](auto i) PJ_INLINE_LAMBDA { p[i] = tap_products(x[i * stride], w[0]); });
    all([&](auto i) PJ_INLINE_LAMBDA { add_tap_products(p[i], x[i * stride + 1], w[1]); });
    if constexpr (ky == 1) {
      all([&](auto i) PJ_INLINE_LAMBDA { add_tap_products(third[i], x[i * stride + 2], w[2]); });
    } else {
      all([&](auto i) PJ_INLINE_LAMBDA { third[i] = tap_products(x[i * stride + 2], w[2]); });
    }
    all([&](auto i) PJ_INLINE_LAMBDA { add_wide(acc[i], p[i]); });
    if constexpr (ky > 0) all([&](auto i) PJ_INLINE_LAMBDA { add_wide(acc[i], third[i]); });
  });
  int32x4_t sums[2 * mr];
  unrolled<2 * mr>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = acc[i / 2][i % 2]; });
  if (panel.calm) {
    stage.template calm_bytes<2>(sums, panel.scale, results);
  } else {
    results[0] = stage.any_bytes(sums, panel.scale, 0);
    results[1] = stage.any_bytes(sums + 4, panel.scale, 0);
  }
}

// All pixels of a row, in blocks; the last block may overlap the one before it.
template <typename X, int stride>
[[gnu::noinline]] void mull_row(const MullRow& r, const MullPanel& panel,
                                const OutputStage& output) {
  constexpr int mr = kMullPixels, kColumns = (mr - 1) * stride + 3;
  const NeonStage<X> stage(output);
  for (int32_t col = 0; col < r.cols; col += mr) {
    if (col + mr > r.cols && r.cols >= mr) col = r.cols - mr;
    const int32_t first = r.first + col * stride;
    uint8x16_t results[2];
    if (first >= 0 && first + kColumns <= r.width) {
      mull_pixels<X, stride, false>(r, panel, stage, col, results);
    } else {
      mull_pixels<X, stride, true>(r, panel, stage, col, results);
    }
    uint8_t* out = r.out + col * r.out_step;
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      if (col + i >= r.cols) return;
      vst1q_lane_u64(reinterpret_cast<uint64_t*>(out), vreinterpretq_u64_u8(results[i / 2]), i % 2);
      out += r.out_step;
    });
  }
}

}  // namespace
}  // namespace pj
