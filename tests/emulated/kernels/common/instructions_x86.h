// In place of kernels/common/instructions_x86.h where tests run kernels for AVX-VNNI and AVX512 on
// a CPU with AVX2 only: the same functions, with tests/emulated/avx512.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

PJ_INLINE void load_now(__m256i& v, const void* p) { std::memcpy(&v, p, sizeof v); }
PJ_INLINE void settle(__m256i&) {}

PJ_INLINE void add_pairs(__m256i& sum, __m256i x, __m256i w) {
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
}
PJ_INLINE void add_pairs(__m256i& sum, const std::byte* x, __m256i w) {
  add_pairs(sum, _mm256_load_si256(reinterpret_cast<const __m256i*>(x)), w);
}

// Bytes 0 and 2 of each lane as 16-bit numbers, then bytes 1 and 3.
PJ_INLINE void add_quads(__m256i& sum, __m256i x, __m256i w) {
  add_pairs(sum, _mm256_and_si256(x, _mm256_set1_epi16(0xff)),
            _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8));
  add_pairs(sum, _mm256_srli_epi16(x, 8), _mm256_srai_epi16(w, 8));
}

PJ_INLINE void add_product(__m256& acc, __m256 a, __m256 b) { acc = _mm256_fmadd_ps(a, b, acc); }

PJ_INLINE __m256i flipped_quad(const uint8_t* p, __m256i flip) {
  int32_t bytes;
  std::memcpy(&bytes, p, 4);
  return _mm256_xor_si256(_mm256_set1_epi32(bytes), flip);
}

#if defined(__AVX512F__)

PJ_INLINE void load_now(__m512i& v, const void* p) { std::memcpy(&v, p, sizeof v); }
PJ_INLINE void settle(__m512i&) {}
PJ_INLINE __m512i flipped_quad(const uint8_t* p, __m512i flip) {
  int32_t bytes;
  std::memcpy(&bytes, p, 4);
  return _mm512_xor_si512(_mm512_set1_epi32(bytes), flip);
}

PJ_INLINE void add_quads(__m512i& sum, __m512i x, __m512i w) {
  __m256i sums[2], inputs[2], weights[2];
  std::memcpy(sums, &sum, sizeof sum);
  std::memcpy(inputs, &x, sizeof x);
  std::memcpy(weights, &w, sizeof w);
  for (int i = 0; i < 2; ++i) add_quads(sums[i], inputs[i], weights[i]);
  std::memcpy(&sum, sums, sizeof sum);
}
PJ_INLINE void add_quads(__m512i& sum, __m512i x, const void* w) {
  add_quads(sum, x, _mm512_loadu_si512(w));
}

// The dwords of `to` that `mask` names: those at p + 4 * (their number modulo `run`).
template <int run>
PJ_INLINE __m512i merged(__m512i to, __mmask16 mask, const void* p) {
  int32_t dwords[16];
  std::memcpy(dwords, &to, sizeof to);
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i & 1) != 0)
      std::memcpy(dwords + i, static_cast<const int32_t*>(p) + i % run, sizeof(int32_t));
  }
  std::memcpy(&to, dwords, sizeof to);
  return to;
}

template <int bytes>
PJ_INLINE __m512i merge_run(__m512i to, __mmask16 mask, const void* p) {
  static_assert(bytes == 16 || bytes == 32);
  return merged<bytes / 4>(to, mask, p);
}
PJ_INLINE void merge_flipped(__m512i& to, __mmask16 mask, const void* p, __m512i flip) {
  const __m512i x = _mm512_xor_si512(merged<16>(to, mask, p), flip);
  to = merged<16>(to, mask, &x);
}
PJ_INLINE __m512i load_flipped(__mmask16 mask, const void* p, __m512i flip) {
  __m512i x = _mm512_setzero_si512();
  merge_flipped(x, mask, p, flip);
  return x;
}

PJ_INLINE void add_product(__m512& acc, __m512 a, __m512 b) { acc = _mm512_fmadd_ps(a, b, acc); }
PJ_INLINE void add_product(__m512& acc, __m512 a, const float* b) {
  add_product(acc, a, _mm512_set1_ps(*b));
}

#endif  // defined(__AVX512F__)

}  // namespace
}  // namespace pj
