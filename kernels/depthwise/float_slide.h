// Depthwise convolution by columns of the input: a window of K x K slides along the row with its
// weights in registers, and an input is loaded once for all outputs of the row that it belongs to.
//
//   K = 3, stride 1                      sums[0]    sums[1]    sums[2]
//   column c, x[0..3)[lanes]             += x * w2  += x * w1  += x * w0     w: columns of weights
//                                        output     to sums[0] to sums[1]
//
// K loads make K * K multiply-adds. Columns outside the image are not added, so that borders cost
// nothing; rows outside it are the pad pixel, again and again. With dilation, outputs that are a
// dilation apart form rows of their own. With registers for all weights of 3 x 3 windows and loads
// that are instructions of their own, kernels/depthwise/float_slide_blocks.h is better.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/float_vector.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
#if defined(__aarch64__)
#include "kernels/depthwise/float_slide_blocks.h"
#endif
#include "kernels/kernel.h"

namespace pj {
namespace {

// A row of output, as the columns of the input that its windows see.
template <int K>
struct SlideRow {
  const std::byte* x[K];  // rows of the window at column `column`, and where outputs go
  int64_t x_step[K];      // bytes between two columns; 0: of the pad pixel
  int32_t column;         // the first one
  int32_t dilation;
  int32_t begin, end;  // columns of the image that windows see; others may not be there
  std::byte* out;
  int64_t out_step;
  int32_t outputs;
  float low, high;
};

// Turns before that of output 0: each adds the S columns that complete an output to the sums of all
// outputs in progress.
template <int K, int S>
inline constexpr int kEarlyTurns = (K - 1) / S;
// From the column under output 0's first tap to the first column of the first turn.
template <int K, int S>
inline constexpr int kFirstColumn = K - S - kEarlyTurns<K, S>* S;

template <int K, int S, bool whole>
PJ_INLINE void slide_row(SlideRow<K> r, int32_t count, const Floats::Vec (&w)[K][K],
                         Floats::Vec bias) {
  constexpr int kSums = kEarlyTurns<K, S> + 1;
  auto load = [&](const std::byte* x) PJ_INLINE_LAMBDA {
    const auto* from = reinterpret_cast<const float*>(x);
    return whole ? Floats::load(from) : Floats::load_part(from, count);
  };
  Floats::Vec sums[kSums];
  unrolled<kSums>([&](auto m) PJ_INLINE_LAMBDA { sums[m] = bias; });
  for (int32_t o = -kEarlyTurns<K, S>; o < r.outputs; ++o) {
    unrolled<S>([&](auto j) PJ_INLINE_LAMBDA {
      if (static_cast<uint32_t>(r.column - r.begin) < static_cast<uint32_t>(r.end - r.begin)) {
        unrolled<K>([&](auto ky) PJ_INLINE_LAMBDA {
          const Floats::Vec xs = load(r.x[ky]);
          unrolled<kSums>([&](auto m) PJ_INLINE_LAMBDA {
            constexpr int kTap = K - S + j - m * S;
            if constexpr (kTap >= 0) sums[m] = Floats::fma(sums[m], xs, w[ky][kTap]);
          });
        });
      }
      r.column += r.dilation;
      unrolled<K>([&](auto ky) PJ_INLINE_LAMBDA { r.x[ky] += r.x_step[ky]; });
    });
    if (o >= 0) {
      const Floats::Vec result = limited(sums[0], r.low, r.high);
      auto* to = reinterpret_cast<float*>(r.out);
      if constexpr (whole) {
        Floats::store(to, result);
      } else {
        Floats::store_part(to, result, count);
      }
      r.out += r.out_step;
    }
    unrolled<kSums - 1>([&](auto m) PJ_INLINE_LAMBDA { sums[m] = sums[m + 1]; });
    sums[kSums - 1] = bias;
  }
}

// Two rows of output of 3 x 3 windows, stride 1, at once, which see four rows of input: what turns
// the loop costs half as much. Just as many registers as AVX2 has: 9 weights, 6 sums, an input.
inline constexpr bool kSlidePairs = Floats::kLanes == 8;

template <typename V>
PJ_INLINE void slide_pair(const SlideRow<3>& r, const std::byte* const (&rows)[4],
                          const int64_t (&steps)[4], int64_t out_row_bytes, const V (&w)[3][3],
                          const float* bias) {
  const std::byte* x[4] = {rows[0], rows[1], rows[2], rows[3]};
  std::byte* out = r.out;
  int32_t column = r.column;
  V sums[2][3];
  unrolled<6>([&](auto i) PJ_INLINE_LAMBDA { sums[i / 3][i % 3] = Floats::load(bias); });
  for (int32_t o = -2; o < r.outputs; ++o) {
    if (static_cast<uint32_t>(column - r.begin) < static_cast<uint32_t>(r.end - r.begin)) {
      unrolled<4>([&](auto i) PJ_INLINE_LAMBDA {
        const V xs = Floats::load(reinterpret_cast<const float*>(x[i]));
        unrolled<6>([&](auto j) PJ_INLINE_LAMBDA {
          constexpr int kRow = j / 3, kSum = j % 3, kTap = i - kRow;
          if constexpr (kTap >= 0 && kTap < 3)
            Floats::accumulate(sums[kRow][kSum], xs, w[kTap][2 - kSum]);
        });
      });
    }
    ++column;
    unrolled<4>([&](auto i) PJ_INLINE_LAMBDA { x[i] += steps[i]; });
    if (o >= 0) {
      Floats::store(reinterpret_cast<float*>(out), limited(sums[0][0], r.low, r.high));
      Floats::store(reinterpret_cast<float*>(out + out_row_bytes),
                    limited(sums[1][0], r.low, r.high));
      out += r.out_step;
    }
    unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
      sums[i][0] = sums[i][1];
      sums[i][1] = sums[i][2];
      sums[i][2] = Floats::load(bias);
    });
  }
}

// Channels [channel, channel + count) of a tile. `bias` and `weights` are theirs, kLanes a tap.
template <int K, int S, bool whole>
[[gnu::noinline]] void slide_panel(const Tile& t, int32_t channel, int32_t count, const float* bias,
                                   const float* weights) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const int64_t offset = channel * static_cast<int64_t>(sizeof(float));
  Floats::Vec w[K][K];
  unrolled<K * K>([&](auto tap) PJ_INLINE_LAMBDA {
    w[tap / K][tap % K] = Floats::load(weights + tap * Floats::kLanes);
  });
  SlideRow<K> r;
  r.end = p.in_width;
  r.low = p.low;
  r.high = p.high;
  r.dilation = p.dilation_w;
  r.out_step = p.dilation_w * p.out_col_bytes;
  const int32_t first = t.begin[kCol] * S - p.pad_left;
  int32_t row = 0;
  if constexpr (kSlidePairs && whole && K == 3 && S == 1) {
    r.begin = first < 0 ? 0 : first;
    r.column = first + kFirstColumn<K, S>;
    r.outputs = t.size[kCol];
    for (; p.dilation_w * p.dilation_h == 1 && row + 2 <= t.size[kRow]; row += 2) {
      const std::byte* x[4];
      int64_t steps[4];
      for (int32_t i = 0; i < 4; ++i) {
        const std::byte* from = t.rows[row + i];
        x[i] = (from != nullptr ? from + r.column * p.in_col_bytes : t.in[2]) + offset;
        steps[i] = from != nullptr ? p.in_col_bytes : 0;
      }
      r.out = t.out[0] + row * p.out_row_bytes + offset;
      slide_pair(r, x, steps, p.out_row_bytes, w, bias);
    }
  }
  for (; row < t.size[kRow]; ++row) {
    for (int32_t phase = 0; phase < p.dilation_w && phase < t.size[kCol]; ++phase) {
      r.begin = first + phase < 0 ? 0 : first + phase;
      r.column = first + phase + kFirstColumn<K, S> * p.dilation_w;
      for (int32_t ky = 0; ky < K; ++ky) {
        const std::byte* x = t.rows[row * S + ky * p.dilation_h];
        r.x[ky] = (x != nullptr ? x + r.column * p.in_col_bytes : t.in[2]) + offset;
        r.x_step[ky] = x != nullptr ? p.dilation_w * p.in_col_bytes : 0;
      }
      r.out = t.out[0] + row * p.out_row_bytes + phase * p.out_col_bytes + offset;
      r.outputs = (t.size[kCol] - phase + p.dilation_w - 1) / p.dilation_w;
      slide_row<K, S, whole>(r, count, w, Floats::load(bias));
    }
  }
}

using SlidePanelFn = void (*)(const Tile&, int32_t channel, int32_t count, const float* bias,
                              const float* weights);
struct SlidePanelFns {
  SlidePanelFn whole = nullptr, part = nullptr;
};

// The code for windows of K x K, null if there is none. On ARM, parts of a vector are rare and
// their code is long, so that there is none for them.
#if defined(__aarch64__)
template <int K, int S>
PJ_INLINE SlidePanelFns slide_code(const Tile& t, const ConvKernelParams& p) {
  if constexpr (K == 3) {
    if (!slide_blocks_fit<S>(t, p)) return {};
    return {p.in_order != 0 ? slide_block_panel<S, InOrderSlideBlocks>
                            : slide_block_panel<S, SlideBlocks>};
  } else {
    return {slide_panel<K, S, true>};
  }
}
#else
template <int K, int S>
PJ_INLINE SlidePanelFns slide_code(const Tile&, const ConvKernelParams&) {
  return {slide_panel<K, S, true>, slide_panel<K, S, false>};
}
#endif

// The code for a tile; null if there is none.
PJ_INLINE SlidePanelFns slide_for(const Tile& t, const ConvKernelParams& p) {
  if (p.kernel_h != p.kernel_w || p.stride_h != p.stride_w) return {};
  if (p.stride_w == 1) {
    if (p.kernel_w == 3) return slide_code<3, 1>(t, p);
    if (p.kernel_w == 5) return slide_code<5, 1>(t, p);
  } else if (p.stride_w == 2 && p.dilation_w == 1) {
    if (p.kernel_w == 3) return slide_code<3, 2>(t, p);
    if (p.kernel_w == 5) return slide_code<5, 2>(t, p);
  }
  return {};
}

inline constexpr int32_t kMostSlideTaps = 25;

}  // namespace
}  // namespace pj
