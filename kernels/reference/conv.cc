// Convolutions. Padding contributes real value 0, that is nothing: taps outside the image are left
// out.
#include "kernels/reference/arithmetic.h"
#include "kernels/reference/reference_rows.h"

namespace pj {
namespace {

using namespace ref;

// Sizes and steps of a convolution; h and w apart because every loop over pixels names both.
struct Geometry {
  int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, kernel_h, kernel_w;
  int32_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
};

Geometry geometry_of(const ReferenceParams& p, const Conv2DParams& a) {
  const Shape x = p.input(0).shape, w = p.input(1).shape, y = p.output(0).shape;
  const Padding pad = resolve_padding(a.padding, x[1], x[2], w[1], w[2], a.stride_h, a.stride_w,
                                      a.dilation_h, a.dilation_w);
  return {x[0], x[1],       x[2],       x[3],         y[1],         y[2],    y[3],    w[1],
          w[2], a.stride_h, a.stride_w, a.dilation_h, a.dilation_w, pad.top, pad.left};
}

// Calls f(tap, pixel) for each tap of the window of output (oy, ox) that lies inside the image: the
// index of the tap in the kernel and the pixel's place among all pixels of the input.
template <typename F>
void for_each_tap(const Geometry& g, int32_t n, int32_t oy, int32_t ox, F&& f) {
  for (int32_t ky = 0; ky < g.kernel_h; ++ky) {
    const int64_t iy = int64_t{oy} * g.stride_h - g.pad_top + int64_t{ky} * g.dilation_h;
    if (iy < 0 || iy >= g.in_h) continue;
    for (int32_t kx = 0; kx < g.kernel_w; ++kx) {
      const int64_t ix = int64_t{ox} * g.stride_w - g.pad_left + int64_t{kx} * g.dilation_w;
      if (ix < 0 || ix >= g.in_w) continue;
      f(int64_t{ky} * g.kernel_w + kx, (int64_t{n} * g.in_h + iy) * g.in_w + ix);
    }
  }
}

template <typename F>
void for_each_pixel(int32_t batch, int32_t height, int32_t width, F&& f) {
  for (int32_t n = 0; n < batch; ++n)
    for (int32_t y = 0; y < height; ++y)
      for (int32_t x = 0; x < width; ++x) f(n, y, x);
}

template <typename A>
void conv(const Tile& tile, const Geometry& g, int32_t group_in, const A& arithmetic) {
  const auto* x = input<typename A::X>(tile, 0);
  const auto* w = input<typename A::Weight>(tile, 1);
  auto* y = output<typename A::Y>(tile, 0);
  const int32_t group_out = g.out_c / (g.in_c / group_in);
  const int64_t filter = int64_t{g.kernel_h} * g.kernel_w * group_in;
  for_each_pixel(g.batch, g.out_h, g.out_w, [&](int32_t n, int32_t oy, int32_t ox) {
    for (int32_t o = 0; o < g.out_c; ++o) {
      const auto* own_x = x + o / group_out * group_in;
      const auto* own_w = w + o * filter;
      typename A::Sum sum = 0;
      for_each_tap(g, n, oy, ox, [&](int64_t tap, int64_t pixel) {
        sum += arithmetic.dot(own_x + pixel * g.in_c, own_w + tap * group_in, group_in);
      });
      *y++ = arithmetic.finish(sum, o);
    }
  });
}

template <typename A>
void depthwise(const Tile& tile, const Geometry& g, const A& arithmetic) {
  const auto* x = input<typename A::X>(tile, 0);
  const auto* w = input<typename A::Weight>(tile, 1);
  auto* y = output<typename A::Y>(tile, 0);
  const int32_t multiplier = g.out_c / g.in_c;
  for_each_pixel(g.batch, g.out_h, g.out_w, [&](int32_t n, int32_t oy, int32_t ox) {
    for (int32_t begin = 0; begin < g.out_c; begin += kBlock) {
      const int32_t count = std::min(kBlock, g.out_c - begin);
      typename A::Sum sums[kBlock] = {};
      for_each_tap(g, n, oy, ox, [&](int64_t tap, int64_t pixel) {
        const auto* tap_x = x + pixel * g.in_c;
        const auto* tap_w = w + tap * g.out_c + begin;
        if (multiplier == 1) {
          for (int32_t c = 0; c < count; ++c)
            sums[c] += arithmetic.product(tap_x[begin + c], tap_w[c]);
        } else {
          for (int32_t c = 0; c < count; ++c)
            sums[c] += arithmetic.product(tap_x[(begin + c) / multiplier], tap_w[c]);
        }
      });
      for (int32_t c = 0; c < count; ++c) *y++ = arithmetic.finish(sums[c], begin + c);
    }
  });
}

// The index of the input row (or column) that tap k adds to output row o, or -1: the one with
// i * stride - pad + k == o.
int64_t source_of(int64_t o, int64_t k, int64_t pad, int64_t stride, int64_t size) {
  const int64_t shifted = o + pad - k;
  if (shifted < 0 || shifted % stride != 0) return -1;
  return shifted / stride < size ? shifted / stride : -1;
}

// Every output gathers from the inputs whose (transposed) windows cover it.
template <typename A>
void transpose_conv(const Tile& tile, const Geometry& g, const A& arithmetic) {
  const auto* x = input<typename A::X>(tile, 0);
  const auto* w = input<typename A::Weight>(tile, 1);
  auto* y = output<typename A::Y>(tile, 0);
  const int64_t filter = int64_t{g.kernel_h} * g.kernel_w * g.in_c;
  for_each_pixel(g.batch, g.out_h, g.out_w, [&](int32_t n, int32_t oy, int32_t ox) {
    for (int32_t o = 0; o < g.out_c; ++o) {
      typename A::Sum sum = 0;
      for (int32_t ky = 0; ky < g.kernel_h; ++ky) {
        const int64_t iy = source_of(oy, ky, g.pad_top, g.stride_h, g.in_h);
        if (iy < 0) continue;
        for (int32_t kx = 0; kx < g.kernel_w; ++kx) {
          const int64_t ix = source_of(ox, kx, g.pad_left, g.stride_w, g.in_w);
          if (ix < 0) continue;
          const int64_t pixel = (int64_t{n} * g.in_h + iy) * g.in_w + ix;
          const int64_t tap = int64_t{ky} * g.kernel_w + kx;
          sum += arithmetic.dot(x + pixel * g.in_c, w + o * filter + tap * g.in_c, g.in_c);
        }
      }
      *y++ = arithmetic.finish(sum, o);
    }
  });
}

}  // namespace

void reference_Conv2D(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& a = p.as<Conv2DParams>();
  const Geometry g = geometry_of(p, a);
  visit_arithmetic(tile, p, a.activation,
                   [&](const auto& arithmetic) { conv(tile, g, p.input(1).shape[3], arithmetic); });
}

void reference_DepthwiseConv2D(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& a = p.as<DepthwiseConv2DParams>();
  const Geometry g = geometry_of(p, a);
  visit_arithmetic(tile, p, a.activation,
                   [&](const auto& arithmetic) { depthwise(tile, g, arithmetic); });
}

void reference_TransposeConv2D(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& a = p.as<TransposeConv2DParams>();
  const Shape x = p.input(0).shape, w = p.input(1).shape, y = p.output(0).shape;
  // The padding is that of the convolution from y to x.
  const Padding pad = resolve_padding(a.padding, y[1], y[2], w[1], w[2], a.stride_h, a.stride_w);
  const Geometry g = {x[0], x[1],       x[2],       x[3], y[1], y[2],    y[3],    w[1],
                      w[2], a.stride_h, a.stride_w, 1,    1,    pad.top, pad.left};
  visit_arithmetic(tile, p, a.activation,
                   [&](const auto& arithmetic) { transpose_conv(tile, g, arithmetic); });
}

}  // namespace pj
