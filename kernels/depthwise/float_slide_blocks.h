// Depthwise convolution with windows of 3 x 3 for ARM, by rows of blocks of three or four outputs
// side by side: an input is loaded once for all outputs of a block, and nothing moves from register
// to register. The first column that a row's windows see and the last one may lie outside the
// image: the pad pixel takes their place, so that the ends of rows are blocks like the others.
// With dilation, outputs that are a dilation apart form rows of their own.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/float_vector.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/float_slide_in_order.h"
#include "kernels/depthwise/float_slide_rows.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

struct SlideBlocks {
  template <int S, int B>
  PJ_INLINE static void run(const SlideRows& rows, const Floats::Vec (&w)[3][3],
                            const float* bias) {
    constexpr int kColumns = (B - 1) * S + 3;
    for (int32_t row = 0; row < rows.count; ++row) {
      SlideWindow x = rows.window<S>(row);
      std::byte* out = rows.out + row * rows.out_row_bytes;
      for (int32_t left = rows.blocks; left > 0; --left) {
        Floats::Vec sums[B];
        // Loads, since copies would take the time of multiply-adds.
        unrolled<B>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = FloatNeon::load_again(bias); });
        unrolled<3>([&](auto ky) PJ_INLINE_LAMBDA {
          Floats::Vec xs[kColumns];
          xs[0] = Floats::load(reinterpret_cast<const float*>(x.first[ky]));
          const std::byte* at = x.second[ky];
          unrolled<kColumns - 2>(
              [&](auto c) PJ_INLINE_LAMBDA { xs[c + 1] = FloatNeon::load_next(at, x.step[ky]); });
          const std::byte* const last = left == rows.last_is_pad ? rows.pad : at;
          xs[kColumns - 1] = Floats::load(reinterpret_cast<const float*>(last));
          x.first[ky] = S == 1 ? at - x.step[ky] : at;
          x.second[ky] = S == 1 ? at : at + x.step[ky];
          unrolled<3>([&](auto kx) PJ_INLINE_LAMBDA {
            unrolled<B>([&](auto i) PJ_INLINE_LAMBDA {
              Floats::accumulate(sums[i], xs[i * S + kx], w[ky][kx]);
            });
          });
        });
        limit_results<B>(rows.low, rows.high,
                         [&](auto i) PJ_INLINE_LAMBDA -> Floats::Vec& { return sums[i]; });
        unrolled<B>([&](auto i) PJ_INLINE_LAMBDA {
          Floats::store(reinterpret_cast<float*>(out), sums[i]);
          advance(out, rows.out_step);
        });
      }
    }
  }
};

// Outputs of a row that are a dilation apart, and the columns under them.
struct SlidePhase {
  int32_t first, last;  // column under the first tap of output 0; under the last but one of all
  int32_t outputs;
};

template <int S>
PJ_INLINE SlidePhase slide_phase(const Tile& t, const ConvKernelParams& p, int32_t phase) {
  const int32_t first = t.begin[kCol] * S - p.pad_left + phase;
  const int32_t outputs = (t.size[kCol] - phase + p.dilation_w - 1) / p.dilation_w;
  return {first, first + ((outputs - 1) * S + 1) * p.dilation_w, outputs};
}

// Whether blocks can compute a tile.
template <int S>
bool slide_blocks_fit(const Tile& t, const ConvKernelParams& p) {
  for (int32_t phase = 0; phase < p.dilation_w; ++phase) {
    const SlidePhase row = slide_phase<S>(t, p, phase);
    if (row.outputs < 3 || row.first + p.dilation_w < 0 || row.last >= p.in_width) return false;
  }
  return true;
}

// Of four channels. The signature is that of slide_panel() (kernels/depthwise/float_slide.h).
template <int S, typename Blocks>
[[gnu::noinline]] void slide_block_panel(const Tile& t, int32_t channel, int32_t, const float* bias,
                                         const float* weights) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const int64_t offset = channel * static_cast<int64_t>(sizeof(float));
  Floats::Vec w[3][3];
  unrolled<9>([&](auto tap) PJ_INLINE_LAMBDA {
    w[tap / 3][tap % 3] = Floats::load(weights + tap * Floats::kLanes);
  });
  SlideRows r;
  r.rows = t.rows;
  r.row_step = p.dilation_h;
  r.count = t.size[kRow];
  r.pad = t.in[2] + offset;
  r.step = p.dilation_w * p.in_col_bytes;
  r.out_row_bytes = p.out_row_bytes;
  r.out_step = p.dilation_w * p.out_col_bytes;
  r.low = p.low;
  r.high = p.high;
  for (int32_t phase = 0; phase < p.dilation_w; ++phase) {
    const SlidePhase s = slide_phase<S>(t, p, phase);
    // As few blocks as possible. Five outputs are four and three, of which two again.
    const int32_t blocks = (s.outputs + 3) / 4, most = s.outputs - 3 * blocks;
    const int32_t fours = most < 0 ? blocks - 1 : most, threes = blocks - fours;
    auto run = [&]<int B>(std::integral_constant<int, B>, int32_t o, int32_t count)
                   PJ_INLINE_LAMBDA {
                     if (count == 0) return;
                     const int32_t column = s.first + o * S * p.dilation_w;
                     r.first_at = column < 0 ? -1 : column * p.in_col_bytes + offset;
                     r.second_at = column * p.in_col_bytes + r.step + offset;
                     r.out = t.out[0] + phase * p.out_col_bytes + o * r.out_step + offset;
                     r.blocks = count;
                     const bool last = o + count * B == s.outputs;
                     r.last_is_pad = last && s.last + p.dilation_w >= p.in_width ? 1 : 0;
                     Blocks::template run<S, B>(r, w, bias);
                   };
    run(std::integral_constant<int, 4>{}, 0, fours);
    run(std::integral_constant<int, 3>{}, s.outputs - 3 * threes, threes);
  }
}

}  // namespace
}  // namespace pj
