// Vectors of 256 bits with vpdpbusd on quads for dot.h: 32 channels.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "kernels/common/instructions_x86.h"
#include "kernels/depthwise/dot.h"
#include "kernels/depthwise/dot_256.h"

namespace pj {
namespace {

struct DotYmm : Dot256 {
  static constexpr int kChannels = 32;
  static constexpr int kSums = 4;    // accumulators of a vector of pixels
  static constexpr int kPixels = 2;  // vectors of pixels in registers

  template <int G, bool whole>
  PJ_INLINE static Bytes load(const std::byte* const (&at)[G], int32_t channels, uint8_t flip) {
    const __m256i flips = _mm256_set1_epi8(static_cast<char>(flip));
    if constexpr (G == 1 && whole) {
      return _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at[0])), flips);
    } else if constexpr (G == 1) {
      const __m256i v = _mm256_set_m128i(load_part(at[0] + 16, channels - 16), load_lane(at[0]));
      return _mm256_xor_si256(v, flips);
    } else {
      const __m128i a = whole ? load_lane(at[0]) : load_part(at[0], channels);
      const __m128i b = whole ? load_lane(at[1]) : load_part(at[1], channels);
      return _mm256_xor_si256(_mm256_set_m128i(b, a), flips);
    }
  }

  PJ_INLINE static Bytes join(const __m128i (&lanes)[2], uint8_t flip) {
    return _mm256_xor_si256(_mm256_set_m128i(lanes[1], lanes[0]),
                            _mm256_set1_epi8(static_cast<char>(flip)));
  }

  PJ_INLINE static void interleave(Bytes (&r)[4]) {
    const __m256i ab0 = _mm256_unpacklo_epi8(r[0], r[1]), ab1 = _mm256_unpackhi_epi8(r[0], r[1]);
    const __m256i cd0 = _mm256_unpacklo_epi8(r[2], r[3]), cd1 = _mm256_unpackhi_epi8(r[2], r[3]);
    r[0] = _mm256_unpacklo_epi16(ab0, cd0);
    r[1] = _mm256_unpackhi_epi16(ab0, cd0);
    r[2] = _mm256_unpacklo_epi16(ab1, cd1);
    r[3] = _mm256_unpackhi_epi16(ab1, cd1);
  }

  PJ_INLINE static Sums dot(Sums sum, Bytes x, Bytes w) {
    add_quads(sum, x, w);
    return sum;
  }

  // From sums to results in memory.
  struct Finish : Finish256 {
    using Finish256::Finish256;

    // The first `count` of G pixels.
    template <int G>
    PJ_INLINE void store(std::byte* to, int64_t distance, const Sums (&sums)[4],
                         int32_t count) const {
      const __m256i ab = stage.rounded(sums[0], sums[1], scale);
      const __m256i cd = stage.rounded(sums[2], sums[3], scale + 64);
      const __m256i v = stage.bytes(ab, cd);
      if constexpr (G == 1) {
        if (channels == 32) {
          _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v);
        } else {
          store_lane(to, _mm256_castsi256_si128(v));
          store_part(to + 16, _mm256_extracti128_si256(v, 1), channels - 16);
        }
      } else {
        store_part(to, _mm256_castsi256_si128(v), channels);
        if (count > 1) store_part(to + distance, _mm256_extracti128_si256(v, 1), channels);
      }
    }
  };
};

template <typename X, typename W, int mr, int nr>
void run_dot_ymm(const Tile& t) {
  static_assert(mr == DotYmm::kPixels && nr == DotYmm::kChannels);
  run_dot<DotYmm>(t, std::is_signed_v<X>);
}

}  // namespace
}  // namespace pj
