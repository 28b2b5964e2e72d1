// Vectors of 512 bits for dot.h: 64 channels, vpdpbusd on quads.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "kernels/common/instructions_x86.h"
#include "kernels/depthwise/dot.h"

namespace pj {
namespace {

struct DotZmm {
  using Stage = DotStage;
  static constexpr bool kUnsigned = true;  // inputs, as products see them
  static constexpr bool kPlainStores = false;
  static constexpr bool kMasks = true;  // loads of some channels are as fast as those of all
  using Bytes = __m512i;
  using Sums = __m512i;
  static constexpr int kBytes = 64;
  static constexpr int kChannels = 64;
  static constexpr int kSums = 4;    // accumulators of a vector of pixels
  static constexpr int kPixels = 4;  // vectors of pixels in registers

  template <int G, bool whole>
  PJ_INLINE static Bytes load(const std::byte* const (&at)[G], int32_t channels, uint8_t flip) {
    const __m512i flips = _mm512_set1_epi8(static_cast<char>(flip));
    __m512i v;
    if constexpr (G == 1) {
      v = whole ? _mm512_loadu_si512(at[0]) : _mm512_maskz_loadu_epi8(mask(channels), at[0]);
    } else if constexpr (G == 2) {
      const auto m = static_cast<__mmask32>(mask(channels));
      auto part = [&](int i) PJ_INLINE_LAMBDA {
        return whole ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at[i]))
                     : _mm256_maskz_loadu_epi8(m, at[i]);
      };
      v = _mm512_inserti64x4(_mm512_castsi256_si512(part(0)), part(1), 1);
    } else {
      const auto m = static_cast<__mmask16>(mask(channels));
      auto part = [&](int i) PJ_INLINE_LAMBDA {
        return whole ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(at[i]))
                     : _mm_maskz_loadu_epi8(m, at[i]);
      };
      v = _mm512_inserti32x4(_mm512_castsi128_si512(part(0)), part(1), 1);
      v = _mm512_inserti32x4(v, part(2), 2);
      v = _mm512_inserti32x4(v, part(3), 3);
    }
    return _mm512_xor_si512(v, flips);
  }

  PJ_INLINE static Bytes join(const __m128i (&lanes)[4], uint8_t flip) {
    __m512i v = _mm512_inserti32x4(_mm512_castsi128_si512(lanes[0]), lanes[1], 1);
    v = _mm512_inserti32x4(_mm512_inserti32x4(v, lanes[2], 2), lanes[3], 3);
    return _mm512_xor_si512(v, _mm512_set1_epi8(static_cast<char>(flip)));
  }

  PJ_INLINE static void interleave(Bytes (&r)[4]) {
    const __m512i ab0 = _mm512_unpacklo_epi8(r[0], r[1]), ab1 = _mm512_unpackhi_epi8(r[0], r[1]);
    const __m512i cd0 = _mm512_unpacklo_epi8(r[2], r[3]), cd1 = _mm512_unpackhi_epi8(r[2], r[3]);
    r[0] = _mm512_unpacklo_epi16(ab0, cd0);
    r[1] = _mm512_unpackhi_epi16(ab0, cd0);
    r[2] = _mm512_unpacklo_epi16(ab1, cd1);
    r[3] = _mm512_unpackhi_epi16(ab1, cd1);
  }

  PJ_INLINE static void store(std::byte* p, Bytes v) { _mm512_storeu_si512(p, v); }
  PJ_INLINE static Sums load_sums(const std::byte* p) { return _mm512_loadu_si512(p); }
  PJ_INLINE static void settle(Sums& x) { pj::settle(x); }
  PJ_INLINE static Bytes load_quads(const std::byte* p) {
    Bytes v;
    load_now(v, p);
    return v;
  }
  PJ_INLINE static Sums dot(Sums sum, Bytes x, Bytes w) {
    add_quads(sum, x, w);
    return sum;
  }
  PJ_INLINE static Sums dot_memory(Sums sum, Bytes x, const std::byte* w) {
    add_quads(sum, x, w);
    return sum;
  }
  PJ_INLINE static Bytes set(uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }

  // For dot_direct.h: where the channels of each of G pixels are in a vector, in whole dwords.
  template <int G>
  struct Masks {
    __mmask16 part[G];
    PJ_INLINE explicit Masks(int32_t channels) {
      for (int g = 0; g < G; ++g)
        part[g] = static_cast<__mmask16>(((1U << channels / 4) - 1) << g * 16 / G);
    }
  };
  // Whether load_masked() flips before it puts bytes into `to`, so that `to` has to be flipped.
  template <int G>
  static constexpr bool kFlipsFirst = G == 1;
  // G pixels `distance` bytes apart; where there are none, `to` stays.
  template <int G>
  PJ_INLINE static Bytes load_masked(const std::byte* p, int64_t distance, const Masks<G>& masks,
                                     Bytes to, Bytes flips) {
    if constexpr (G == 1) {
      merge_flipped(to, masks.part[0], p, flips);
      return to;
    } else {
      unrolled<G>([&](auto g) PJ_INLINE_LAMBDA {
        to = merge_run<kBytes / G>(to, masks.part[g], p + g * distance);
      });
      return _mm512_xor_si512(to, flips);
    }
  }
  // The same of pixels that all exist. Of channels that do not, bytes are arbitrary.
  template <int G>
  PJ_INLINE static Bytes load_pixels(const std::byte* p, int64_t distance, const Masks<G>& masks,
                                     Bytes flips) {
    if constexpr (G == 1) {
      return load_flipped(masks.part[0], p, flips);
    } else {
      return load_masked<G>(p, distance, masks, flips, flips);
    }
  }

  PJ_INLINE static __mmask64 mask(int32_t channels) { return ~__mmask64{0} >> (64 - channels); }

  // From sums to results in memory.
  struct Finish {
    __m512 high;
    __m512i zero, lowest, highest, flip;
    const std::byte* scale;
    __mmask64 exists;
    bool limited, whole, plain;

    PJ_INLINE Finish(const DotStage& s, const std::byte* scales, const DotPanelHeader& header,
                     int32_t channels)
        : high(_mm512_set1_ps(s.high)),
          zero(_mm512_set1_epi16(s.zero)),
          lowest(_mm512_set1_epi8(s.lowest)),
          highest(_mm512_set1_epi8(s.highest)),
          flip(_mm512_set1_epi8(static_cast<char>(s.flip))),
          scale(scales),
          exists(mask(channels)),
          limited(header.limited != 0),
          whole(channels == 64),
          plain(header.limited == 0 && s.lowest == -128 && s.highest == 127) {}

    // 32 sums as 16-bit numbers with the zero point, from the scales of vector i.
    PJ_INLINE __m512i rounded(__m512i a, __m512i b, int i, bool limit) const {
      __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(a), _mm512_loadu_ps(scale + i * 64));
      __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(b), _mm512_loadu_ps(scale + i * 64 + 64));
      if (limit) {
        x = _mm512_min_ps(x, high);
        y = _mm512_min_ps(y, high);
      }
      const __m512i packed = _mm512_packs_epi32(_mm512_cvtps_epi32(x), _mm512_cvtps_epi32(y));
      return _mm512_adds_epi16(packed, zero);
    }

    // The first `count` of G pixels.
    template <int G>
    PJ_INLINE void store(std::byte* to, int64_t distance, const Sums (&sums)[4],
                         int32_t count) const {
      if (__builtin_expect(plain, 1)) {
        store_rounded<G>(to, distance, rounded(sums[0], sums[1], 0, false),
                         rounded(sums[2], sums[3], 2, false), count, false);
      } else {
        store_rounded<G>(to, distance, rounded(sums[0], sums[1], 0, limited),
                         rounded(sums[2], sums[3], 2, limited), count, true);
      }
    }

    // The same from what rounded() made of them.
    template <int G>
    PJ_INLINE void store_rounded(std::byte* to, int64_t distance, __m512i ab, __m512i cd,
                                 int32_t count, bool limit) const {
      __m512i v = _mm512_packs_epi16(ab, cd);
      if (limit) v = _mm512_min_epi8(_mm512_max_epi8(v, lowest), highest);
      v = _mm512_xor_si512(v, flip);
      if constexpr (G == 1) {
        if (whole) {
          _mm512_storeu_si512(to, v);
        } else {
          _mm512_mask_storeu_epi8(to, exists, v);
        }
      } else if constexpr (G == 2) {
        const auto half = static_cast<__mmask32>(exists);
        _mm256_mask_storeu_epi8(to, half, _mm512_castsi512_si256(v));
        if (count > 1)
          _mm256_mask_storeu_epi8(to + distance, half, _mm512_extracti64x4_epi64(v, 1));
      } else {
        const auto quarter = static_cast<__mmask16>(exists);
        _mm_mask_storeu_epi8(to, quarter, _mm512_castsi512_si128(v));
        if (count > 1)
          _mm_mask_storeu_epi8(to + distance, quarter, _mm512_extracti32x4_epi32(v, 1));
        if (count > 2)
          _mm_mask_storeu_epi8(to + 2 * distance, quarter, _mm512_extracti32x4_epi32(v, 2));
        if (count > 3)
          _mm_mask_storeu_epi8(to + 3 * distance, quarter, _mm512_extracti32x4_epi32(v, 3));
      }
    }
  };
};

template <typename X, typename W, int mr, int nr>
void run_dot_zmm(const Tile& t) {
  static_assert(mr == DotZmm::kPixels && nr == DotZmm::kChannels);
  run_dot<DotZmm>(t, std::is_signed_v<X>);
}

}  // namespace
}  // namespace pj
