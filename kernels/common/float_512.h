// Vectors of floats for the hand-written kernels (kernels/common/float_vector.h): AVX-512.
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

struct Float512 {
  using Vec = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kPanelVectors = 1;  // registers of a panel of a convolution's weights
  static constexpr int kInputs = 1;        // k's that a register of inputs holds
  // Pixels of the blocks of 4, 2 and 1 panels that fit the registers, from the largest on.
  using Blocks4 = std::integer_sequence<int, 6, 4, 3, 2, 1>;
  using Blocks2 = std::integer_sequence<int, 12, 8, 6, 4, 2, 1>;
  using Blocks1 = std::integer_sequence<int, 24, 16, 8, 4, 2, 1>;
  // Pixels of a row from which on one panel is better than two: of none, two make fewer loads.
  static constexpr int kOnePanelCols = std::numeric_limits<int>::max();

  PJ_INLINE static Vec set(float x) { return _mm512_set1_ps(x); }
  PJ_INLINE static Vec load(const float* p) { return _mm512_loadu_ps(p); }
  PJ_INLINE static Vec load(const Half* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  // The first `count` lanes, zeros after; reads no others.
  PJ_INLINE static Vec load_part(const float* p, int32_t count) {
    return _mm512_maskz_loadu_ps(mask(count), p);
  }
  PJ_INLINE static void store(float* p, Vec x) { _mm512_storeu_ps(p, x); }
  PJ_INLINE static void store_part(float* p, Vec x, int32_t count) {
    _mm512_mask_storeu_ps(p, mask(count), x);
  }
  PJ_INLINE static Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
  // a * b + acc, rounded once.
  PJ_INLINE static Vec fma(Vec acc, Vec a, Vec b) { return _mm512_fmadd_ps(a, b, acc); }
  // acc = fma(acc, a, b).
  PJ_INLINE static void accumulate(Vec& acc, Vec a, Vec b) { add_product(acc, a, b); }
  // The same with *b in all lanes.
  PJ_INLINE static void accumulate(Vec& acc, Vec a, const float* b) { add_product(acc, a, b); }
  // NaN stays NaN: where there is one, x86 gives the second operand.
  PJ_INLINE static Vec at_least(Vec x, Vec low) { return _mm512_max_ps(low, x); }
  PJ_INLINE static Vec at_most(Vec x, Vec high) { return _mm512_min_ps(high, x); }
  // The sums over the lanes of kLanes vectors.
  PJ_INLINE static Vec sums(const Vec (&x)[kLanes]) {
    Vec four[4];
    for (int i = 0; i < 4; ++i) four[i] = quarter_sums(x + 4 * i);
    auto halves = [](Vec a, Vec b) {
      return add(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    };
    return halves(halves(four[0], four[1]), halves(four[2], four[3]));
  }

  // For two pixels of eight channels: p[0] to p[7] in both halves.
  PJ_INLINE static Vec load_twice(const float* p) {
    return _mm512_maskz_broadcast_f32x8(kAll, _mm256_loadu_ps(p));
  }
  PJ_INLINE static Vec load_twice(const Half* p) {
    return _mm512_maskz_broadcast_f32x8(
        kAll, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  // The sums over the halves of kLanes / 2 vectors: those of x[0], then those of x[1], ...
  PJ_INLINE static Vec half_sums(const Vec (&x)[kLanes / 2]) {
    const Vec low = quarter_sums(x), high = quarter_sums(x + 4);
    const Vec halves =
        add(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd));
    const __m512i order = _mm512_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    return _mm512_permutexvar_ps(order, halves);
  }

  // For pairs of k's in neighbouring lanes: p[0] and p[1] in all pairs of lanes; x and zero.
  PJ_INLINE static Vec pair(const float* p) {
    return _mm512_castpd_ps(
        _mm512_broadcastsd_pd(_mm_loadl_pd(__m128d{}, reinterpret_cast<const double*>(p))));
  }
  PJ_INLINE static Vec half_pair(float x) { return _mm512_maskz_mov_ps(kEven, set(x)); }
  // Eight floats in the even lanes.
  PJ_INLINE static Vec load_even(const float* p) { return _mm512_maskz_expandloadu_ps(kEven, p); }
  // Sums of neighbouring lanes, of a and then of b.
  PJ_INLINE static Vec pair_sums(Vec a, Vec b) {
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    return add(_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b));
  }
  // Stores the first `count` lanes of a half. (A masked instruction that extracts to memory would
  // touch all lanes.)
  template <int half>
  PJ_INLINE static void store_half(float* p, Vec x, int32_t count) {
    if constexpr (half == 1) x = _mm512_shuffle_f32x4(x, x, 0xee);
    store_part(p, x, count);
  }

 private:
  static constexpr __mmask16 kEven = 0x5555, kAll = 0xffff;

  // Of each 128 bits of four vectors, the four sums.
  PJ_INLINE static Vec quarter_sums(const Vec* x) {
    const Vec ab = add(_mm512_unpacklo_ps(x[0], x[1]), _mm512_unpackhi_ps(x[0], x[1]));
    const Vec cd = add(_mm512_unpacklo_ps(x[2], x[3]), _mm512_unpackhi_ps(x[2], x[3]));
    return add(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
  }

  PJ_INLINE static __mmask16 mask(int32_t count) {
    return static_cast<__mmask16>((1U << count) - 1);
  }
};

using Floats = Float512;

}  // namespace
}  // namespace pj
