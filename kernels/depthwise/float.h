// Float depthwise convolution, of one output channel for each input channel.
//
//                    w[tap][lanes]
//   x0[tap] lanes -> acc0[lanes]       several output pixels of a row side by side, so that a load
//   x1[tap] lanes -> acc1[lanes]       of weights serves them all; each input is an operand of its
//   ...                                multiply-add, which costs no more
//
// Windows of any size. All channels of a few pixels pass before the next pixels, so that input is
// read in order. Pixels whose windows hang over the sides are computed one by one, from the taps
// that lie inside.
//
// Operands and parameters are those of kernels/conv/conv.h, with rows at the tile's first channel.
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/float_vector.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/float_epilogue.h"
#include "kernels/depthwise/float_slide.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// The taps of a window that are inside the image, and where.
struct DepthwiseWindow {
  const std::byte* const* rows;  // of the first tap
  int32_t row_step, height;
  int64_t offset, tap_step;  // bytes from a row's begin to the first tap; of two taps
  int32_t width;
  int32_t first_tap;  // in the kernel
  int32_t channel;    // of the tile, to begin with; of a panel the first
};

// Channels [channel, channel + count) of `pixels` neighbouring outputs.
template <typename W, int pixels, bool whole>
PJ_INLINE void depthwise_lanes(const ConvKernelParams& p, const DepthwiseWindow& w,
                               const std::byte* panel, int32_t channel, int32_t count, float* out) {
  auto load = [&](const std::byte* x) PJ_INLINE_LAMBDA {
    const auto* from = reinterpret_cast<const float*>(x) + channel;
    return whole ? Floats::load(from) : Floats::load_part(from, count);
  };
  const int64_t pixel_step = p.stride_w * p.in_col_bytes;
  Floats::Vec acc[pixels];
  const Floats::Vec bias = Floats::load(reinterpret_cast<const float*>(panel));
  unrolled<pixels>([&](auto i) PJ_INLINE_LAMBDA { acc[i] = bias; });
  const W* weights = reinterpret_cast<const W*>(panel + Floats::kLanes * sizeof(float)) +
                     w.first_tap * Floats::kLanes;
  const std::byte* const* row = w.rows;
  for (int32_t ky = w.height; ky > 0; --ky, row += w.row_step) {
    const std::byte* x = *row + w.offset;
    for (int32_t kx = 0; kx < w.width; ++kx, x += w.tap_step) {
      const Floats::Vec ws = Floats::load(weights + kx * Floats::kLanes);
      unrolled<pixels>([&](auto i) PJ_INLINE_LAMBDA {
        acc[i] = Floats::fma(acc[i], load(x + i * pixel_step), ws);
      });
    }
    weights += p.kernel_w * Floats::kLanes;
  }
  limit_results<pixels>(p.low, p.high,
                        [&](auto i) PJ_INLINE_LAMBDA -> Floats::Vec& { return acc[i]; });
  unrolled<pixels>([&](auto i) PJ_INLINE_LAMBDA {
    float* to = out + channel;
    if (whole) {
      Floats::store(to, acc[i]);
    } else {
      Floats::store_part(to, acc[i], count);
    }
    out = reinterpret_cast<float*>(reinterpret_cast<std::byte*>(out) + p.out_col_bytes);
  });
}

// All channels of the tile from w.channel on, of `pixels` outputs.
template <typename W, int pixels>
[[gnu::noinline]] void depthwise_pixels(const Tile& t, const ConvKernelParams& p,
                                        const DepthwiseWindow& w, float* out) {
  const int32_t channels = t.size[kChannel];
  int32_t c = w.channel;
  const std::byte* panel = t.in[1] + c / Floats::kLanes * p.panel_bytes;
  for (; c + Floats::kLanes <= channels; c += Floats::kLanes, panel += p.panel_bytes)
    depthwise_lanes<W, pixels, true>(p, w, panel, c, Floats::kLanes, out);
  if (c < channels) depthwise_lanes<W, pixels, false>(p, w, panel, c, channels - c, out);
}

// The smallest i with i * step >= n, for n of any sign.
constexpr int32_t steps_to(int32_t n, int32_t step) { return n <= 0 ? 0 : (n + step - 1) / step; }

template <typename W>
void depthwise_row(const Tile& t, const ConvKernelParams& p, int32_t row, int32_t channel) {
  // Rows outside the image are at the ends of the window.
  const std::byte* const* rows = t.rows + row * p.stride_h;
  int32_t top = 0, bottom = p.kernel_h;
  while (top < bottom && rows[top * p.dilation_h] == nullptr) ++top;
  while (bottom > top && rows[(bottom - 1) * p.dilation_h] == nullptr) --bottom;
  DepthwiseWindow w{};
  w.rows = rows + top * p.dilation_h;
  w.row_step = p.dilation_h;
  w.height = bottom - top;
  w.tap_step = p.dilation_w * p.in_col_bytes;
  w.channel = channel;
  std::byte* const out = t.out[0] + row * p.out_row_bytes;

  // Columns of the input under the first tap of output 0; outputs [inner, inner_end) see all taps.
  const int32_t origin = t.begin[kCol] * p.stride_w - p.pad_left;
  const int32_t span = (p.kernel_w - 1) * p.dilation_w;
  const int32_t cols = t.size[kCol];
  int32_t inner = steps_to(-origin, p.stride_w);
  int32_t inner_end = steps_to(p.in_width - span - origin, p.stride_w);
  inner = inner < cols ? inner : cols;
  inner_end = inner_end < cols ? inner_end : cols;
  constexpr int kMost = 8, kFew = 4;
  for (int32_t col = 0; col < cols;) {
    const int32_t at = origin + col * p.stride_w;
    const bool inside = col >= inner && col < inner_end;
    const int32_t first = inside ? 0 : steps_to(-at, p.dilation_w);
    const int32_t end = inside ? p.kernel_w : steps_to(p.in_width - at, p.dilation_w);
    w.width = (end < p.kernel_w ? end : p.kernel_w) - first;
    w.first_tap = top * p.kernel_w + first;
    w.offset = (int64_t{at} + first * p.dilation_w) * p.in_col_bytes;
    auto* const to = reinterpret_cast<float*>(out + col * p.out_col_bytes);
    const int32_t left = inside ? inner_end - col : 1;
    if (left >= kMost) {
      depthwise_pixels<W, kMost>(t, p, w, to);
      col += kMost;
    } else if (left >= kFew) {
      depthwise_pixels<W, kFew>(t, p, w, to);
      col += kFew;
    } else {
      depthwise_pixels<W, 1>(t, p, w, to);
      col += 1;
    }
  }
}

// Weights as floats: in place, or widened into `wide`.
PJ_INLINE const float* widened(const float* weights, int32_t, float*) { return weights; }
PJ_INLINE const float* widened(const Half* weights, int32_t count, float* wide) {
  for (int32_t i = 0; i < count; i += Floats::kLanes)
    Floats::store(wide + i, Floats::load(weights + i));
  return wide;
}

// All rows of a tile, from channel `channel` on.
template <typename W>
void depthwise_rows(const Tile& t, const ConvKernelParams& p, int32_t channel) {
  for (int32_t row = 0; row < t.size[kRow]; ++row) depthwise_row<W>(t, p, row, channel);
}

template <typename W>
void slide_tile(const Tile& t, const ConvKernelParams& p, SlidePanelFns code) {
  constexpr int32_t kLanes = Floats::kLanes;
  alignas(64) float wide[kMostSlideTaps * kLanes];
  const std::byte* panel = t.in[1];
  for (int32_t c = 0; c < t.size[kChannel]; c += kLanes, panel += p.panel_bytes) {
    const int32_t left = t.size[kChannel] - c;
    if (left < kLanes && code.part == nullptr) return depthwise_rows<W>(t, p, c);
    const auto* bias = reinterpret_cast<const float*>(panel);
    const float* weights =
        widened(reinterpret_cast<const W*>(bias + kLanes), p.kernel_h * p.kernel_w * kLanes, wide);
    if (left >= kLanes) {
      code.whole(t, c, kLanes, bias, weights);
    } else {
      code.part(t, c, left, bias, weights);
    }
  }
}

template <typename X, typename W, int mr, int nr>
void run_float_depthwise(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == Floats::kLanes);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const SlidePanelFns code = slide_for(t, p);
  if (code.whole != nullptr) {
    slide_tile<W>(t, p, code);
  } else {
    depthwise_rows<W>(t, p, 0);
  }
  FloatEpilogue(t).finish_tile();
}

}  // namespace
}  // namespace pj
