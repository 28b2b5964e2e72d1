// AVX512 in software, for the tests of its kernels on a CPU with AVX2 only: the compiler includes
// this first in each file of those levels, which it then builds for AVX2. The names of the
// intrinsics become macros of SIMDe's; those that its release 0.7.4 has not, or leaves to the
// compiler's own header, follow here. What each computes: Intel Intrinsics Guide.
#pragma once
#pragma GCC system_header

#include <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>

#include <cstdint>
#include <cstring>

// How kernels ask whether there is AVX512. For SIMDe, above, there is none.
#define __AVX512F__ 1
#if PJ_EMULATED_VNNI
#define __AVX512VNNI__ 1
#endif

namespace pj_emulated {

#define PJ_EMULATED [[gnu::always_inline]] inline

// Two halves of 256 bits.
template <typename Half, typename V>
PJ_EMULATED Half half(V v, int i) {
  Half h;
  std::memcpy(&h, reinterpret_cast<const char*>(&v) + 32 * i, 32);
  return h;
}
template <typename V, typename Half>
PJ_EMULATED V joined(Half low, Half high) {
  V v;
  std::memcpy(&v, &low, 32);
  std::memcpy(reinterpret_cast<char*>(&v) + 32, &high, 32);
  return v;
}

PJ_EMULATED __m512 floats(__m512i x) {
  return joined<__m512>(_mm256_cvtepi32_ps(half<__m256i>(x, 0)),
                        _mm256_cvtepi32_ps(half<__m256i>(x, 1)));
}
PJ_EMULATED __m512i rounded(__m512 x) {
  return joined<__m512i>(_mm256_cvtps_epi32(half<__m256>(x, 0)),
                         _mm256_cvtps_epi32(half<__m256>(x, 1)));
}
PJ_EMULATED __m512 widened(__m256i x) {
  return joined<__m512>(_mm256_cvtph_ps(_mm256_castsi256_si128(x)),
                        _mm256_cvtph_ps(_mm256_extracti128_si256(x, 1)));
}

// Elements that the mask names, from their own places; others are zero and not read.
template <typename E, typename V>
PJ_EMULATED V load(uint64_t mask, const void* p) {
  constexpr int kElements = sizeof(V) / sizeof(E);
  E elements[kElements] = {};
  for (int i = 0; i < kElements; ++i)
    if (mask >> i & 1) std::memcpy(elements + i, static_cast<const E*>(p) + i, sizeof(E));
  V v;
  std::memcpy(&v, elements, sizeof v);
  return v;
}
// The same, where the elements lie side by side.
PJ_EMULATED __m512 expanded(uint64_t mask, const void* p) {
  const auto* next = static_cast<const char*>(p);
  float elements[16] = {};
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i & 1) == 0) continue;
    std::memcpy(elements + i, next, sizeof(float));
    next += sizeof(float);
  }
  __m512 v;
  std::memcpy(&v, elements, sizeof v);
  return v;
}
template <typename E, typename V>
PJ_EMULATED void store(void* p, uint64_t mask, V v) {
  constexpr int kElements = sizeof(V) / sizeof(E);
  E elements[kElements];
  std::memcpy(elements, &v, sizeof v);
  for (int i = 0; i < kElements; ++i)
    if (mask >> i & 1) std::memcpy(static_cast<E*>(p) + i, elements + i, sizeof(E));
}

// Two lanes of a, then two of b.
template <int control>
PJ_EMULATED __m512 lanes(__m512 a, __m512 b) {
  __m128 from[8], to[4];
  std::memcpy(from, &a, 64);
  std::memcpy(from + 4, &b, 64);
  for (int i = 0; i < 4; ++i) to[i] = from[(control >> 2 * i & 3) + i / 2 * 4];
  std::memcpy(&a, to, 64);
  return a;
}

}  // namespace pj_emulated

#undef _mm512_cvtepi32_ps
#define _mm512_cvtepi32_ps pj_emulated::floats
#undef _mm512_cvtps_epi32
#define _mm512_cvtps_epi32 pj_emulated::rounded
#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps pj_emulated::widened
#undef _mm512_shuffle_f32x4
#define _mm512_shuffle_f32x4(a, b, control) pj_emulated::lanes<control>(a, b)
#define _mm512_maskz_expandloadu_ps pj_emulated::expanded
#define _mm512_maskz_loadu_ps pj_emulated::load<float, __m512>
#define _mm512_maskz_loadu_epi32 pj_emulated::load<int32_t, __m512i>
#define _mm512_maskz_loadu_epi8 pj_emulated::load<int8_t, __m512i>
#define _mm256_maskz_loadu_epi8 pj_emulated::load<int8_t, __m256i>
#define _mm_maskz_loadu_epi8 pj_emulated::load<int8_t, __m128i>
#define _mm512_mask_storeu_ps pj_emulated::store<float, __m512>
#define _mm512_mask_storeu_epi8 pj_emulated::store<int8_t, __m512i>
#define _mm256_mask_storeu_epi8 pj_emulated::store<int8_t, __m256i>
#define _mm_mask_storeu_epi8 pj_emulated::store<int8_t, __m128i>
