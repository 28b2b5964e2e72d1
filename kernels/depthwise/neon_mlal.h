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
// Most 3 x 3 and 5 x 5 windows go to kernels/depthwise/neon_mull.h, which is faster.
//
// Blocks whose windows hang over the ends of the row, or that have fewer than 8 channels, or a
// channel multiplier, work on a copy of their windows in scratch.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/neon_requantize.h"
#include "kernels/depthwise/mlal_shape.h"
#include "kernels/depthwise/neon_mull.h"
#include "kernels/kernel.h"
#include "kernels/packing/panel_flags.h"

namespace pj {
namespace {

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

// A row of the windows of a block: where the first tap of the first pixel is, and the distances.
struct MlalWindowRow {
  const uint8_t* x;
  int64_t pixel_step, tap_step;
};

// The channels of one input pixel, eight bytes.
PJ_INLINE uint8x8_t load_channels(const MlalRow& r, const std::byte* pixel) {
  const auto* x = reinterpret_cast<const uint8_t*>(pixel);
  if (r.channels == kMlalChannels && r.multiplier == 1) return vld1_u8(x + r.channel);
  // With a multiplier, rows are at the first channel of the input.
  const int32_t first = r.multiplier == 1 ? r.channel : r.t.begin[kChannel] + r.channel;
  uint64_t bytes = 0;
  for (int32_t c = 0; c < r.channels; ++c)
    bytes |= uint64_t{x[(first + c) / r.multiplier]} << (8 * c);
  return vcreate_u8(bytes);
}

// Copies the windows of a block that begins at input column `first` to scratch.
[[maybe_unused, gnu::noinline]] void copy_windows(const MlalRow& r, int32_t first) {
  const ConvKernelParams& p = r.p;
  auto* to = reinterpret_cast<uint8_t*>(r.t.scratch);
  const int32_t columns = mlal_columns(p);
  const uint8x8_t pad = load_channels(r, r.t.in[2]);
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* const row = r.rows[ky * p.dilation_h];
    for (int32_t i = 0; i < columns; ++i, to += kMlalChannels) {
      const int32_t column = first + i;
      const bool inside = row != nullptr && column >= 0 && column < p.in_width;
      vst1_u8(to, inside ? load_channels(r, row + column * p.in_col_bytes) : pad);
    }
  }
}

// Row `ky` of the windows of a block at input column `first`, copied or in place.
PJ_INLINE MlalWindowRow window_row(const MlalRow& r, int32_t ky, int32_t first, bool copied) {
  const ConvKernelParams& p = r.p;
  if (copied) {
    const auto* x = reinterpret_cast<const uint8_t*>(r.t.scratch);
    return {x + ky * mlal_columns(p) * kMlalChannels, p.stride_w * kMlalChannels,
            p.dilation_w * kMlalChannels};
  }
  const std::byte* const row = r.rows[ky * p.dilation_h];
  if (row == nullptr) return {reinterpret_cast<const uint8_t*>(r.t.in[2] + r.channel), 0, 0};
  return {reinterpret_cast<const uint8_t*>(row + first * p.in_col_bytes + r.channel),
          p.stride_w * p.in_col_bytes, p.dilation_w * p.in_col_bytes};
}

template <typename X>
PJ_INLINE int16x8_t widened(uint8x8_t x) {
  if constexpr (std::is_signed_v<X>) return vmovl_s8(vreinterpret_s8_u8(x));
  return vreinterpretq_s16_u16(vmovl_u8(x));
}

template <typename X>
PJ_INLINE void add_tap(const MlalWindowRow& at, int16x8_t w, int32x4_t (&acc)[kMlalPixels][2]) {
  unrolled<kMlalPixels>([&](auto i) PJ_INLINE_LAMBDA {
    const int16x8_t x = widened<X>(vld1_u8(at.x + i * at.pixel_step));
    acc[i][0] = vmlal_s16(acc[i][0], vget_low_s16(x), vget_low_s16(w));
    acc[i][1] = vmlal_high_s16(acc[i][1], x, w);
  });
}

// Pixels [col, col + count), count at most kMlalPixels, of windows that are `width` taps wide; 0:
// any.
template <typename X, int width>
[[gnu::noinline]] void mlal_pixels(const MlalRow& r, int32_t col, int32_t count, bool copied) {
  constexpr int mr = kMlalPixels;
  const ConvKernelParams& p = r.p;
  const uint8_t* const header = r.panel + kPanelFlagBytes;
  const auto* bias = reinterpret_cast<const int32_t*>(header);
  const auto* scales = reinterpret_cast<const float*>(header + kMlalChannels * 4);
  const auto* w = reinterpret_cast<const int16_t*>(header + kMlalChannels * 8);
  int32x4_t acc[mr][2];
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    acc[i][0] = vld1q_s32(bias);
    acc[i][1] = vld1q_s32(bias + 4);
  });
  const int32_t first = (r.t.begin[kCol] + col) * p.stride_w - p.pad_left;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    MlalWindowRow at = window_row(r, ky, first, copied);
    if constexpr (width > 0) {
      unrolled<width>([&](auto kx) PJ_INLINE_LAMBDA {
        add_tap<X>(at, vld1q_s16(w + kx * kMlalChannels), acc);
        at.x += at.tap_step;
      });
      w += width * kMlalChannels;
    } else {
      for (int32_t kx = 0; kx < p.kernel_w; ++kx, w += kMlalChannels, at.x += at.tap_step)
        add_tap<X>(at, vld1q_s16(w), acc);
    }
  }

  const NeonStage<X> stage(p.stage);
  const float32x4_t low = vld1q_f32(scales), high = vld1q_f32(scales + 4);
  const float32x4_t scale[4] = {low, high, low, high};
  const bool calm = flags_of(r.panel).calm != 0;
  uint8_t* out = r.out + col * p.out_col_bytes;
  auto bytes_of = [&](int pair, auto plain) PJ_INLINE_LAMBDA {
    const auto& even = acc[2 * pair];
    const auto& odd = acc[2 * pair + 1];
    const int32x4_t sums[4] = {even[0], even[1], odd[0], odd[1]};
    return plain ? stage.template bytes<true>(sums, scale) : stage.any_bytes(sums, scale, calm);
  };
  if (calm && count == mr && r.channels == kMlalChannels) {
    unrolled<mr / 2>([&](auto pair) PJ_INLINE_LAMBDA {
      const uint8x16_t bytes = bytes_of(pair, std::true_type{});
      vst1_u8(out, vget_low_u8(bytes));
      vst1_u8(out + p.out_col_bytes, vget_high_u8(bytes));
      out += 2 * p.out_col_bytes;
    });
    return;
  }
  unrolled<mr / 2>([&](auto pair) PJ_INLINE_LAMBDA {
    const uint8x16_t bytes = bytes_of(pair, std::false_type{});
    if (2 * pair < count) store_some(out, bytes, r.channels);
    if (2 * pair + 1 < count)
      store_some(out + p.out_col_bytes, vextq_u8(bytes, bytes, 8), r.channels);
    out += 2 * p.out_col_bytes;
  });
}

// All pixels of a row, in blocks; the last block may overlap the one before it.
template <typename X, int width>
PJ_INLINE void mlal_row(const MlalRow& r) {
  const ConvKernelParams& p = r.p;
  const int32_t cols = r.t.size[kCol], columns = mlal_columns(p);
  const bool some = r.channels < kMlalChannels || r.multiplier > 1;
  for (int32_t col = 0; col < cols; col += kMlalPixels) {
    if (col + kMlalPixels > cols && cols >= kMlalPixels) col = cols - kMlalPixels;
    const int32_t count = cols - col < kMlalPixels ? cols - col : kMlalPixels;
    const int32_t first = (r.t.begin[kCol] + col) * p.stride_w - p.pad_left;
    const bool copied = some || first < 0 || first + columns > p.in_width;
    if (copied) copy_windows(r, first);
    mlal_pixels<X, width>(r, col, count, copied);
  }
}

// All rows of the tile by kernels/depthwise/neon_mull.h; false if it cannot.
template <typename X, int K, int stride>
[[gnu::noinline]] bool mull_panel(const MlalRow& r) {
  const ConvKernelParams& p = r.p;
  MullPanel<K * K> panel;
  if (!read_panel<X>(r.panel, panel)) return false;
  panel.simple = NeonStage<X>::simple(p.stage);
  MullRow m{};
  m.pad = reinterpret_cast<const uint8_t*>(r.t.in[2] + r.channel);
  m.first = r.t.begin[kCol] * p.stride_w - p.pad_left;
  m.width = p.in_width;
  m.out_step = p.out_col_bytes;
  m.cols = r.t.size[kCol];
  for (int32_t row = 0; row < r.t.size[kRow]; ++row) {
    for (int ky = 0; ky < K; ++ky) {
      const std::byte* const x = r.t.rows[row * p.stride_h + ky * p.dilation_h];
      m.rows[ky] = x == nullptr ? m.pad : reinterpret_cast<const uint8_t*>(x + r.channel);
      m.step[ky] = x == nullptr ? 0 : p.in_col_bytes;
    }
    m.out = reinterpret_cast<uint8_t*>(r.t.out[0] + row * p.out_row_bytes) + r.channel;
    mull_row<X, K, stride>(m, panel, p.stage);
  }
  return true;
}

template <typename X>
PJ_INLINE bool mull_panel(const MlalRow& r) {
  const ConvKernelParams& p = r.p;
  const bool whole = r.channels == kMlalChannels && r.multiplier == 1;
  if (!whole || p.kernel_h != p.kernel_w || p.dilation_w != 1) return false;
  if (p.kernel_w == 3 && p.stride_w == 1) return mull_panel<X, 3, 1>(r);
  if (p.kernel_w == 3 && p.stride_w == 2) return mull_panel<X, 3, 2>(r);
  if (p.kernel_w == 5 && p.stride_w == 1) return mull_panel<X, 5, 1>(r);
  return false;
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
    if (mull_panel<X>(r)) continue;
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      r.rows = t.rows + row * p.stride_h;
      r.out = reinterpret_cast<uint8_t*>(t.out[0] + row * p.out_row_bytes) + c;
      if (p.kernel_w == 3) {
        mlal_row<X, 3>(r);
      } else {
        mlal_row<X, 0>(r);
      }
    }
  }
}

}  // namespace
}  // namespace pj
