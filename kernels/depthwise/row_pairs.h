// Depthwise convolution of integers with AVX2: vpmaddwd on pairs of rows.
//
//   row 2i     a0 a1 a2 ...  widened to 16 bits                     row y:   (w0 w1) (w2  0)
//   row 2i+1   b0 b1 b2 ...  and interleaved:  a0 b0 a1 b1 ...      row y+1: ( 0 w0) (w1 w2)
//
// Two rows of a panel of 16 channels become pairs of neighbours that one instruction multiplies and
// adds. They stay in scratch, in a ring of as many pairs as a window needs: going down the image,
// each row is interleaved once. Where the window moves by one row, two output rows are computed
// from the same pairs with weights that are moved by a row; where it moves by two, each row by
// itself.
//
// A tile of pixels is computed for 8 channels of the 16 at a time: a column is loaded into a
// register once, and serves all taps of its row and both output rows.
//
// Interleaving permutes channels: bias, scales and weights are packed in that order, and the pack
// instructions at the end invert it.
//
// Operands and parameters are those of kernels/conv/conv.h.
#pragma once

#include <immintrin.h>

#include "kernels/common/instructions_x86.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/conv.h"
#include "kernels/depthwise/dot_lanes.h"
#include "kernels/depthwise/dot_shape.h"
#include "kernels/depthwise/row_pairs_shape.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// Constants of one call.
struct PairTile {
  const Tile& t;
  const ConvKernelParams& p;
  LaneStage stage;
  int32_t pairs;    // of rows under a window
  int32_t in_rows;  // that the tile has
  int64_t slot_bytes, weights_bytes;
};

// A panel, one or two output rows, and a block of pixels of them.
struct PairBlock {
  const std::byte* packed;
  int32_t channels, phase;             // phase: the row of its pair in which the window begins
  const std::byte* slots[kMostPairs];  // of the pairs of rows from the window's first on
  int32_t count;
  std::byte* out;
};

PJ_INLINE __m256i widened(__m128i x, int8_t) { return _mm256_cvtepi8_epi16(x); }
PJ_INLINE __m256i widened(__m128i x, uint8_t) { return _mm256_cvtepu8_epi16(x); }

PJ_INLINE __m256i load_half(const std::byte* x) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
}
PJ_INLINE void store_half(std::byte* to, __m256i x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), x);
}

template <typename X>
PJ_INLINE void interleave(__m128i even, __m128i odd, std::byte* out) {
  const __m256i a = widened(even, X{}), b = widened(odd, X{});
  store_half(out, _mm256_unpacklo_epi16(a, b));
  store_half(out + kPairColumn / 2, _mm256_unpackhi_epi16(a, b));
}

// Interleaves `count` columns of two rows.
template <typename X>
PJ_INLINE std::byte* interleave_columns(const std::byte* a, int64_t a_step, const std::byte* b,
                                        int64_t b_step, int32_t count, std::byte* out) {
#pragma GCC unroll 2
  for (int32_t i = 0; i < count; ++i, a += a_step, b += b_step, out += kPairColumn)
    interleave<X>(load_lane(a), load_lane(b), out);
  return out;
}

// Fills a slot with `columns` columns from input column `first`, of which some may be outside, of
// rows 2 * pair and 2 * pair + 1 of the tile. `channel` is the panel's first; what follows a pixel
// whose panel has fewer channels meets weights that are zero.
template <typename X>
[[gnu::noinline]] void fill_slot(const PairTile& d, int32_t pair, int32_t first, int32_t columns,
                                 int32_t channel, int32_t channels, std::byte* out) {
  const std::byte* pad = d.t.in[2] + channel;  // in whole lines
  const std::byte* rows[2];
  int64_t step[2];
  for (int i = 0; i < 2; ++i) {
    const int32_t row = 2 * pair + i;
    const std::byte* x = row < d.in_rows ? d.t.rows[row] : nullptr;
    step[i] = x != nullptr ? d.p.in_col_bytes : 0;
    rows[i] = x != nullptr ? x + channel : pad;
  }
  const int32_t before = first < 0 ? (-first < columns ? -first : columns) : 0;
  const int32_t room = d.p.in_width - first;
  const int32_t end = room < columns ? (room > before ? room : before) : columns;
  // The last columns of a row may be the last of the input.
  int32_t last = 0;
  while (last < end - before && channels + (room - end + last) * d.p.in_col_bytes < kPairChannels)
    ++last;
  out = interleave_columns<X>(pad, 0, pad, 0, before, out);
  out = interleave_columns<X>(rows[0] + (first + before) * step[0], step[0],
                              rows[1] + (first + before) * step[1], step[1], end - before - last,
                              out);
#pragma GCC unroll 1
  for (int32_t i = end - last; i < end; ++i, out += kPairColumn) {
    __m128i x[2];
    for (int r = 0; r < 2; ++r) x[r] = load_part(rows[r] + (first + i) * step[r], channels);
    interleave<X>(x[0], x[1], out);
  }
  interleave_columns<X>(pad, 0, pad, 0, columns - end, out);
}

// Half of the channels of R rows of kPairPixels pixels: the taps of one pair of rows. Windows of
// `width` columns, `stride` apart; 0: any, as the parameters say.
template <int R, int width, int stride>
PJ_INLINE void add_taps(const ConvKernelParams& p, const std::byte* x, const std::byte* w,
                        int64_t other_row, __m256i (&sums)[R * kPairPixels]) {
  constexpr int C = kPairPixels;
  if constexpr (width != 0 && stride == 1) {
    __m256i columns[C];
    unrolled<C>([&](auto c) PJ_INLINE_LAMBDA { columns[c] = load_half(x + c * kPairColumn); });
    unrolled<width>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
        const __m256i weights = load_half(w + r * other_row + kx * kPairColumn);
        unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
          add_pairs(sums[r * C + c], columns[(kx + c) % C], weights);
        });
      });
      if constexpr (kx + 1 < width) columns[kx % C] = load_half(x + (kx + C) * kPairColumn);
    });
  } else {
    const int64_t step = (stride != 0 ? stride : p.stride_w) * int64_t{kPairColumn};
    auto tap = [&](int64_t kx) PJ_INLINE_LAMBDA {
      unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
        const __m256i weights = load_half(w + r * other_row + kx * kPairColumn);
        unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
          add_pairs(sums[r * C + c], x + c * step + kx * kPairColumn, weights);
        });
      });
    };
    if constexpr (width != 0) {
      unrolled<width>(tap);
    } else {
      for (int32_t kx = 0; kx < p.kernel_w; ++kx) tap(kx);
    }
  }
}

// Panels with scales of 1 or more and fewer pixels than a tile has: by the definition. Sums of a
// pixel are in the order of places.
[[gnu::noinline]] void store_exactly(const int32_t* first, const int32_t* second,
                                     const float* scale, const OutputStage& stage, int32_t channels,
                                     std::byte* out) {
  for (int32_t c = 0; c < channels; ++c) {
    const int32_t place = c % 4 + c / 8 * 4;
    const bool is_second = c / 4 % 2 != 0;
    const int32_t sum = is_second ? second[place] : first[place];
    out[c] = static_cast<std::byte>(requantize(sum, scale[place + (is_second ? 8 : 0)], stage));
  }
}

// Pixels of a panel with missing channels.
template <int count>
[[gnu::noinline]] void store_narrow(const std::byte (*results)[kPairChannels], int32_t channels,
                                    std::byte* out, int64_t out_step) {
#pragma GCC unroll 1
  for (int i = 0; i < count; ++i) store_part(out + i * out_step, load_lane(results[i]), channels);
}

// R rows of the block. The last tile of pixels overlaps the one before it.
template <int R, int width, int stride>
[[gnu::noinline]] void compute_rows(const PairTile& d, const PairBlock& b) {
  constexpr int C = kPairPixels;
  const std::byte* const bias = b.packed + 64;
  const auto* scale = reinterpret_cast<const float*>(bias + kPairChannels * 4);
  const std::byte* const weights =
      b.packed + dot_weights_offset(kPairChannels) + b.phase * d.weights_bytes;
  const int64_t row_weights = int64_t{width != 0 ? width : d.p.kernel_w} * kPairColumn;
  DotPanelHeader header;
  std::memcpy(&header, b.packed, sizeof(header));
  const bool plain = header.limited == 0 && b.count >= C;
  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  const int32_t channels = b.channels;
  const LaneStage& stage = d.stage;
  for (int32_t x = 0; x < b.count; x += C) {
    const int32_t at = x + C <= b.count || b.count < C ? x : b.count - C;
    const int64_t column = int64_t{at} * (stride != 0 ? stride : d.p.stride_w) * kPairColumn;
    // Sums of the second half wait in memory.
    int32_t raw[2][R * C][8];
    auto sum_half = [&](auto half, __m256i(&sums)[R * C]) PJ_INLINE_LAMBDA {
      const __m256i start = load_half(bias + half * 32);
      unrolled<R * C>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = start; });
      const std::byte* w = weights + half * 32;
      const std::byte* const* slot = b.slots;
      const std::byte* const* const end = slot + d.pairs;
      do {
        add_taps<R, width, stride>(d.p, *slot + column + half * 32, w, d.weights_bytes, sums);
        w += row_weights;
      } while (++slot != end);
      unrolled<R * C>([&](auto i) PJ_INLINE_LAMBDA { settle(sums[i]); });
    };
    auto put_aside = [&](auto half, const __m256i(&sums)[R * C]) PJ_INLINE_LAMBDA {
      unrolled<R * C>([&](auto i) PJ_INLINE_LAMBDA {
        store_half(reinterpret_cast<std::byte*>(raw[half][i]), sums[i]);
      });
    };
    {
      __m256i second[R * C];
      sum_half(std::integral_constant<int, 1>{}, second);
      put_aside(std::integral_constant<int, 1>{}, second);
    }
    __m256i sums[R * C];
    sum_half(std::integral_constant<int, 0>{}, sums);
    std::byte* to = b.out + at * col_bytes;
    if (!plain) {
      put_aside(std::integral_constant<int, 0>{}, sums);
      for (int i = 0; i < R * C; ++i) {
        if (at + i % C >= b.count) continue;
        store_exactly(raw[0][i], raw[1][i], scale, d.p.stage, channels,
                      to + i / C * row_bytes + i % C * col_bytes);
      }
      continue;
    }
    const __m256 low = _mm256_loadu_ps(scale), high = _mm256_loadu_ps(scale + 8);
    __m256i rounded[R * C];  // 16 bits
    unrolled<R * C>([&](auto i) PJ_INLINE_LAMBDA {
      const __m256i second = load_half(reinterpret_cast<const std::byte*>(raw[1][i]));
      const __m256 one = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[i]), low);
      const __m256 two = _mm256_mul_ps(_mm256_cvtepi32_ps(second), high);
      rounded[i] = _mm256_packs_epi32(_mm256_cvtps_epi32(one), _mm256_cvtps_epi32(two));
    });
    __m256i bytes[R * C / 2];  // of two pixels each
    unrolled<R * C / 2>([&](auto i) PJ_INLINE_LAMBDA {
      const __m256i two = stage.bytes(rounded[2 * i], rounded[2 * i + 1]);
      bytes[i] = _mm256_permute4x64_epi64(two, 0xd8);
    });
    if (channels == kPairChannels) {
      unrolled<R * C / 2>([&](auto i) PJ_INLINE_LAMBDA {
        std::byte* pixel = to + 2 * i / C * row_bytes + 2 * i % C * col_bytes;
        store_lane(pixel, _mm256_castsi256_si128(bytes[i]));
        store_lane(pixel + col_bytes, _mm256_extracti128_si256(bytes[i], 1));
      });
      continue;
    }
    std::byte results[R * C][kPairChannels];
    unrolled<R * C / 2>([&](auto i) PJ_INLINE_LAMBDA { store_half(results[2 * i], bytes[i]); });
    for (int r = 0; r < R; ++r)
      store_narrow<C>(results + r * C, channels, to + r * row_bytes, col_bytes);
  }
}

template <int R>
PJ_INLINE void compute_block(const PairTile& d, const PairBlock& b) {
  const int32_t width = d.p.kernel_w, stride = d.p.stride_w;
  if (R == 2 && stride == 1 && width == 3) return compute_rows<R, 3, 1>(d, b);
  if (R == 2 && stride == 1 && width == 5) return compute_rows<R, 5, 1>(d, b);
  if (R == 1 && stride == 1 && width == 3) return compute_rows<R, 3, 1>(d, b);
  if (R == 1 && stride == 2 && width == 3) return compute_rows<R, 3, 2>(d, b);
  if (R == 1 && stride == 2 && width == 5) return compute_rows<R, 5, 2>(d, b);
  compute_rows<R, 0, 0>(d, b);
}

// Columns [col, col + count) of all rows of the tile for some panels from channel `first` on.
template <typename X>
PJ_INLINE void run_block(const PairTile& d, int32_t first, int32_t channels, int32_t col,
                         int32_t count) {
  const Tile& t = d.t;
  const ConvKernelParams& p = d.p;
  const int32_t in_first = (t.begin[kCol] + col) * p.stride_w - p.pad_left;
  const int32_t columns = pair_columns(p, count), pairs = d.pairs;
  const int64_t ring_bytes = pairs * d.slot_bytes;
  PairBlock b;
  b.count = count;
  int32_t filled = 0, rows = 1;
  for (int32_t row = 0; row < t.size[kRow]; row += rows) {
    rows = p.stride_h == 1 && row + 1 < t.size[kRow] ? 2 : 1;
    const int32_t in_row = row * p.stride_h, pair = in_row / 2;
    b.phase = in_row % 2;
    int64_t slots[kMostPairs];  // of the pairs under the window, in a ring
    for (int32_t i = 0; i < pairs; ++i) slots[i] = (pair + i) % pairs * d.slot_bytes;
    // First what is read of the input by all panels, while its lines are in L1.
    std::byte* ring = t.scratch;
    for (int32_t c = 0; c < channels; c += kPairChannels, ring += ring_bytes) {
      for (int32_t next = filled > pair ? filled : pair; next < pair + pairs; ++next)
        fill_slot<X>(d, next, in_first, columns, first + c, channels - c,
                     ring + slots[next - pair]);
    }
    ring = t.scratch;
    for (int32_t c = 0; c < channels; c += kPairChannels, ring += ring_bytes) {
      b.channels = channels - c < kPairChannels ? channels - c : kPairChannels;
      for (int32_t i = 0; i < pairs; ++i) b.slots[i] = ring + slots[i];
      b.packed = t.in[1] + (first + c) / kPairChannels * p.panel_bytes;
      b.out = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes + first + c;
      if (rows == 2) {
        compute_block<2>(d, b);
      } else {
        compute_block<1>(d, b);
      }
    }
    filled = pair + pairs;
  }
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_row_pairs(const Tile& t) {
  static_assert(mr == 2 * kPairPixels && nr == kPairChannels);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const PairTile d{t,
                   p,
                   LaneStage(DotStage(p.stage, std::is_signed_v<X>), false),
                   row_pairs(p.kernel_h),
                   (t.size[kRow] - 1) * p.stride_h + p.kernel_h,
                   pair_slot_bytes(p),
                   pair_weights_bytes(p.kernel_h, p.kernel_w)};
  // Blocks of equal size.
  const int32_t cols = t.size[kCol], most = pair_block(p), blocks = (cols + most - 1) / most;
  const int32_t even = (cols + blocks - 1) / blocks;
  const int32_t block = (even + kPairPixels - 1) / kPairPixels * kPairPixels;
  const int32_t together = pair_panels(p) * kPairChannels;
  for (int32_t c = 0; c < t.size[kChannel]; c += together) {
    const int32_t left = t.size[kChannel] - c;
    for (int32_t col = 0; col < cols; col += block) {
      int32_t count = cols - col < block ? cols - col : block, at = col;
      // Too few pixels for a tile take some of the block before them.
      if (count < kPairPixels && cols >= kPairPixels) at = cols - (count = kPairPixels);
      run_block<X>(d, c, left < together ? left : together, at, count);
    }
  }
}

}  // namespace
}  // namespace pj
