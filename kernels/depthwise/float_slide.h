// Depthwise convolution by columns of the input: a window of K x K slides along the row with its
// weights in registers, and an input is loaded once for all outputs of the row that it belongs to.
//
//   K = 3, stride 1                      sums[0]    sums[1]    sums[2]
//   column c, x[0..3)[lanes]             += x * w2  += x * w1  += x * w0     w: columns of weights
//                                        output     to sums[0] to sums[1]
//
// K loads make K * K multiply-adds. With registers for all weights of 3 x 3 windows and loads that
// are instructions of their own, four outputs are computed side by side instead. Columns outside
// the image are not added, so that borders cost nothing; rows outside it are the pad pixel, again
// and again. With dilation, outputs that are a dilation apart form rows of their own.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/float_vector.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
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

inline constexpr int kSlideBlock = 4;

// Outputs [begin, end) of a row see columns of the image only.
struct SlideInside {
  int32_t begin, end;
};

// The same without dilation, with `first` the column under output 0's first tap.
template <int K, int S>
PJ_INLINE SlideInside slide_inside(int32_t first, int32_t width, int32_t outputs) {
  const int32_t begin = first < 0 ? (S - 1 - first) / S : 0;
  const int32_t last = width - K - first;
  const int32_t end = last < 0 ? 0 : last / S + 1;
  return {begin, end < outputs ? end : outputs};
}

// kSlideBlock outputs from `o` on whose columns all exist: an input is loaded once for all of them,
// and nothing moves from register to register.
template <typename V, int K, int S>
PJ_INLINE void slide_block(const SlideRow<K>& r, int32_t o, const Floats::Vec (&w)[K][K],
                           Floats::Vec bias) {
  Floats::Vec sums[kSlideBlock];
  unrolled<kSlideBlock>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = bias; });
  unrolled<K>([&](auto ky) PJ_INLINE_LAMBDA {
    const std::byte* at = r.x[ky] + o * S * r.x_step[ky];
    Floats::Vec xs[(kSlideBlock - 1) * S + K];
    for (Floats::Vec& x : xs) x = V::load_next(at, r.x_step[ky]);
    unrolled<K>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<kSlideBlock>([&](auto i) PJ_INLINE_LAMBDA {
        sums[i] = Floats::fma(sums[i], xs[i * S + kx], w[ky][kx]);
      });
    });
  });
  limit_results<kSlideBlock>(r.low, r.high,
                             [&](auto i) PJ_INLINE_LAMBDA -> Floats::Vec& { return sums[i]; });
  std::byte* out = r.out + o * r.out_step;
  unrolled<kSlideBlock>([&](auto i) PJ_INLINE_LAMBDA {
    Floats::store(reinterpret_cast<float*>(out), sums[i]);
    out += r.out_step;
  });
}

// Output `o`, of the taps that lie inside; the first column of `r` is that of output 0's first tap.
template <int K, int S>
PJ_INLINE void slide_edge(const SlideRow<K>& r, int32_t o, const float* weights, Floats::Vec sum) {
  const int32_t column = r.column + o * S;
  const int32_t begin = column < 0 ? -column : 0;
  const int32_t end = r.end - column < K ? r.end - column : K;
  for (int32_t kx = begin; kx < end; ++kx) {
    unrolled<K>([&](auto ky) PJ_INLINE_LAMBDA {
      const std::byte* x = r.x[ky] + (o * S + kx) * r.x_step[ky];
      const float* w = weights + (ky * K + kx) * Floats::kLanes;
      sum = Floats::fma(sum, Floats::load(reinterpret_cast<const float*>(x)), Floats::load(w));
    });
  }
  Floats::store(reinterpret_cast<float*>(r.out + o * r.out_step), limited(sum, r.low, r.high));
}

// A row without dilation in blocks; the last one may overlap the one before it.
template <int K, int S>
PJ_INLINE void slide_blocks(const SlideRow<K>& r, SlideInside inside, const float* weights,
                            const Floats::Vec (&w)[K][K], Floats::Vec bias) {
  for (int32_t o = 0; o < r.outputs;) {
    if (o == inside.begin) {
      for (; o < inside.end; o += kSlideBlock) {
        if (o + kSlideBlock > inside.end) o = inside.end - kSlideBlock;
        slide_block<Floats, K, S>(r, o, w, bias);
      }
      if (o == r.outputs) break;
    }
    slide_edge<K, S>(r, o++, weights, bias);
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
  const SlideInside inside = slide_inside<K, S>(first, p.in_width, t.size[kCol]);
  const bool blocks = whole && K == 3 && Floats::kInputs > 1 && p.dilation_w == 1 &&
                      inside.end - inside.begin >= kSlideBlock;
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
      r.column = first + phase + (blocks ? 0 : kFirstColumn<K, S> * p.dilation_w);
      for (int32_t ky = 0; ky < K; ++ky) {
        const std::byte* x = t.rows[row * S + ky * p.dilation_h];
        r.x[ky] = (x != nullptr ? x + r.column * p.in_col_bytes : t.in[2]) + offset;
        r.x_step[ky] = x != nullptr ? p.dilation_w * p.in_col_bytes : 0;
      }
      r.out = t.out[0] + row * p.out_row_bytes + phase * p.out_col_bytes + offset;
      r.outputs = (t.size[kCol] - phase + p.dilation_w - 1) / p.dilation_w;
      if constexpr (whole && K == 3 && Floats::kInputs > 1) {
        if (blocks) {
          slide_blocks<K, S>(r, inside, weights, w, Floats::load(bias));
          continue;
        }
      }
      slide_row<K, S, whole>(r, count, w, Floats::load(bias));
    }
  }
}

using SlidePanelFn = void (*)(const Tile&, int32_t channel, int32_t count, const float* bias,
                              const float* weights);
struct SlidePanelFns {
  SlidePanelFn whole = nullptr, part = nullptr;
};

template <int K, int S>
inline constexpr SlidePanelFns kSlide = {slide_panel<K, S, true>, slide_panel<K, S, false>};

// The code for a window; null if there is none.
PJ_INLINE SlidePanelFns slide_for(const ConvKernelParams& p) {
  if (p.kernel_h != p.kernel_w || p.stride_h != p.stride_w) return {};
  if (p.stride_w == 1) {
    return p.kernel_w == 3 ? kSlide<3, 1> : p.kernel_w == 5 ? kSlide<5, 1> : SlidePanelFns{};
  }
  if (p.stride_w != 2 || p.dilation_w != 1) return {};
  return p.kernel_w == 3 ? kSlide<3, 2> : p.kernel_w == 5 ? kSlide<5, 2> : SlidePanelFns{};
}

inline constexpr int32_t kMostSlideTaps = 25;

}  // namespace
}  // namespace pj
