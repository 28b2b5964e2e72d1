// Integer convolution with AVX2: windows widened to int16, products of pairs of k's by vpmaddwd.
//
//            w[k/2][0..16)(2)           packed int8 weights, widened by the load
//   x0[k/2] -> acc0[0..16)              mr rows of accumulators; a pair of k's is one dword and is
//   x1[k/2] -> acc1[0..16)              broadcast, so that no horizontal addition is needed
//   ...
//
// A tile widens the windows of its pixels once, whatever their padding, dilation and number of
// channels, and all its panels of weights read the result: the inner loop sees two plain matrices.
// Products of two bytes and sums of two such products fit int32, so no value needs care.
//
// Inside, every type is int8: unsigned outputs are int8 ones with the top bit flipped.
#pragma once

#include <immintrin.h>

#include <cstring>
#include <type_traits>

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

// n elements to int16; reads and writes no others.
template <typename X>
PJ_INLINE int16_t* widen_run(const X* x, int32_t n, int16_t* out) {
  for (; n >= 16; n -= 16, x += 16, out += 16) store(out, widen(load(x), X{}));
  if (n >= 8) {
    store(out, _mm256_castsi256_si128(widen(_mm_loadu_si64(x), X{})));
    n -= 8, x += 8, out += 8;
  }
  for (; n > 0; --n) *out++ = *x++;
  return out;
}

PJ_INLINE int16_t* fill_run(int16_t value, int32_t n, int16_t* out) {
  for (; n > 0; --n) *out++ = value;
  return out;
}

// `columns` neighbouring columns of an input row, of which some may be outside.
template <typename X>
PJ_INLINE int16_t* widen_columns(const ConvKernelParams& p, const std::byte* row, int32_t first,
                                 int32_t columns, int16_t pad, int16_t* out) {
  if (row == nullptr) return fill_run(pad, columns * p.in_channels, out);
  const int32_t end = first + columns;
  const int32_t begin_inside = first < 0 ? (end < 0 ? end : 0) : first;
  const int32_t end_inside = end > p.in_width ? p.in_width : end;
  if (begin_inside >= end_inside) return fill_run(pad, columns * p.in_channels, out);
  out = fill_run(pad, (begin_inside - first) * p.in_channels, out);
  out = widen_run(reinterpret_cast<const X*>(row + begin_inside * p.in_col_bytes),
                  (end_inside - begin_inside) * p.in_channels, out);
  return fill_run(pad, (end - end_inside) * p.in_channels, out);
}

// The window of the output pixel at row `row` of the tile and column `col` of the output.
template <typename X>
PJ_INLINE void widen_window(const Tile& t, const ConvKernelParams& p, int32_t row, int32_t col,
                            int16_t pad, int16_t* out) {
  const bool one_run = p.dilation_w == 1 && p.in_col_bytes == p.in_channels;
  const int32_t runs = one_run ? 1 : p.kernel_w;
  const int32_t columns = one_run ? p.kernel_w : 1;
  const int32_t first = col * p.stride_w - p.pad_left;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* in_row = t.rows[row * p.stride_h + ky * p.dilation_h];
    for (int32_t run = 0; run < runs; ++run)
      out = widen_columns<X>(p, in_row, first + run * p.dilation_w, columns, pad, out);
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

// All windows of a row of the tile, and minus the weights' zero point times the sum of each.
template <typename X>
void widen_row(const Tile& t, const ConvKernelParams& p, const WidenedRows& rows, int32_t row,
               int16_t* out, int32_t* corrections) {
  const int16_t pad = *reinterpret_cast<const X*>(t.in[2]);
  const int32_t whole = rows.k / 16 * 16;
  for (int32_t col = 0; col < t.size[kCol]; ++col, out += rows.pitch) {
    if (whole < rows.k) store(out + whole, _mm256_setzero_si256());
    widen_window<X>(t, p, row, t.begin[kCol] + col, pad, out);
    if (p.weights_zero_point != 0)
      corrections[col] = -p.weights_zero_point * sum(out, (rows.k + 15) / 16 * 16);
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

// What the blocks of one panel have in common.
struct WidenedPanel {
  const std::byte* panel;
  int32_t pairs;     // of k's
  int64_t pitch;     // of the widened pixels, in elements
  int32_t channels;  // that exist, at most kPanel
  int64_t out_pitch;
  WidenedStage stage;
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
    x = _mm256_packs_epi16(_mm256_adds_epi16(x, s.zero_point),
                           _mm256_adds_epi16(y, s.zero_point));
    x = _mm256_xor_si256(_mm256_max_epi8(x, s.low), s.flip);
    return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
}

PJ_INLINE void store_channels(std::byte* out, __m128i x, int32_t channels) {
  if (channels == kPanel) return store(out, x);
  if (channels & 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), x);
    x = _mm_unpackhi_epi64(x, x);
    out += 8;
  }
  if (channels & 4) {
    _mm_storeu_si32(out, x);
    x = _mm_srli_si128(x, 4);
    out += 4;
  }
  const int32_t last = _mm_cvtsi128_si32(x);
  std::memcpy(out, &last, static_cast<size_t>(channels & 1));
  if (channels & 2) {
    std::memcpy(out, &last, 2);
    if (channels & 1) out[2] = static_cast<std::byte>(last >> 16);
  }
}

// mr pixels times 8 * vectors channels.
template <int mr, int vectors>
[[gnu::noinline]] void multiply_block(const WidenedPanel& p, const int16_t* x,
                                      const int32_t* corrections, std::byte* out) {
  __m256i acc[mr][vectors];
  const auto* bias = reinterpret_cast<const __m256i*>(p.panel);
  for (int i = 0; i < mr; ++i)
    for (int v = 0; v < vectors; ++v) acc[i][v] = _mm256_loadu_si256(bias + v);
  if (corrections != nullptr) {
    for (int i = 0; i < mr; ++i)
      for (int v = 0; v < vectors; ++v)
        acc[i][v] = _mm256_add_epi32(acc[i][v], _mm256_set1_epi32(corrections[i]));
  }

  const std::byte* w = p.panel + kPanel * 8;
  auto step = [&](int pair) {
    __m256i wide[vectors];
    for (int v = 0; v < vectors; ++v)
      wide[v] = _mm256_cvtepi8_epi16(load(w + pair * kPanel * 2 + v * 16));
    for (int i = 0; i < mr; ++i) {
      int32_t two;
      std::memcpy(&two, x + i * p.pitch + pair * 2, sizeof(two));
      const __m256i both = _mm256_set1_epi32(two);
      for (int v = 0; v < vectors; ++v)
        acc[i][v] = _mm256_add_epi32(acc[i][v], _mm256_madd_epi16(both, wide[v]));
    }
  };
  int32_t pairs = p.pairs;
  for (; pairs >= 2; pairs -= 2, x += 4, w += kPanel * 4) {
    step(0);
    step(1);
  }
  if (pairs != 0) step(0);

  const auto* scale = reinterpret_cast<const float*>(p.panel) + kPanel;
  for (int i = 0; i < mr; i += 2, out += 2 * p.out_pitch) {
    constexpr int kNext = mr > 1 ? 1 : 0;
    const __m256i bytes = requantized<vectors>(acc[i], acc[i + kNext], scale, p.stage);
    store_channels(out, _mm256_castsi256_si128(bytes), p.channels);
    if (kNext) store_channels(out + p.out_pitch, _mm256_extracti128_si256(bytes, 1), p.channels);
  }
}

// All pixels of a row times one panel: blocks of mr, and smaller ones for the rest.
template <int mr, int vectors>
void multiply_panel(const WidenedPanel& p, const int16_t* x, const int32_t* corrections,
                    std::byte* out, int32_t pixels) {
  auto blocks = [&]<int size>(std::integral_constant<int, size>) {
    for (; pixels >= size; pixels -= size, x += size * p.pitch, out += size * p.out_pitch) {
      multiply_block<size, vectors>(p, x, corrections, out);
      if (corrections != nullptr) corrections += size;
    }
  };
  blocks(std::integral_constant<int, mr>{});
  blocks(std::integral_constant<int, 4>{});
  blocks(std::integral_constant<int, 2>{});
  blocks(std::integral_constant<int, 1>{});
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_widened_conv(const Tile& t) {
  static_assert(std::is_same_v<W, int8_t> && nr == kPanel);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const WidenedRows rows(p);
  auto* wide = reinterpret_cast<int16_t*>(t.scratch);
  auto* sums = reinterpret_cast<int32_t*>(t.scratch + t.size[kCol] * rows.pixel_bytes());
  WidenedPanel panel{t.in[1],         rows.pairs, rows.pitch, 0, p.out_col_bytes,
                     WidenedStage(p.stage, std::is_unsigned_v<X>)};
  const int32_t* corrections = p.weights_zero_point != 0 ? sums : nullptr;
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    widen_row<X>(t, p, rows, row, wide, sums);
    std::byte* out = t.out[0] + row * p.out_row_bytes;
    panel.panel = t.in[1];
    for (int32_t c = 0; c < t.size[kChannel]; c += nr, panel.panel += p.panel_bytes, out += nr) {
      const int32_t left = t.size[kChannel] - c;
      panel.channels = left < nr ? left : nr;
      if (left > 8) {
        multiply_panel<mr, 2>(panel, wide, corrections, out, t.size[kCol]);
      } else {
        multiply_panel<mr, 1>(panel, wide, corrections, out, t.size[kCol]);
      }
    }
  }
}

}  // namespace
}  // namespace pj
