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
  int64_t positions_at, choices_at;
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
PJ_INLINE __m256i scaled(__m256i acc, const float* scale) {
  return _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_cvtepi32_ps(acc), _mm256_loadu_ps(scale)));
}

PJ_INLINE __m256i limited(__m256i x, const QuadStage& s) {
  return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(x, s.low), s.high), s.flip);
}

// Bytes of two pixels: each half of the result is one pixel's.
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

// Panels with scales of 1 or more, which no network needs: by the definition.
[[gnu::noinline]] void requantize_slowly(const int32_t* sums, int32_t pixels, int32_t channels,
                                         const float* scale, const QuadStage& s, std::byte* out,
                                         int64_t out_pitch) {
  for (int32_t i = 0; i < pixels; ++i, out += out_pitch)
    for (int32_t n = 0; n < channels; ++n)
      out[n] = static_cast<std::byte>(requantize(*sums++, scale[n], s.exact));
}

// Instructions of which gcc would move the memory operand to a register, and run out of them; and
// sums in place: it would collect the products of many steps first.
PJ_INLINE __m256i pairs(__m256i x, const std::byte* w) {
  __m256i sums;
  asm("vpmaddubsw %2, %1, %0" : "=x"(sums) : "x"(x), "m"(*reinterpret_cast<const __m256i*>(w)));
  return sums;
}
PJ_INLINE void add(__m256i& acc, __m256i x) { asm("vpaddd %1, %0, %0" : "+x"(acc) : "x"(x)); }
PJ_INLINE void add_halves(__m256i& acc, __m256i x, __m256i ones) {
  add(acc, _mm256_madd_epi16(x, ones));
}
alignas(32) constexpr int16_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
// The same with the constant in memory, where there are no registers.
PJ_INLINE void add_halves(__m256i& acc, __m256i x) {
  asm("vpmaddwd %1, %0, %0" : "+x"(x) : "m"(*reinterpret_cast<const __m256i*>(kOnes)));
  add(acc, x);
}

// Where the same four k's, or sixteen, of mr pixels are.
template <int mr>
struct QuadPixels {
  const std::byte* at[mr];

  PJ_INLINE __m256i four(int pixel, int64_t position) const {
    int32_t k;
    std::memcpy(&k, at[pixel] + position * 4, sizeof(k));
    return _mm256_set1_epi32(k);
  }
  PJ_INLINE __m256i sixteen(int pixel, int64_t position) const {
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(at[pixel] + position * 4)));
  }
};

// Calls step(0), step(1) ... `count` times, two calls a turn of the loop; done(2) or done(1) moves
// on.
PJ_INLINE void in_twos(int32_t count, auto&& step, auto&& done) {
  for (; count >= 2; count -= 2) {
    step(0);
    step(1);
    done(2);
  }
  if (count != 0) {
    step(0);
    done(1);
  }
}

// `blocks` times mr pixels, times 8 * vectors channels; all of them are written.
template <int mr, int vectors>
[[gnu::noinline]] void multiply(const QuadBlocks& b, const QuadStage& stage, int32_t blocks) {
  const auto& panel = *reinterpret_cast<const QuadPanel*>(b.panel);
  const int32_t* corrections = b.corrections;
  const std::byte* first = b.x;
  std::byte* out = b.out;
  const int64_t out_pitch = b.out_pitch;
  for (; blocks > 0; --blocks, first += mr * b.x_pitch, corrections += mr) {
    __m256i acc[mr * vectors];
    unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
      acc[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel.bias) + i % vectors);
    });
    if (panel.corrected != 0) {
      unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
        add(acc[i], _mm256_set1_epi32(corrections[i / vectors]));
      });
    }
    QuadPixels<mr> x;
    x.at[0] = first;
    unrolled<mr - 1>([&](auto i) PJ_INLINE_LAMBDA { x.at[i + 1] = x.at[i] + b.x_pitch; });
    const std::byte* w = b.panel + sizeof(QuadPanel);
    const auto* position = reinterpret_cast<const uint16_t*>(b.panel + b.positions_at);
    auto next = [&](int quads) PJ_INLINE_LAMBDA {
      w += quads * kQuadBytes;
      position += quads;
    };

    for (int32_t n = panel.strong; n > 0; n -= 2) {
      const int64_t at[2] = {position[0], position[1]};
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        const __m256i one = x.four(i, at[0]), two = x.four(i, at[1]);
        unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
          add_halves(acc[i * vectors + v],
                     _mm256_add_epi16(pairs(one, w + v * 32), pairs(two, w + kQuadBytes + v * 32)));
        });
      });
      next(2);
    }
    const __m256i ones = _mm256_set1_epi16(1);
    in_twos(
        panel.plain,
        [&](int quad) PJ_INLINE_LAMBDA {
          const int64_t at = position[quad];
          unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
            const __m256i four = x.four(i, at);
            unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
              add_halves(acc[i * vectors + v], pairs(four, w + quad * kQuadBytes + v * 32), ones);
            });
          });
        },
        next);
    const std::byte* choices = b.panel + b.choices_at + (panel.strong + panel.plain) * int64_t{4};
    in_twos(
        panel.shuffled,
        [&](int quad) PJ_INLINE_LAMBDA {
          const int64_t at = position[quad];
          int32_t choice;
          std::memcpy(&choice, choices + quad * 4, sizeof(choice));
          const __m256i chosen = _mm256_set1_epi32(choice);
          unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
            const __m256i four = _mm256_shuffle_epi8(x.sixteen(i, at), chosen);
            unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
              add_halves(acc[i * vectors + v], pairs(four, w + quad * kQuadBytes + v * 32), ones);
            });
          });
        },
        [&](int quads) PJ_INLINE_LAMBDA {
          next(quads);
          choices += quads * 4;
        });
    for (int32_t n = panel.wide; n > 0; --n) {
      int64_t at = position[0];
      unrolled<2>([&](auto odd) PJ_INLINE_LAMBDA {
        // Not the loads of the other half: there are no registers to keep them.
        asm("" : "+r"(at));
        __m256i wide[vectors];
        unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
          wide[v] = _mm256_cvtepi8_epi16(_mm_loadu_si128(
              reinterpret_cast<const __m128i*>(w + odd * (kQuadBytes / 2) + v * 16)));
        });
        unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
          __m256i two = x.four(i, at);
          two = odd ? _mm256_srli_epi16(two, 8) : _mm256_and_si256(two, _mm256_set1_epi16(255));
          unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA {
            add(acc[i * vectors + v], _mm256_madd_epi16(two, wide[v]));
          });
        });
      });
      next(1);
    }

    if (panel.limited != 0) {
      int32_t sums[mr * vectors * 8];
      unrolled<mr * vectors>([&](auto i) PJ_INLINE_LAMBDA {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i * 8), acc[i]);
      });
      requantize_slowly(sums, mr, 8 * vectors, panel.scale, stage, out, out_pitch);
      out += mr * out_pitch;
      continue;
    }
    unrolled<(mr + 1) / 2>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr int kFirst = 2 * i * vectors, kSecond = mr > 1 ? kFirst + vectors : kFirst;
      const __m256i bytes = requantized<vectors>(acc + kFirst, acc + kSecond, panel.scale, stage);
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
  multiply_panel<mr, vectors>(b, stage, pixels, channels);
  multiply_panel<4, vectors>(b, stage, pixels, channels);
  multiply_panel<2, vectors>(b, stage, pixels, channels);
  multiply_panel<1, vectors>(b, stage, pixels, channels);
}

// All channels of the tile for a block of pixels.
template <int mr>
PJ_INLINE void multiply_channels(const Tile& t, const ConvKernelParams& p, QuadBlocks b,
                                 const QuadStage& stage, int32_t pixels) {
  for (int32_t c = 0; c < t.size[kChannel]; c += kQuadChannels) {
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
                             .positions_at = lists.positions_at(),
                             .choices_at = lists.choices_at(),
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
