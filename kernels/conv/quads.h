// Integer convolution with AVX2: unsigned bytes times signed ones by vpmaddubsw, which adds two
// products in 16 bits, and only where these cannot overflow.
//
//            w[quad][0..16)(4)          packed int8 weights
//   x0[quad] -> acc0[0..16)             mr rows of accumulators; four k's are one dword and are
//   x1[quad] -> acc1[0..16)             broadcast, so that no horizontal addition is needed
//   ...
//
// For all pixels x in [0, 255] and weights a and b, x*a + y*b fits if neither the positive ones nor
// the negative ones of a and b exceed 128 together: 255 * 128 < 2^15. Packing finds for each panel
// pairs of k's of which that is true for all channels (kernels/packing/conv_quads.cc):
//
//   strong    even the pairs of two quads fit together: one sum to 32 bits for both
//   plain     four neighbouring k's
//   shuffled  any four of 16 k's, by vpshufb; what is left is paired with zeros
//   wide      else: bytes are widened to 16 bits, and products of these are summed in 32
//
// A block of pixels lies as bytes in scratch, whatever its window, padding, dilation and number of
// channels, or is read where it is; all panels of weights read it.
//
// Inside, activations are unsigned and outputs signed: int8 inputs have the top bit flipped when
// they are copied, unsigned outputs when they are stored.
#pragma once

#include <immintrin.h>

#include <cstring>

#include "kernels/common/unrolled.h"
#include "kernels/conv/byte_epilogue.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/quad_pixels.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/conv/quad_sums.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

// The output stage of int8 results that are flipped by `flip` when they are stored.
struct QuadStage {
  const OutputStage& exact;
  bool is_unsigned;
  __m256i zero_point;  // int16
  __m256i low, high;   // int8, with the zero point
  __m256i flip;

  QuadStage(const OutputStage& s, bool unsigned_bytes) : exact(s), is_unsigned(unsigned_bytes) {
    const int32_t zero = s.zero_point - (is_unsigned ? 128 : 0);
    zero_point = _mm256_set1_epi16(static_cast<int16_t>(zero));
    low = _mm256_set1_epi8(static_cast<int8_t>(zero + static_cast<int32_t>(s.low)));
    high = _mm256_set1_epi8(static_cast<int8_t>(zero + static_cast<int32_t>(s.high)));
    flip = _mm256_set1_epi8(is_unsigned ? -128 : 0);
  }
};

// One panel and pixels to multiply it with: moved on block by block.
struct QuadBlocks {
  const std::byte* panel;
  const QuadLists& lists;
  const std::byte* x;
  int64_t x_pitch;
  const int32_t* corrections;  // of the sums of each pixel
  std::byte* out;
  int64_t out_pitch;

  void advance(int pixels) {
    x += pixels * x_pitch;
    corrections += pixels;
    out += pixels * out_pitch;
  }
};

// Rounded to nearest even by the conversion. Sums far below the lower limit become INT32_MIN, and
// all that is outside of the limits is moved when it is a byte: the result is that of
// requantize(). With scales below 1 nothing is above the range of int32.
PJ_INLINE __m256i scaled(__m256i sums, const float* scale) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(scale)));
}

PJ_INLINE __m256i limited(__m256i x, const QuadStage& s) {
  return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(x, s.low), s.high), s.flip);
}

// Bytes of two pixels, whose sums are at a and b: each half of the result is one pixel's.
template <int vectors>
PJ_INLINE __m256i requantized(const __m256i* a, const __m256i* b, const float* scale,
                              const QuadStage& s) {
  if constexpr (vectors == 1) {
    __m256i x = _mm256_packs_epi32(scaled(a[0], scale), scaled(b[0], scale));
    x = _mm256_adds_epi16(x, s.zero_point);
    x = limited(_mm256_packs_epi16(x, x), s);
    return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 0, 4, 1, 5, 1, 5));
  } else {
    __m256i x = _mm256_packs_epi32(scaled(a[0], scale), scaled(a[1], scale + 8));
    __m256i y = _mm256_packs_epi32(scaled(b[0], scale), scaled(b[1], scale + 8));
    x = _mm256_packs_epi16(_mm256_adds_epi16(x, s.zero_point), _mm256_adds_epi16(y, s.zero_point));
    return _mm256_permutevar8x32_epi32(limited(x, s), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
}

template <int vectors>
PJ_INLINE void store_pixel(std::byte* out, __m128i x) {
  if (vectors == 1) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out), x);
  } else {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), x);
  }
}

// Panels with scales of 1 or more, which no network needs: by the definition. Sums of a pixel are
// kQuadChannels.
[[gnu::noinline]] void requantize_slowly(const int32_t* sums, int32_t pixels, int32_t channels,
                                         const float* scale, const QuadStage& s, std::byte* out,
                                         int64_t out_pitch) {
  for (int32_t i = 0; i < pixels; ++i, sums += kQuadChannels, out += out_pitch)
    for (int32_t n = 0; n < channels; ++n)
      out[n] = static_cast<std::byte>(requantize(sums[n], scale[n], s.exact));
}

template <int mr, int vectors>
PJ_INLINE void correct(QuadSums& sums, const int32_t* corrections) {
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const __m256i correction = _mm256_set1_epi32(corrections[i]);
    unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
      sums[2 * i + v] = _mm256_add_epi32(sums[2 * i + v], correction);
    });
  });
}

// `blocks` times mr pixels, times 8 * vectors channels; all of them are written.
template <int mr, int vectors>
PJ_INLINE void multiply_blocks(const QuadBlocks& b, const QuadStage& stage, int32_t blocks) {
  const auto& panel = *reinterpret_cast<const QuadPanel*>(b.panel);
  const int32_t* corrections = b.corrections;
  const std::byte* x = b.x;
  std::byte* out = b.out;
  const int64_t out_pitch = b.out_pitch;
  for (; blocks > 0; --blocks, x += mr * b.x_pitch, corrections += mr) {
    QuadSums sums;
    sum_quads<mr, vectors>(b.panel, b.lists, x, b.x_pitch, sums);
    if (panel.corrected != 0) correct<mr, vectors>(sums, corrections);
    if (panel.limited != 0) {
      alignas(32) int32_t stored[mr * kQuadChannels];
      unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
        constexpr int kAt = i / vectors * 2 + i % vectors;
        _mm256_store_si256(reinterpret_cast<__m256i*>(stored + 8 * kAt), sums[kAt]);
      });
      requantize_slowly(stored, mr, 8 * vectors, panel.scale, stage, out, out_pitch);
      out += mr * out_pitch;
      continue;
    }
    unrolled<(mr + 1) / 2>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr int kFirst = 2 * i, kSecond = mr > 1 ? kFirst + 1 : kFirst;
      const __m256i bytes =
          requantized<vectors>(sums + 2 * kFirst, sums + 2 * kSecond, panel.scale, stage);
      store_pixel<vectors>(out, _mm256_castsi256_si128(bytes));
      out += out_pitch;
      if (mr > 1) {
        store_pixel<vectors>(out, _mm256_extracti128_si256(bytes, 1));
        out += out_pitch;
      }
    });
  }
}

template <int mr, int vectors>
[[gnu::noinline]] void multiply(const QuadBlocks& b, const QuadStage& stage, int32_t blocks) {
  multiply_blocks<mr, vectors>(b, stage, blocks);
}

// One pixel times whole panels: a call for each would take as long as its sums do.
[[gnu::noinline]] void multiply_vector(QuadBlocks b, const QuadStage& stage, int32_t panels,
                                       int64_t panel_bytes) {
  for (; panels > 0; --panels, b.panel += panel_bytes, b.out += kQuadChannels)
    multiply_blocks<1, 2>(b, stage, 1);
}

// As many of `pixels` pixels as are blocks of mr, times a panel of which `channels` exist. The rest
// is left.
template <int mr, int vectors>
[[gnu::noinline]] void multiply_panel(QuadBlocks& b, const QuadStage& stage, int32_t& pixels,
                                      int32_t channels) {
  const bool whole = channels == 8 * vectors;
  while (pixels >= mr) {
    // Panels with missing channels are computed whole, elsewhere, and cut.
    std::byte uncut[mr * kQuadChannels];
    QuadBlocks part = b;
    if (!whole) part.out = uncut, part.out_pitch = kQuadChannels;
    const int32_t blocks = whole ? pixels / mr : 1;
    multiply<mr, vectors>(part, stage, blocks);
    for (int i = 0; i < mr && !whole; ++i)
      std::memcpy(b.out + i * b.out_pitch, uncut + i * kQuadChannels,
                  static_cast<size_t>(channels));
    b.advance(blocks * mr);
    pixels -= blocks * mr;
  }
}

// All pixels: blocks of mr, and smaller ones for the rest.
template <int mr, int vectors>
PJ_INLINE void multiply_pixels(QuadBlocks b, const QuadStage& stage, int32_t pixels,
                               int32_t channels) {
  if (pixels >= mr) multiply_panel<mr, vectors>(b, stage, pixels, channels);
  if (pixels >= 4) multiply_panel<4, vectors>(b, stage, pixels, channels);
  if (pixels >= 2) multiply_panel<2, vectors>(b, stage, pixels, channels);
  if (pixels >= 1) multiply_panel<1, vectors>(b, stage, pixels, channels);
}

// All channels of the tile for a block of pixels.
template <int mr>
PJ_INLINE void multiply_channels(const Tile& t, const ConvKernelParams& p, QuadBlocks b,
                                 const QuadStage& stage, int32_t pixels) {
  int32_t c = 0;
  if (pixels == 1) {
    const int32_t panels = t.size[kChannel] / kQuadChannels;
    multiply_vector(b, stage, panels, p.panel_bytes);
    c = panels * kQuadChannels;
    b.panel += panels * p.panel_bytes;
    b.out += c;
  }
  for (; c < t.size[kChannel]; c += kQuadChannels) {
    const int32_t left = t.size[kChannel] - c;
    if (left > 8) {
      multiply_pixels<mr, 2>(b, stage, pixels, left < kQuadChannels ? left : kQuadChannels);
    } else {
      multiply_pixels<mr, 1>(b, stage, pixels, left);
    }
    b.panel += p.panel_bytes;
    b.out += kQuadChannels;
  }
}

// True if a panel of the tile needs the sums of pixels.
PJ_INLINE bool any_corrected(const Tile& t, const ConvKernelParams& p) {
  if (p.weights_zero_point == 0) return false;
  for (int32_t c = 0; c < t.size[kChannel]; c += kQuadChannels) {
    const std::byte* panel = t.in[1] + c / kQuadChannels * p.panel_bytes;
    if (reinterpret_cast<const QuadPanel*>(panel)->corrected != 0) return true;
  }
  return false;
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_quad_conv(const Tile& t) {
  static_assert(std::is_same_v<W, int8_t> && nr == kQuadChannels);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const QuadRows rows(p);
  const QuadLists lists(rows.k);
  const QuadStage stage(p.stage, std::is_unsigned_v<X>);
  const bool corrected = any_corrected(t, p);
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + rows.corrections_at());
  // Rows that follow each other in the output are one run of pixels.
  const int32_t cols = t.size[kCol];
  const std::byte* in_place = std::is_unsigned_v<X> ? pixels_in_place(t, p, rows) : nullptr;
  const bool joined = p.out_row_bytes == cols * p.out_col_bytes;
  const int32_t run = joined ? cols * t.size[kRow] : cols;
  for (int32_t row = 0; row < t.size[kRow]; row += run / cols) {
    for (int32_t first = 0; first < run; first += rows.pixels) {
      const int32_t left = run - first, count = left < rows.pixels ? left : rows.pixels;
      const std::byte* x = t.scratch;
      int64_t pitch = rows.pitch;
      if (in_place != nullptr) {
        pitch = p.in_col_bytes;
        x = in_place + (int64_t{row} * cols + first) * pitch;
      } else {
        copy_pixels<X>(t, p, rows, row, first, count);
      }
      if (corrected) sum_pixels(x, pitch, rows, count, -p.weights_zero_point, corrections);
      multiply_channels<mr>(t, p,
                            {.panel = t.in[1],
                             .lists = lists,
                             .x = x,
                             .x_pitch = pitch,
                             .corrections = corrections,
                             .out = t.out[0] + row * p.out_row_bytes + first * p.out_col_bytes,
                             .out_pitch = p.out_col_bytes},
                            stage, count);
    }
  }
  finish_bytes<X>(t);
}

}  // namespace
}  // namespace pj
