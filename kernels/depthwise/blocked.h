// Blocked depthwise convolution in portable C++: nr channels of one output pixel at a time. Each
// tap is one vector of inputs times one vector of weights.
//
// Operands and parameters are those of kernels/conv/conv.h, with rows and pad pixel at the tile's
// first channel. Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/blocked.h"

namespace pj {
namespace {

// sum of products minus the weights' zero point times the sum of inputs.
PJ_INLINE void correct(Vector<float>&, const Vector<float>&, int32_t) {}
PJ_INLINE void correct(Vector<uint32_t>& acc, const Vector<uint32_t>& x_sum, int32_t zero) {
  acc -= x_sum * static_cast<uint32_t>(zero);
}

// `whole`: nr channels, one output channel for each input channel.
template <typename X, typename W, int nr, bool whole>
void depthwise_pixel(const Tile& t, const ConvKernelParams& p, int32_t row, int32_t col,
                     int32_t channel, int32_t channels, const std::byte* panel, const W* weights) {
  using Acc = Accumulator<X>;
  constexpr int kVectors = nr / kLanes;
  Vector<Acc> acc[kVectors], x_sum[kVectors] = {};
  for (int v = 0; v < kVectors; ++v)
    acc[v] = load_wide(reinterpret_cast<const Acc*>(panel) + v * kLanes);
  const int32_t multiplier = p.out_channels / p.in_channels;
  // With a multiplier, rows are at the first channel of the input.
  const int32_t in_channel = whole || multiplier == 1 ? channel : t.begin[kChannel] + channel;
  const int32_t first = (t.begin[kCol] + col) * p.stride_w - p.pad_left;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* in_row = t.rows[row * p.stride_h + ky * p.dilation_h];
    for (int32_t kx = 0; kx < p.kernel_w; ++kx, weights += nr) {
      const int32_t in_col = first + kx * p.dilation_w;
      const bool inside = in_row != nullptr && in_col >= 0 && in_col < p.in_width;
      const std::byte* source = (inside ? in_row + in_col * p.in_col_bytes : t.in[2]);
      const X* x = reinterpret_cast<const X*>(source) + in_channel / multiplier;
      X lanes[nr];
      if constexpr (!whole) {
        std::memset(lanes, 0, sizeof(lanes));
        for (int32_t i = 0, phase = in_channel % multiplier; i < channels; ++i) {
          lanes[i] = *x;
          if (++phase == multiplier) {
            phase = 0;
            ++x;
          }
        }
        x = lanes;
      }
      for (int v = 0; v < kVectors; ++v) {
        const Vector<Acc> wide = load_wide(x + v * kLanes);
        acc[v] += wide * load_wide(weights + v * kLanes);
        x_sum[v] += wide;
      }
    }
  }
  if (p.weights_zero_point != 0)
    for (int v = 0; v < kVectors; ++v) correct(acc[v], x_sum[v], p.weights_zero_point);
  std::byte* out = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes;
  store_result<nr>(acc, panel, 0, p, reinterpret_cast<X*>(out) + channel, channels);
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_blocked_depthwise(const Tile& t) {
  static_assert(mr == 1);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  constexpr int64_t kHeader = nr * (std::is_same_v<X, float> ? 4 : 8);
  const int64_t count = int64_t{p.kernel_h} * p.kernel_w * nr;
  const std::byte* panel = t.in[1];
  for (int32_t c = 0; c < t.size[kChannel]; c += nr, panel += p.panel_bytes) {
    const auto* weights =
        widened<W, nr>(reinterpret_cast<const W*>(panel + kHeader), count, t.scratch);
    using Read = std::remove_cvref_t<decltype(*weights)>;
    const int32_t left = t.size[kChannel] - c;
    const bool whole = left >= nr && p.out_channels == p.in_channels;
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      for (int32_t col = 0; col < t.size[kCol]; ++col) {
        if (whole) {
          depthwise_pixel<X, Read, nr, true>(t, p, row, col, c, nr, panel, weights);
        } else {
          depthwise_pixel<X, Read, nr, false>(t, p, row, col, c, left < nr ? left : nr, panel,
                                              weights);
        }
      }
    }
  }
}

}  // namespace
}  // namespace pj
