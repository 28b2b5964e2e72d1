// The windows of a block of pixels as runs of unsigned bytes (kernels/conv/quad_rows.h), for
// kernels/conv/quads.h: bytes are copied once and read by every panel of weights.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/conv/conv.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// `count` runs of n bytes, with the top bit flipped if X is signed; reads and writes no others.
// Ends overlap instead of being loops.
template <typename X>
PJ_INLINE void copy_runs(const std::byte* x, int64_t x_step, int64_t n, int32_t count,
                         std::byte* out, int64_t out_step) {
  const __m256i flip = _mm256_set1_epi8(std::is_signed_v<X> ? -128 : 0);
  auto copy_32 = [&](int64_t i) PJ_INLINE_LAMBDA {
    const __m256i v = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_xor_si256(v, flip));
  };
  auto copy_16 = [&](int64_t i) PJ_INLINE_LAMBDA {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm_xor_si128(v, _mm256_castsi256_si128(flip)));
  };
  auto copy_8 = [&](int64_t i) PJ_INLINE_LAMBDA {
    _mm_storeu_si64(out + i, _mm_xor_si128(_mm_loadu_si64(x + i), _mm256_castsi256_si128(flip)));
  };
  auto copy_4 = [&](int64_t i) PJ_INLINE_LAMBDA {
    uint32_t v;
    std::memcpy(&v, x + i, sizeof(v));
    v ^= std::is_signed_v<X> ? 0x80808080U : 0;
    std::memcpy(out + i, &v, sizeof(v));
  };
  auto each = [&](auto copy) PJ_INLINE_LAMBDA {
    for (; count > 0; --count, x += x_step, out += out_step) copy();
  };
  if (n >= 32) {
    each([&]() PJ_INLINE_LAMBDA {
      int64_t i = 0;
#pragma GCC unroll 4
      for (; i + 32 <= n; i += 32) copy_32(i);
      if (i < n) copy_32(n - 32);
    });
  } else if (n >= 16) {
    each([&]() PJ_INLINE_LAMBDA { copy_16(0), copy_16(n - 16); });
  } else if (n >= 8) {
    each([&]() PJ_INLINE_LAMBDA { copy_8(0), copy_8(n - 8); });
  } else if (n >= 4) {
    each([&]() PJ_INLINE_LAMBDA { copy_4(0), copy_4(n - 4); });
  } else {
    each([&]() PJ_INLINE_LAMBDA {
      for (int64_t i = 0; i < n; ++i) out[i] = x[i] ^ std::byte{std::is_signed_v<X> ? 0x80 : 0};
    });
  }
}

// n bytes of padding, which are all the same.
template <typename X>
PJ_INLINE std::byte* fill_run(const Tile& t, int64_t n, std::byte* out) {
  const std::byte pad = *t.in[2] ^ std::byte{std::is_signed_v<X> ? 0x80 : 0};
  for (int64_t i = 0; i < n; ++i) out[i] = pad;
  return out + n;
}

// `columns` neighbouring columns from `first` of an input row, of which some may be outside.
template <typename X>
[[gnu::noinline]] void copy_border(const Tile& t, const ConvKernelParams& p, const std::byte* row,
                                   int32_t first, int32_t columns, std::byte* out) {
  auto inside = [&](int32_t column) {
    const int32_t width = row != nullptr ? p.in_width : 0;
    return column < 0 ? 0 : (column < width ? column : width);
  };
  const int32_t begin = inside(first), end = inside(first + columns);
  const int64_t bytes = int64_t{end - begin} * p.in_channels;
  const int32_t before = end > begin ? begin - first : columns;
  out = fill_run<X>(t, int64_t{before} * p.in_channels, out);
  if (end > begin) copy_runs<X>(row + begin * p.in_col_bytes, 0, bytes, 1, out, 0);
  fill_run<X>(t, int64_t{columns - before} * p.in_channels - bytes, out + bytes);
}

// The windows of `count` output pixels from column `col` of row `row` of the tile.
template <typename X>
[[gnu::noinline]] void copy_windows(const Tile& t, const ConvKernelParams& p, int32_t row,
                                    int32_t col, int32_t count, int64_t pitch, std::byte* out) {
  const bool one_run = p.dilation_w == 1 && p.in_col_bytes == p.in_channels;
  const int32_t runs = one_run ? 1 : p.kernel_w, columns = one_run ? p.kernel_w : 1;
  const int32_t stride = p.stride_w, dilation = p.dilation_w, width = p.in_width;
  const int64_t run_bytes = int64_t{columns} * p.in_channels, col_bytes = p.in_col_bytes;
  int64_t offset = 0;
  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* in_row = t.rows[row * p.stride_h + ky * p.dilation_h];
    for (int32_t run = 0; run < runs; ++run, offset += run_bytes) {
      const int32_t first = (t.begin[kCol] + col) * stride - p.pad_left + run * dilation;
      // Pixels [begin, end) see nothing beyond the sides.
      int32_t begin = first < 0 ? (-first + stride - 1) / stride : 0;
      const int32_t room = width - columns - first;
      int32_t end = room < 0 || in_row == nullptr ? 0 : room / stride + 1;
      if (end > count) end = count;
      if (begin > end) begin = end;
      std::byte* to = out + offset;
      for (int32_t i = 0; i < count; ++i) {
        if (i == begin) i = end;
        if (i < count) copy_border<X>(t, p, in_row, first + i * stride, columns, to + i * pitch);
      }
      if (end > begin)
        copy_runs<X>(in_row + (first + begin * stride) * col_bytes, stride * col_bytes, run_bytes,
                     end - begin, to + begin * pitch, pitch);
    }
  }
}

// Where the first pixel of the tile is, if all its pixels are windows and follow each other in the
// input as they do in the output; null if they have to be copied.
PJ_INLINE const std::byte* pixels_in_place(const Tile& t, const ConvKernelParams& p,
                                           const QuadRows& rows) {
  const int32_t cols = t.size[kCol], first = t.begin[kCol];
  if (p.kernel_h * p.kernel_w * p.stride_h * p.stride_w != 1 || rows.k % kQuadBlock != 0 ||
      first < p.pad_left || first - p.pad_left + cols > p.in_width)
    return nullptr;
  for (int32_t i = 0; i < t.size[kRow]; ++i)
    if (t.rows[i] == nullptr || t.rows[i] != t.rows[0] + int64_t{i} * cols * p.in_col_bytes)
      return nullptr;
  return t.rows[0] + (first - p.pad_left) * p.in_col_bytes;
}

// Copies the windows of `count` pixels to scratch, from pixel `first` of the run that begins with
// row `row` of the tile.
template <typename X>
PJ_INLINE void copy_pixels(const Tile& t, const ConvKernelParams& p, const QuadRows& rows,
                           int32_t row, int32_t first, int32_t count) {
  // What is past the k's counts in sums of pixels.
  for (int32_t i = 1; rows.k % kQuadBlock != 0 && i <= count; ++i)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(t.scratch + (i - 1) * rows.pitch +
                                                rows.k / kQuadBlock * kQuadBlock),
                     _mm_setzero_si128());
  const int32_t cols = t.size[kCol];
  for (int32_t i = 0; i < count;) {
    const int32_t col = (first + i) % cols, r = row + (first + i) / cols, rest = count - i;
    const int32_t piece = cols - col < rest ? cols - col : rest;
    std::byte* out = t.scratch + i * rows.pitch;
    const std::byte* in_row = t.rows[r * p.stride_h];
    const int32_t column = t.begin[kCol] + col;
    const bool one_run = p.kernel_h * p.kernel_w * p.stride_w == 1 && rows.pitch == rows.k &&
                         p.in_col_bytes == rows.k && p.pad_left == 0 &&
                         column + piece <= p.in_width && in_row != nullptr;
    if (one_run) {
      copy_runs<X>(in_row + column * p.in_col_bytes, 0, int64_t{piece} * rows.k, 1, out, 0);
    } else {
      copy_windows<X>(t, p, r, col, piece, rows.pitch, out);
    }
    i += piece;
  }
}

// The sum of each of `count` pixels' bytes, times `factor`.
[[gnu::noinline]] void sum_pixels(const std::byte* x, int64_t pitch, const QuadRows& rows,
                                  int32_t count, int32_t factor, int32_t* out) {
  for (int32_t i = 0; i < count; ++i, x += pitch) {
    __m128i sums = _mm_setzero_si128();
    for (int64_t k = 0; k < rows.k; k += kQuadBlock) {
      const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k));
      sums = _mm_add_epi32(sums, _mm_sad_epu8(v, _mm_setzero_si128()));
    }
    sums = _mm_add_epi32(sums, _mm_unpackhi_epi64(sums, sums));
    out[i] = factor * _mm_cvtsi128_si32(sums);
  }
}

}  // namespace
}  // namespace pj
