// Integer convolution with AVX2: windows widened to int16, products of pairs of k's by vpmaddwd.
//
//            w[k/2][0..16)(2)           packed int8 weights, widened by the load
//   x0[k/2] -> acc0[0..16)              mr rows of accumulators; a pair of k's is one dword and is
//   x1[k/2] -> acc1[0..16)              broadcast, so that no horizontal addition is needed
//   ...
//
// A tile widens the windows of a block of pixels once, whatever their padding, dilation and number
// of channels, and all its panels of weights read the result: the inner loop sees two plain
// matrices.
// Products of two bytes and sums of two such products fit int32, so no value needs care.
//
// Inside, every type is int8: unsigned outputs are int8 ones with the top bit flipped.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/common/unrolled.h"
#include "kernels/conv/byte_epilogue.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/widened_rows.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

constexpr int kPanel = 16;  // channels of a panel: two registers of accumulators

PJ_INLINE __m256i widen(__m128i x, int8_t) { return _mm256_cvtepi8_epi16(x); }
PJ_INLINE __m256i widen(__m128i x, uint8_t) { return _mm256_cvtepu8_epi16(x); }

PJ_INLINE __m128i load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
PJ_INLINE void store(void* p, __m128i x) { _mm_storeu_si128(static_cast<__m128i*>(p), x); }
PJ_INLINE void store(void* p, __m256i x) { _mm256_storeu_si256(static_cast<__m256i*>(p), x); }

// n elements to int16; reads and writes no others. Ends overlap instead of being loops.
template <typename X>
PJ_INLINE int16_t* widen_run(const X* x, int64_t n, int16_t* out) {
  auto eight = [&](int64_t i) {
    store(out + i, _mm256_castsi256_si128(widen(_mm_loadu_si64(x + i), X{})));
  };
  if (n >= 16) {
    int64_t i = 0;
#pragma GCC unroll 4
    for (; i + 16 <= n; i += 16) store(out + i, widen(load(x + i), X{}));
    if (i < n) store(out + n - 16, widen(load(x + n - 16), X{}));
  } else if (n >= 8) {
    eight(0);
    eight(n - 8);
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = x[i];
  }
  return out + n;
}

PJ_INLINE int16_t* fill_run(int16_t value, int64_t n, int16_t* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = value;
  return out + n;
}

// `columns` neighbouring columns from `first` of an input row, of which some may be outside.
template <typename X>
[[gnu::noinline]] int16_t* widen_border(const ConvKernelParams& p, const std::byte* row,
                                        int32_t first, int32_t columns, int16_t pad, int16_t* out) {
  for (int32_t col = first; col < first + columns; ++col) {
    if (row == nullptr || col < 0 || col >= p.in_width) {
      out = fill_run(pad, p.in_channels, out);
    } else {
      out = widen_run(reinterpret_cast<const X*>(row + col * p.in_col_bytes), p.in_channels, out);
    }
  }
  return out;
}

// The windows of `count` output pixels from column `col` of row `row` of the tile.
template <typename X>
[[gnu::noinline]] void widen_windows(const Tile& t, const ConvKernelParams& p, int32_t row,
                                     int32_t col, int32_t count, int64_t pitch, int16_t* out) {
  const int16_t pad = *reinterpret_cast<const X*>(t.in[2]);
  const bool one_run = p.dilation_w == 1 && p.in_col_bytes == p.in_channels;
  const int32_t runs = one_run ? 1 : p.kernel_w, columns = one_run ? p.kernel_w : 1;
  const int32_t stride = p.stride_w, dilation = p.dilation_w, width = p.in_width;
  const int64_t run_elements = int64_t{columns} * p.in_channels, col_bytes = p.in_col_bytes;
  int64_t offset = 0;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* in_row = t.rows[row * p.stride_h + ky * p.dilation_h];
    for (int32_t run = 0; run < runs; ++run, offset += run_elements) {
      int32_t first = (t.begin[kCol] + col) * stride - p.pad_left + run * dilation;
      int16_t* to = out + offset;
      for (int32_t i = 0; i < count; ++i, first += stride, to += pitch) {
        if (in_row != nullptr && first >= 0 && first + columns <= width) {
          widen_run(reinterpret_cast<const X*>(in_row + first * col_bytes), run_elements, to);
        } else {
          widen_border<X>(p, in_row, first, columns, pad, to);
        }
      }
    }
  }
}

PJ_INLINE int32_t sum(const int16_t* x, int64_t n) {
  __m256i sums = _mm256_setzero_si256();
  for (int64_t i = 0; i < n; i += 16) {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(v, _mm256_set1_epi16(1)));
  }
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  s = _mm_add_epi32(s, _mm_unpackhi_epi64(s, s));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 1)));
}

// k's [begin, begin + k) of the pixels of a pointwise convolution.
template <typename X>
PJ_INLINE void widen_chunk(const Tile& t, const ConvKernelParams& p, const WidenedRows& rows,
                           int32_t begin, int32_t k, int32_t row, int32_t col, int32_t count,
                           int16_t* out) {
  const std::byte* in_row = t.rows[row * p.stride_h];
  for (int32_t i = 0; i < count; ++i, out += rows.pitch) {
    const int32_t column = (t.begin[kCol] + col + i) * p.stride_w - p.pad_left;
    if (k % 16 != 0) store(out + k / 16 * 16, _mm256_setzero_si256());
    if (in_row != nullptr && column >= 0 && column < p.in_width) {
      widen_run(reinterpret_cast<const X*>(in_row + column * p.in_col_bytes) + begin, k, out);
    } else {
      fill_run(*reinterpret_cast<const X*>(t.in[2]), k, out);
    }
  }
}

// The windows of `count` pixels, in one run where pixels are windows, and minus the weights' zero
// point times the sum of each; or the chunk of `k` from `begin` on.
template <typename X>
PJ_INLINE void widen_pixels(const Tile& t, const ConvKernelParams& p, const WidenedRows& rows,
                            int32_t begin, int32_t k, int32_t row, int32_t col, int32_t count,
                            int16_t* out, int32_t* corrections) {
  const std::byte* in_row = t.rows[row * p.stride_h];
  const int32_t first = t.begin[kCol] + col;
  const bool pointwise = p.kernel_h * p.kernel_w == 1 && p.stride_w == 1 && p.pad_left == 0 &&
                         first + count <= p.in_width && in_row != nullptr;
  if (rows.in_chunks()) {
    widen_chunk<X>(t, p, rows, begin, k, row, col, count, out);
  } else if (pointwise && rows.pitch == rows.k && p.in_col_bytes == rows.k) {
    widen_run(reinterpret_cast<const X*>(in_row + first * p.in_col_bytes), int64_t{count} * rows.k,
              out);
  } else {
    const int32_t whole = rows.k / 16 * 16;
    for (int32_t i = 0; whole < rows.k && i < count; ++i)
      store(out + i * rows.pitch + whole, _mm256_setzero_si256());
    widen_windows<X>(t, p, row, col, count, rows.pitch, out);
  }
  const int32_t zero_point = p.weights_zero_point;
  for (int32_t i = 0; i < count; ++i) {
    corrections[i] =
        zero_point == 0 ? 0 : -zero_point * sum(out + i * rows.pitch, (k + 15) / 16 * 16);
  }
}

// The output stage of int8 results that are flipped by `flip` when they are stored.
struct WidenedStage {
  __m256 high;         // upper limit, before the zero point is added
  __m256i zero_point;  // int16
  __m256i low;         // int8, with the zero point
  __m256i flip;

  WidenedStage(const OutputStage& s, bool is_unsigned)
      : high(_mm256_set1_ps(s.high)), flip(_mm256_set1_epi8(is_unsigned ? -128 : 0)) {
    const int32_t zero = s.zero_point - (is_unsigned ? 128 : 0);
    zero_point = _mm256_set1_epi16(static_cast<int16_t>(zero));
    low = _mm256_set1_epi8(static_cast<int8_t>(zero + static_cast<int32_t>(s.low)));
  }
};

constexpr int64_t kSumsBytes = kPanel * 4;

// One panel, or some k's of it, and pixels to multiply it with: moved on block by block.
struct WidenedBlocks {
  const std::byte* panel;
  int64_t weights_at, weight_bytes;  // of the panel, multiples of kWindowUnit * kPanel
  const std::byte* start;            // what sums begin with, for each pixel if pitch is not 0
  int64_t start_pitch;
  std::byte* sums;  // where they are put aside, kSumsBytes a pixel; null: they become results
  const std::byte* x;
  int64_t x_pitch;
  const int32_t* corrections;  // of the sums of each pixel
  std::byte* out;
  int64_t out_pitch;

  void advance(int pixels) {
    x += pixels * x_pitch;
    start += pixels * start_pitch;
    if (sums != nullptr) sums += pixels * kSumsBytes;
    corrections += pixels;
    out += pixels * out_pitch;
  }
};

// Rounded to nearest even by the conversion. Sums far below the lower limit become INT32_MIN, and
// all that is below it is raised when it is a byte: the result is that of requantize().
PJ_INLINE __m256i scaled(__m256i acc, const float* scale, const WidenedStage& s) {
  const __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(scale));
  return _mm256_cvtps_epi32(_mm256_min_ps(x, s.high));
}

// Bytes of two pixels: each half of the result is one pixel's.
template <int vectors>
PJ_INLINE __m256i requantized(const __m256i* a, const __m256i* b, const float* scale,
                              const WidenedStage& s) {
  if constexpr (vectors == 1) {
    __m256i x = _mm256_packs_epi32(scaled(a[0], scale, s), scaled(b[0], scale, s));
    x = _mm256_adds_epi16(x, s.zero_point);
    x = _mm256_xor_si256(_mm256_max_epi8(_mm256_packs_epi16(x, x), s.low), s.flip);
    return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 0, 4, 1, 5, 1, 5));
  } else {
    __m256i x = _mm256_packs_epi32(scaled(a[0], scale, s), scaled(a[1], scale + 8, s));
    __m256i y = _mm256_packs_epi32(scaled(b[0], scale, s), scaled(b[1], scale + 8, s));
    x = _mm256_packs_epi16(_mm256_adds_epi16(x, s.zero_point), _mm256_adds_epi16(y, s.zero_point));
    x = _mm256_xor_si256(_mm256_max_epi8(x, s.low), s.flip);
    return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
}

template <int vectors>
PJ_INLINE void store_pixel(std::byte* out, __m128i x) {
  if (vectors == 1) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), x);
  } else {
    store(out, x);
  }
}

// acc += x * w, in place and here: gcc would collect the products of many steps first, move sums
// from register to register, and run out of them.
PJ_INLINE void multiply_add(__m256i& acc, __m256i x, __m256i w) {
  const __m256i products = _mm256_madd_epi16(x, w);
  asm("vpaddd %1, %0, %0" : "+x"(acc) : "x"(products));
}

// `blocks` times mr pixels, times 8 * vectors channels; all of them are written.
template <int mr, int vectors>
[[gnu::noinline]] void multiply(const WidenedBlocks& b, const WidenedStage& stage, int32_t blocks) {
  const std::byte* const panel = b.panel;
  const std::byte* start = b.start;
  std::byte* sums = b.sums;
  const int64_t start_pitch = b.start_pitch;
  const auto* scale = reinterpret_cast<const float*>(panel) + kPanel;
  const int64_t pitch = b.x_pitch, out_pitch = b.out_pitch;
  const std::byte* const weights = panel + kPanel * 8 + b.weights_at;
  const std::byte* const weights_end = weights + b.weight_bytes;
  const std::byte* pixels = b.x;
  const int32_t* corrections = b.corrections;
  std::byte* out = b.out;
  for (; blocks > 0; --blocks, pixels += mr * pitch, corrections += mr) {
    __m256i acc[mr * vectors];
    unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
      const std::byte* from = start + i / vectors * start_pitch + i % vectors * 32;
      acc[i] = _mm256_add_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)),
                                _mm256_set1_epi32(corrections[i / vectors]));
    });
    start += mr * start_pitch;

    const std::byte* w = weights;
    // Three rows are at x, x + pitch and x + 2 * pitch, the others at the same from another
    // pointer: forms that addresses have.
    const std::byte* x = pixels;
    const std::byte* far = x + 3 * pitch;
    asm("" : "+r"(far));
    auto step = [&](int pair) PJ_INLINE_LAMBDA {
      __m256i wide[vectors];
      unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
        wide[v] = _mm256_cvtepi8_epi16(load(w + pair * kPanel * 2 + v * 16));
      });
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        int32_t two;
        std::memcpy(&two, (i < 3 ? x : far) + i % 3 * pitch + pair * 4, sizeof(two));
        const __m256i both = _mm256_set1_epi32(two);
        unrolled<vectors>(
            [&](auto v) PJ_INLINE_LAMBDA { multiply_add(acc[i * vectors + v], both, wide[v]); });
      });
    };
    do {
      unrolled<kWindowUnit / 2>(step);
      x += kWindowUnit * 2;
      far += kWindowUnit * 2;
      w += kWindowUnit * kPanel;
    } while (w != weights_end);

    if (sums != nullptr) {
      unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
        store(sums + i / vectors * kSumsBytes + i % vectors * 32, acc[i]);
      });
      sums += mr * kSumsBytes;
      continue;
    }
    unrolled<(mr + 1) / 2>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr int kFirst = 2 * i * vectors, kSecond = mr > 1 ? kFirst + vectors : kFirst;
      const __m256i bytes = requantized<vectors>(acc + kFirst, acc + kSecond, scale, stage);
      store_pixel<vectors>(out, _mm256_castsi256_si128(bytes));
      out += out_pitch;
      if (mr > 1) {
        store_pixel<vectors>(out, _mm256_extracti128_si256(bytes, 1));
        out += out_pitch;
      }
    });
  }
}

// As many of `pixels` pixels as are blocks of mr, times a panel of which `channels` exist. The rest
// is left.
template <int mr, int vectors>
[[gnu::noinline]] void multiply_panel(WidenedBlocks& b, const WidenedStage& stage, int32_t& pixels,
                                      int32_t channels) {
  const bool whole = channels == 8 * vectors;
  while (pixels >= mr) {
    // Panels with missing channels are computed whole, elsewhere, and cut.
    std::byte uncut[mr * kPanel];
    WidenedBlocks part = b;
    if (!whole) part.out = uncut, part.out_pitch = kPanel;
    const int32_t blocks = whole ? pixels / mr : 1;
    multiply<mr, vectors>(part, stage, blocks);
    for (int i = 0; i < mr && !whole && b.sums == nullptr; ++i)
      std::memcpy(b.out + i * b.out_pitch, uncut + i * kPanel, static_cast<size_t>(channels));
    b.advance(blocks * mr);
    pixels -= blocks * mr;
  }
}

// All pixels: blocks of mr, and smaller ones for the rest.
template <int mr, int vectors>
PJ_INLINE void multiply_pixels(WidenedBlocks b, const WidenedStage& stage, int32_t pixels,
                               int32_t channels) {
  multiply_panel<mr, vectors>(b, stage, pixels, channels);
  multiply_panel<4, vectors>(b, stage, pixels, channels);
  multiply_panel<2, vectors>(b, stage, pixels, channels);
  multiply_panel<1, vectors>(b, stage, pixels, channels);
}

// All channels of the tile for a block of pixels, which are widened. `b.sums` are those of the
// first panel, if the block is a chunk of k's; `last` of these become results.
template <int mr>
PJ_INLINE void multiply_channels(const Tile& t, const ConvKernelParams& p, WidenedBlocks b,
                                 const WidenedStage& stage, int32_t pixels, int64_t panel_sums,
                                 bool last) {
  std::byte* sums = b.sums;
  for (int32_t c = 0; c < t.size[kChannel]; c += kPanel) {
    const bool first = b.weights_at == 0;
    b.start = first ? b.panel : sums;
    b.start_pitch = first ? 0 : kSumsBytes;
    b.sums = last ? nullptr : sums;
    const int32_t left = t.size[kChannel] - c;
    if (left > 8) {
      multiply_pixels<mr, 2>(b, stage, pixels, left < kPanel ? left : kPanel);
    } else {
      multiply_pixels<mr, 1>(b, stage, pixels, left);
    }
    b.panel += p.panel_bytes;
    b.out += kPanel;
    sums += panel_sums;
  }
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_widened_conv(const Tile& t) {
  static_assert(std::is_same_v<W, int8_t> && nr == kPanel);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const WidenedRows rows(p);
  auto* wide = reinterpret_cast<int16_t*>(t.scratch);
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + rows.pixels * rows.pixel_bytes());
  const WidenedStage stage(p.stage, std::is_unsigned_v<X>);
  // Rows that follow each other in the output are one run of pixels.
  const int32_t cols = t.size[kCol];
  const bool joined = p.out_row_bytes == cols * p.out_col_bytes;
  const int32_t run = joined ? cols * t.size[kRow] : cols;
  for (int32_t row = 0; row < t.size[kRow]; row += run / cols) {
    for (int32_t first = 0; first < run; first += rows.pixels) {
      const int32_t left = run - first, count = left < rows.pixels ? left : rows.pixels;
      for (int32_t begin = 0; begin < rows.k; begin += rows.chunk) {
        const bool last = begin + rows.chunk >= rows.k;
        const int32_t k = last ? rows.k - begin : rows.chunk;
        for (int32_t i = 0; i < count;) {
          const int32_t col = (first + i) % cols, rest = count - i;
          const int32_t piece = cols - col < rest ? cols - col : rest;
          widen_pixels<X>(t, p, rows, begin, k, row + (first + i) / cols, col, piece,
                          wide + i * rows.pitch, corrections + i);
          i += piece;
        }
        multiply_channels<mr>(t, p,
                              {.panel = t.in[1],
                               .weights_at = int64_t{begin} * nr,
                               .weight_bytes = ((last ? rows.k_padded : begin + k) - begin) * nr,
                               .start = nullptr,
                               .start_pitch = 0,
                               .sums = t.scratch + rows.sums_at(),
                               .x = t.scratch,
                               .x_pitch = rows.pixel_bytes(),
                               .corrections = corrections,
                               .out = t.out[0] + row * p.out_row_bytes + first * p.out_col_bytes,
                               .out_pitch = p.out_col_bytes},
                              stage, count, rows.panel_sums_bytes(), last);
      }
    }
  }
  finish_bytes<X>(t);
}

}  // namespace
}  // namespace pj
