// Depthwise convolution of 16-bit floats in their own arithmetic: 4 neighbouring pixels of 8
// channels at a time. Columns outside the image are read from the pad pixel.
//
//   row of the window    x0 x1 x2 x3 x4 x5      loaded once for all pixels that see them
//   taps                 w0 w1 w2               from L1: 3 loads for 12 multiply-adds
//
// Of 3 x 3 windows with stride 1 that is 27 loads and 36 fmla of 8 products: 18 cycles of
// Cortex-A76, which starts two of each.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/half.h"

namespace pj {
namespace {

inline constexpr int kHalfPixels = 4;

// A panel of channels, one row of output.
struct HalfWindow {
  const std::byte* const* rows;  // the first one that is inside the image, at the first channel
  int32_t row_count, row_step;
  const uint8_t* weights;  // of that row
  int32_t kernel_w, stride, dilation;
  int64_t column_bytes;
  int32_t in_width;
  const std::byte* pad;  // the pad pixel, of the tile
  int32_t channel, channels;
};

// Where column `column` of a row is; `border`: it may be outside the image.
template <bool border>
PJ_INLINE const std::byte* half_column(const HalfWindow& w, const std::byte* row, int32_t column) {
  const std::byte* x = row + column * w.column_bytes;
  if constexpr (border) {
    if (static_cast<uint32_t>(column) >= static_cast<uint32_t>(w.in_width)) x = w.pad;
  }
  return x + w.channel * 2;
}

// kHalfPixels outputs from input column `first`. K and S: the width of the window and the stride,
// without dilation; 0: any. `whole`: all channels of the panel exist.
template <int K, int S, bool border, bool whole>
PJ_INLINE void half_pixels(const HalfWindow& w, int32_t first, Halves (&acc)[kHalfPixels]) {
  auto load = [&](const std::byte* x)
                  PJ_INLINE_LAMBDA { return whole ? load_halves(x) : load_halves(x, w.channels); };
  const uint8_t* weights = w.weights;
  for (int32_t ky = 0; ky < w.row_count; ++ky) {
    const std::byte* row = w.rows[ky * w.row_step];
    if constexpr (K > 0) {
      Halves columns[(kHalfPixels - 1) * S + K];
      int32_t column = first;
      for (Halves& x : columns) x = load(half_column<border>(w, row, column++));
      unrolled<K>([&](auto kx) PJ_INLINE_LAMBDA {
        const Halves tap = load_halves(weights + 16 * kx);
        unrolled<kHalfPixels>(
            [&](auto i) PJ_INLINE_LAMBDA { add_product(acc[i], columns[i * S + kx], tap); });
      });
      weights += 16 * K;
    } else {
      for (int32_t kx = 0; kx < w.kernel_w; ++kx, weights += 16) {
        const Halves tap = load_halves(weights);
        const int32_t column = first + kx * w.dilation;
        unrolled<kHalfPixels>([&](auto i) PJ_INLINE_LAMBDA {
          add_product(acc[i], load(half_column<border>(w, row, column + i * w.stride)), tap);
        });
      }
    }
  }
}

// All outputs of a row, in blocks; the last one may overlap the one before it.
template <int K, int S, bool whole>
[[gnu::noinline]] void half_row(const HalfWindow& from, const HalfFinish& f, const float* bias_at,
                                int32_t origin, int32_t cols, uint8_t* out, int64_t out_step) {
  const HalfWindow w = from;
  const HalfFinish finish = f;
  const Halves bias = narrow(bias_at);
  const bool plain = finish.plain() && whole;
  const int32_t reach = (kHalfPixels - 1) * w.stride + (w.kernel_w - 1) * w.dilation;
  for (int32_t col = 0; col < cols; col += kHalfPixels) {
    if (col + kHalfPixels > cols && cols >= kHalfPixels) col = cols - kHalfPixels;
    const int32_t first = origin + col * w.stride;
    Halves acc[kHalfPixels];
    for (Halves& a : acc) a = bias;
    if (K > 0 && first >= 0 && first + reach < w.in_width) {
      half_pixels<K, S, false, whole>(w, first, acc);
    } else {
      half_pixels<K, S, true, whole>(w, first, acc);
    }
    uint8_t* to = out + col * out_step;
    if (plain && cols >= kHalfPixels) {
      unrolled<kHalfPixels>([&](auto i) PJ_INLINE_LAMBDA {
        const Halves one[] = {acc[i]};
        finish.store_plain<1>(to + i * out_step, one);
      });
    } else {
      unrolled<kHalfPixels>([&](auto i) PJ_INLINE_LAMBDA {
        if (col + i < cols) finish.store(to + i * out_step, acc[i], w.channel, w.channels);
      });
    }
  }
}

using HalfRowFn = void (*)(const HalfWindow&, const HalfFinish&, const float*, int32_t, int32_t,
                           uint8_t*, int64_t);

PJ_INLINE HalfRowFn half_row_for(const HalfWindow& w) {
  if (w.channels < kHalfLanes) return half_row<0, 0, false>;
  if (w.dilation == 1 && w.stride == 1) {
    if (w.kernel_w == 3) return half_row<3, 1, true>;
    if (w.kernel_w == 5) return half_row<5, 1, true>;
  }
  if (w.dilation == 1 && w.stride == 2) {
    if (w.kernel_w == 3) return half_row<3, 2, true>;
    if (w.kernel_w == 5) return half_row<5, 2, true>;
  }
  return half_row<0, 0, true>;
}

template <typename X, typename W, int mr, int nr>
void run_half_depthwise(const Tile& t) {
  static_assert(std::is_same_v<X, Half> && mr == kHalfPixels && nr == kHalfLanes);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const HalfFinish finish(t);
  HalfWindow w{};
  w.row_step = p.dilation_h;
  w.kernel_w = p.kernel_w;
  w.stride = p.stride_w;
  w.dilation = p.dilation_w;
  w.column_bytes = p.in_col_bytes;
  w.in_width = p.in_width;
  w.pad = t.in[2];
  const int32_t origin = t.begin[kCol] * p.stride_w - p.pad_left;
  const auto* panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  for (w.channel = 0; w.channel < t.size[kChannel]; w.channel += nr, panel += p.panel_bytes) {
    const int32_t left = t.size[kChannel] - w.channel;
    w.channels = left < nr ? left : nr;
    const HalfRowFn row_fn = half_row_for(w);
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      // Rows outside the image are at the ends of the window.
      const std::byte* const* rows = t.rows + row * p.stride_h;
      int32_t top = 0, bottom = p.kernel_h;
      while (top < bottom && rows[top * p.dilation_h] == nullptr) ++top;
      while (bottom > top && rows[(bottom - 1) * p.dilation_h] == nullptr) --bottom;
      w.rows = rows + top * p.dilation_h;
      w.row_count = bottom - top;
      w.weights = panel + kHalfLanes * sizeof(float) + 16 * top * p.kernel_w;
      row_fn(w, finish, reinterpret_cast<const float*>(panel), origin, t.size[kCol],
             reinterpret_cast<uint8_t*>(t.out[0] + row * p.out_row_bytes) + w.channel * 2,
             p.out_col_bytes);
    }
  }
}

}  // namespace
}  // namespace pj
