// Depthwise convolution of integers without dot product instructions (ARMv8.0): 4 output pixels of
// 8 channels at a time.
//
//   w[tap][0..8)   16 bits, zero point subtracted; stays for four pixels
//   x              8 bytes widened to 16 bits, times w, added to two registers of 32-bit sums
//
// A tap of four pixels is 4 loads, 4 conversions and 8 smlal: on Cortex-A72, where one pipe
// multiplies, the 8 are the limit (4 products a cycle) and the rest is hidden; on Cortex-A53, in
// order, 18 cycles, with 8 independent chains of sums.
//
// Pixels whose windows lie inside the row's width find taps at a fixed distance; at its ends, each
// tap is looked up.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/neon_requantize.h"
#include "kernels/conv/conv.h"
#include "kernels/kernel.h"
#include "kernels/packing/panel_flags.h"

namespace pj {
namespace {

constexpr int kMlalPixels = 4, kMlalChannels = 8;

// A panel of channels, and one row of output pixels.
struct MlalRow {
  const Tile& t;
  const ConvKernelParams& p;
  const std::byte* const* rows;  // of the input under the output row
  const uint8_t* panel;
  uint8_t* out;
  int32_t channel, channels;  // from the tile's first channel
  int32_t multiplier;
};

// Eight channels of one input pixel. `some`: fewer, or each of them several times.
template <bool some>
PJ_INLINE uint8x8_t load_channels(const MlalRow& r, const std::byte* pixel) {
  const auto* x = reinterpret_cast<const uint8_t*>(pixel);
  if constexpr (!some) return vld1_u8(x + r.channel);
  // With a multiplier, rows are at the first channel of the input.
  const int32_t first = r.multiplier == 1 ? r.channel : r.t.begin[kChannel] + r.channel;
  uint64_t bytes = 0;
  for (int32_t c = 0; c < r.channels; ++c)
    bytes |= uint64_t{x[(first + c) / r.multiplier]} << (8 * c);
  return vcreate_u8(bytes);
}

// Where a pixel's tap is: one of the input, or the padding.
PJ_INLINE const std::byte* tap_at(const MlalRow& r, const std::byte* row, int32_t column) {
  const bool inside = row != nullptr && column >= 0 && column < r.p.in_width;
  return inside ? row + column * r.p.in_col_bytes : r.t.in[2];
}

template <typename X>
PJ_INLINE int16x8_t widened(uint8x8_t x) {
  if constexpr (std::is_signed_v<X>) return vmovl_s8(vreinterpret_s8_u8(x));
  return vreinterpretq_s16_u16(vmovl_u8(x));
}

template <int mr>
PJ_INLINE void add_tap(const int16x8_t (&x)[mr], int16x8_t w, int32x4_t (&acc)[mr][2]) {
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    acc[i][0] = vmlal_s16(acc[i][0], vget_low_s16(x[i]), vget_low_s16(w));
    acc[i][1] = vmlal_high_s16(acc[i][1], x[i], w);
  });
}

// `mr` pixels from column `col` of the output. `inside`: their windows are, in this direction.
template <typename X, bool inside, bool some, int mr>
PJ_INLINE void sum_window(const MlalRow& r, int32_t col, int32_t last, int32x4_t (&acc)[mr][2]) {
  const ConvKernelParams& p = r.p;
  const auto* w = reinterpret_cast<const int16_t*>(r.panel + kPanelFlagBytes + kMlalChannels * 8);
  const int32_t first = (r.t.begin[kCol] + col) * p.stride_w - p.pad_left;
  const int64_t tap_step = p.dilation_w * p.in_col_bytes, pixel_step = p.stride_w * p.in_col_bytes;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* const row = r.rows[ky * p.dilation_h];
    const bool exists = row != nullptr;
    const std::byte* x = exists ? row + first * p.in_col_bytes : r.t.in[2];
    const int64_t next_pixel = exists ? pixel_step : 0, next_tap = exists ? tap_step : 0;
    for (int32_t kx = 0; kx < p.kernel_w; ++kx, w += kMlalChannels) {
      int16x8_t xs[mr];
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        const std::byte* pixel = x + i * next_pixel;
        if constexpr (!inside) {
          const int32_t ahead = i < last ? i : last;
          pixel = tap_at(r, row, first + ahead * p.stride_w + kx * p.dilation_w);
        }
        xs[i] = widened<X>(load_channels<some>(r, pixel));
      });
      x += next_tap;
      add_tap<mr>(xs, vld1q_s16(w), acc);
    }
  }
}

// Pixels [col, col + count), count at most kMlalPixels.
template <typename X, bool inside, bool some>
[[gnu::noinline]] void mlal_pixels(const MlalRow& r, int32_t col, int32_t count) {
  constexpr int mr = kMlalPixels;
  const uint8_t* const header = r.panel + kPanelFlagBytes;
  const auto* bias = reinterpret_cast<const int32_t*>(header);
  const auto* scales = reinterpret_cast<const float*>(header + kMlalChannels * 4);
  int32x4_t acc[mr][2];
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    acc[i][0] = vld1q_s32(bias);
    acc[i][1] = vld1q_s32(bias + 4);
  });
  sum_window<X, inside, some, mr>(r, col, count - 1, acc);
  const NeonStage<X> stage(r.p.stage);
  const float32x4_t low = vld1q_f32(scales), high = vld1q_f32(scales + 4);
  const float32x4_t scale[4] = {low, high, low, high};
  const bool calm = flags_of(r.panel).calm != 0;
  uint8_t* out = r.out + col * r.p.out_col_bytes;
  auto finish = [&](auto plain) PJ_INLINE_LAMBDA {
    unrolled<mr / 2>([&](auto pair) PJ_INLINE_LAMBDA {
      const auto& first = acc[2 * pair];
      const auto& second = acc[2 * pair + 1];
      const int32x4_t sums[4] = {first[0], first[1], second[0], second[1]};
      const uint8x16_t bytes = plain ? stage.template bytes<true>(sums, scale)
                                     : stage.any_bytes(sums, scale, calm ? kCalmBits : 0);
      unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
        const uint8x8_t one = i == 0 ? vget_low_u8(bytes) : vget_high_u8(bytes);
        if (!plain && 2 * pair + i >= count) return;
        if constexpr (some) {
          store_some(out, vcombine_u8(one, one), r.channels);
        } else {
          vst1_u8(out, one);
        }
        out += r.p.out_col_bytes;
      });
    });
  };
  if (calm && count == mr && !some) {
    finish(std::true_type{});
  } else {
    finish(std::false_type{});
  }
}

// All pixels of a row, in blocks; the last block may overlap the one before it.
template <typename X, bool some>
[[gnu::noinline]] void mlal_row(const MlalRow& r) {
  const ConvKernelParams& p = r.p;
  const int32_t cols = r.t.size[kCol], span = (p.kernel_w - 1) * p.dilation_w;
  for (int32_t col = 0; col < cols; col += kMlalPixels) {
    if (col + kMlalPixels > cols && cols >= kMlalPixels) col = cols - kMlalPixels;
    const int32_t count = cols - col < kMlalPixels ? cols - col : kMlalPixels;
    const int32_t first = (r.t.begin[kCol] + col) * p.stride_w - p.pad_left;
    const int32_t end = first + (kMlalPixels - 1) * p.stride_w + span;
    if (!some && count == kMlalPixels && first >= 0 && end < p.in_width) {
      mlal_pixels<X, true, false>(r, col, count);
    } else {
      mlal_pixels<X, false, some>(r, col, count);
    }
  }
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_mlal_depthwise(const Tile& t) {
  static_assert(mr == kMlalPixels && nr == kMlalChannels);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const auto* panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  const int32_t multiplier = p.out_channels / p.in_channels;
  for (int32_t c = 0; c < t.size[kChannel]; c += nr, panel += p.panel_bytes) {
    const int32_t left = t.size[kChannel] - c;
    MlalRow r{t, p, t.rows, panel, nullptr, c, left < nr ? left : nr, multiplier};
    const bool some = left < nr || multiplier > 1;
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      r.rows = t.rows + row * p.stride_h;
      r.out = reinterpret_cast<uint8_t*>(t.out[0] + row * p.out_row_bytes) + c;
      if (some) {
        mlal_row<X, true>(r);
      } else {
        mlal_row<X, false>(r);
      }
    }
  }
}

}  // namespace
}  // namespace pj
