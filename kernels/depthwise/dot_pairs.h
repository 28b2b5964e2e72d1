// AVX2 for dot.h, which has no dot product of bytes: vpmaddwd on pairs of 16-bit numbers. Quads are
// two pairs, rows are widened when they are unpacked, and weights are packed as 16 bits with their
// zero point subtracted. 16 channels.
#pragma once

#include <immintrin.h>

#include <type_traits>

#include "kernels/common/instructions_x86.h"
#include "kernels/depthwise/dot.h"
#include "kernels/depthwise/dot_256.h"

namespace pj {
namespace {

struct DotPairs : Dot256 {
  static constexpr int kChannels = 16;
  static constexpr int kSums = 2;    // accumulators of a vector of pixels
  static constexpr int kPixels = 4;  // vectors of pixels in registers

  template <int G, bool whole>
  PJ_INLINE static Bytes load(const std::byte* const (&at)[G], int32_t channels, uint8_t flip) {
    static_assert(G == 1);
    const __m128i lanes[] = {whole ? load_lane(at[0]) : load_part(at[0], channels)};
    return join(lanes, flip);
  }
  PJ_INLINE static Bytes join(const __m128i (&lanes)[1], uint8_t flip) {
    const __m128i flips = _mm_set1_epi8(static_cast<char>(flip));
    return _mm256_cvtepu8_epi16(_mm_xor_si128(lanes[0], flips));
  }

  PJ_INLINE static void interleave(Bytes (&r)[4]) {
    const __m256i a = r[0], b = r[1], c = r[2], d = r[3];
    r[0] = _mm256_unpacklo_epi16(a, b);
    r[1] = _mm256_unpackhi_epi16(a, b);
    r[2] = _mm256_unpacklo_epi16(c, d);
    r[3] = _mm256_unpackhi_epi16(c, d);
  }

  PJ_INLINE static Sums dot(Sums sum, Bytes x, Bytes w) {
    add_pairs(sum, x, w);
    return sum;
  }

  // From sums to results in memory.
  struct Finish : Finish256 {
    using Finish256::Finish256;

    template <int G>
    PJ_INLINE void store(std::byte* to, int64_t, const Sums (&sums)[2], int32_t) const {
      const __m256i ab = stage.rounded(sums[0], sums[1], scale);
      const __m256i v = _mm256_permute4x64_epi64(stage.bytes(ab, ab), 0x08);
      store_part(to, _mm256_castsi256_si128(v), channels);
    }
  };
};

template <typename X, typename W, int mr, int nr>
void run_dot_pairs(const Tile& t) {
  static_assert(mr == DotPairs::kPixels && nr == DotPairs::kChannels);
  run_dot<DotPairs>(t, std::is_signed_v<X>);
}

}  // namespace
}  // namespace pj
