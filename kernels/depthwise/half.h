// Depthwise convolution of 16-bit floats in their own arithmetic: 4 neighbouring pixels of 8
// channels at a time, and pixels at the sides one by one, from the taps that lie inside.
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
  const std::byte* const* rows;  // the first one that is inside the image
  int32_t row_count, row_step;
  const uint8_t* weights;  // of that row
  int32_t kernel_w, dilation;
  int64_t column_bytes;
  int32_t in_width, channel, channels;
};

// kHalfPixels outputs from input column `first`, all of whose columns exist. K: the width of the
// window, without dilation; 0: any.
template <int K, int S>
PJ_INLINE void half_inside(const HalfWindow& w, int32_t first, Halves bias,
                           Halves (&acc)[kHalfPixels]) {
  for (Halves& a : acc) a = bias;
  const uint8_t* weights = w.weights;
  for (int32_t ky = 0; ky < w.row_count; ++ky) {
    const std::byte* x = w.rows[ky * w.row_step] + first * w.column_bytes + w.channel * 2;
    if constexpr (K > 0) {
      Halves columns[(kHalfPixels - 1) * S + K];
      for (Halves& column : columns) {
        column = load_halves(x, w.channels);
        x += w.column_bytes;
      }
      unrolled<K>([&](auto kx) PJ_INLINE_LAMBDA {
        const Halves tap = load_halves(weights + 16 * kx);
        unrolled<kHalfPixels>(
            [&](auto i) PJ_INLINE_LAMBDA { add_product(acc[i], columns[i * S + kx], tap); });
      });
      weights += 16 * K;
    } else {
      for (int32_t kx = 0; kx < w.kernel_w; ++kx, x += w.dilation * w.column_bytes) {
        const Halves tap = load_halves(weights);
        unrolled<kHalfPixels>([&](auto i) PJ_INLINE_LAMBDA {
          add_product(acc[i], load_halves(x + i * S * w.column_bytes, w.channels), tap);
        });
        weights += 16;
      }
    }
  }
}

// One output from input column `first`, of the taps that are inside.
PJ_INLINE Halves half_edge(const HalfWindow& w, int32_t first, Halves sum) {
  for (int32_t ky = 0; ky < w.row_count; ++ky) {
    for (int32_t kx = 0; kx < w.kernel_w; ++kx) {
      const int32_t column = first + kx * w.dilation;
      if (static_cast<uint32_t>(column) >= static_cast<uint32_t>(w.in_width)) continue;
      const std::byte* x = w.rows[ky * w.row_step] + column * w.column_bytes + w.channel * 2;
      add_product(sum, load_halves(x, w.channels),
                  load_halves(w.weights + 16 * (ky * w.kernel_w + kx)));
    }
  }
  return sum;
}

// The outputs of a row that see columns inside the image only.
struct HalfInside {
  int32_t begin, end;
};

template <int K, int S>
[[gnu::noinline]] void half_row(const HalfWindow& w, const HalfFinish& f, const float* bias_at,
                                HalfInside inside, int32_t first, int32_t cols, uint8_t* out,
                                int64_t out_step) {
  const Halves bias = narrow(bias_at);
  const HalfFinish finish = f;
  for (int32_t col = 0; col < cols;) {
    if (col < inside.begin || inside.end - inside.begin < kHalfPixels || col >= inside.end) {
      finish.store(out + col * out_step, half_edge(w, first + col * S, bias), w.channel,
                   w.channels);
      ++col;
      continue;
    }
    // The last block may overlap the one before it.
    if (col + kHalfPixels > inside.end) col = inside.end - kHalfPixels;
    Halves acc[kHalfPixels];
    half_inside<K, S>(w, first + col * S, bias, acc);
    unrolled<kHalfPixels>([&](auto i) PJ_INLINE_LAMBDA {
      finish.store(out + (col + i) * out_step, acc[i], w.channel, w.channels);
    });
    col += kHalfPixels;
  }
}

using HalfRowFn = void (*)(const HalfWindow&, const HalfFinish&, const float*, HalfInside, int32_t,
                           int32_t, uint8_t*, int64_t);

// Null for strides that have no code: every pixel is an edge then.
PJ_INLINE HalfRowFn half_row_for(const ConvKernelParams& p) {
  if (p.stride_w > 2) return nullptr;
  const bool two = p.stride_w == 2;
  if (p.dilation_w == 1 && p.kernel_w == 3) return two ? half_row<3, 2> : half_row<3, 1>;
  if (p.dilation_w == 1 && p.kernel_w == 5) return two ? half_row<5, 2> : half_row<5, 1>;
  return two ? half_row<0, 2> : half_row<0, 1>;
}

template <typename X, typename W, int mr, int nr>
void run_half_depthwise(const Tile& t) {
  static_assert(std::is_same_v<X, Half> && mr == kHalfPixels && nr == kHalfLanes);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const HalfFinish finish(t);
  const HalfRowFn row_fn = half_row_for(p);
  const int32_t first = t.begin[kCol] * p.stride_w - p.pad_left, cols = t.size[kCol];
  const int32_t reach = (p.kernel_w - 1) * p.dilation_w;
  const int32_t last = p.in_width - 1 - reach - first;
  const int32_t end = last < 0 ? 0 : last / p.stride_w + 1;
  const HalfInside inside = {first < 0 ? (p.stride_w - 1 - first) / p.stride_w : 0,
                             end < cols ? end : cols};
  const auto* panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  for (int32_t c = 0; c < t.size[kChannel]; c += nr, panel += p.panel_bytes) {
    const int32_t left = t.size[kChannel] - c;
    const auto* bias = reinterpret_cast<const float*>(panel);
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      // Rows outside the image are at the ends of the window.
      const std::byte* const* rows = t.rows + row * p.stride_h;
      int32_t top = 0, bottom = p.kernel_h;
      while (top < bottom && rows[top * p.dilation_h] == nullptr) ++top;
      while (bottom > top && rows[(bottom - 1) * p.dilation_h] == nullptr) --bottom;
      const HalfWindow w{rows + top * p.dilation_h,
                         bottom - top,
                         p.dilation_h,
                         panel + kHalfLanes * sizeof(float) + 16 * top * p.kernel_w,
                         p.kernel_w,
                         p.dilation_w,
                         p.in_col_bytes,
                         p.in_width,
                         c,
                         left < nr ? left : nr};
      auto* out = reinterpret_cast<uint8_t*>(t.out[0] + row * p.out_row_bytes) + c * 2;
      if (row_fn != nullptr) {
        row_fn(w, finish, bias, inside, first, cols, out, p.out_col_bytes);
        continue;
      }
      for (int32_t col = 0; col < cols; ++col)
        finish.store(out + col * p.out_col_bytes,
                     half_edge(w, first + col * p.stride_w, narrow(bias)), c, w.channels);
    }
  }
}

}  // namespace
}  // namespace pj
