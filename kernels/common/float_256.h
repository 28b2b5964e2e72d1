// Vectors of floats for the hand-written kernels (kernels/common/float_vector.h): AVX2 with FMA
// and F16C.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "kernels/common/instructions_x86.h"
#include "kernels/common/requantize.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

struct Float256 {
  using Vec = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kPanelVectors = 1;  // registers of a panel of a convolution's weights
  static constexpr int kInputs = 1;        // k's that a register of inputs holds
  // Pixels of the blocks of 4, 2 and 1 panels that fit the registers, from the largest on.
  using Blocks4 = std::integer_sequence<int, 3, 2, 1>;
  using Blocks2 = std::integer_sequence<int, 6, 5, 4, 3, 2, 1>;
  using Blocks1 = std::integer_sequence<int, 12, 8, 6, 4, 2, 1>;
  // Pixels of a row from which on one panel is better than two: of none, two make fewer loads.
  static constexpr int kOnePanelCols = std::numeric_limits<int>::max();

  PJ_INLINE static Vec set(float x) { return _mm256_set1_ps(x); }
  PJ_INLINE static Vec load(const float* p) { return _mm256_loadu_ps(p); }
  PJ_INLINE static Vec load(const Half* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  // The first `count` lanes, zeros after; reads no others.
  PJ_INLINE static Vec load_part(const float* p, int32_t count) {
    return _mm256_maskload_ps(p, mask(count));
  }
  PJ_INLINE static void store(float* p, Vec x) { _mm256_storeu_ps(p, x); }
  PJ_INLINE static void store_part(float* p, Vec x, int32_t count) {
    _mm256_maskstore_ps(p, mask(count), x);
  }
  PJ_INLINE static Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
  PJ_INLINE static Vec subtract(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
  // a * b + acc, rounded once.
  PJ_INLINE static Vec fma(Vec acc, Vec a, Vec b) { return _mm256_fmadd_ps(a, b, acc); }
  // acc = fma(acc, a, b).
  PJ_INLINE static void accumulate(Vec& acc, Vec a, Vec b) { add_product(acc, a, b); }
  // The same with *b in all lanes.
  PJ_INLINE static void accumulate(Vec& acc, Vec a, const float* b) { accumulate(acc, a, set(*b)); }
  // NaN stays NaN: where there is one, x86 gives the second operand.
  PJ_INLINE static Vec at_least(Vec x, Vec low) { return _mm256_max_ps(low, x); }
  PJ_INLINE static Vec at_most(Vec x, Vec high) { return _mm256_min_ps(high, x); }
  // The sums over the lanes of kLanes vectors.
  PJ_INLINE static Vec sums(const Vec (&x)[kLanes]) {
    // Four vectors become one of four sums for each 128 bits.
    auto four = [](Vec a, Vec b, Vec c, Vec d) {
      const Vec ab = add(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
      const Vec cd = add(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
      return add(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
    };
    const Vec low = four(x[0], x[1], x[2], x[3]), high = four(x[4], x[5], x[6], x[7]);
    return add(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
  }

 private:
  PJ_INLINE static __m256i mask(int32_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

using Floats = Float256;

}  // namespace
}  // namespace pj
