// What kernels/conv/vnni_block.h needs of an instruction set: AVX-VNNI with VEX encoding, where a
// panel of 16 channels is two registers.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/instructions_x86.h"

namespace pj {
namespace {

struct Vnni256 {
  using Ints = __m256i;
  using Floats = __m256;
  static constexpr int kBytes = 32;         // of a register
  static constexpr int kPanelVectors = 2;   // registers of a panel
  static constexpr int kAccumulators = 12;  // that leave room for weights, an input, the flip
  static constexpr int kMaxPanels = 1;      // side by side

  PJ_INLINE static Ints load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  PJ_INLINE static Ints load_weights(const void* p) { return load(p); }
  PJ_INLINE static Floats load_floats(const void* p) {
    return _mm256_loadu_ps(static_cast<const float*>(p));
  }
  PJ_INLINE static Ints set8(int8_t x) { return _mm256_set1_epi8(x); }
  PJ_INLINE static Ints set16(int16_t x) { return _mm256_set1_epi16(x); }
  PJ_INLINE static Ints set32(int32_t x) { return _mm256_set1_epi32(x); }
  PJ_INLINE static Floats set_float(float x) { return _mm256_set1_ps(x); }
  PJ_INLINE static Ints add32(Ints a, Ints b) { return _mm256_add_epi32(a, b); }
  PJ_INLINE static Ints flipped(Ints x, Ints flip) { return _mm256_xor_si256(x, flip); }
  // Four bytes in all lanes, flipped. All 16 registers are taken, so no two may be there at once.
  PJ_INLINE static Ints quad(const uint8_t* p, Ints flip) { return flipped_quad(p, flip); }
  PJ_INLINE static Ints quad(const uint8_t* p) {
    int32_t bytes;
    std::memcpy(&bytes, p, 4);
    return set32(bytes);
  }
  // acc + the four products of each lane: unsigned bytes x, signed bytes w.
  PJ_INLINE static Ints dot(Ints acc, Ints x, Ints w) {
    add_quads(acc, x, w);
    return acc;
  }

  PJ_INLINE static Floats scaled(Ints acc, Floats scale) {
    return _mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale);
  }
  PJ_INLINE static Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  PJ_INLINE static Ints rounded(Floats x) { return _mm256_cvtps_epi32(x); }
  // True if a lane is 1 or more.
  PJ_INLINE static bool any_above_one(Floats x) {
    return _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(1.0f), _CMP_GE_OQ)) != 0;
  }

  // Bytes of a, b, c, d in this order: each value plus zero_point, saturated.
  PJ_INLINE static Ints narrowed(Ints a, Ints b, Ints c, Ints d, Ints zero_point) {
    const Ints ab = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    const Ints cd = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
    // Packing works in lanes of 128 bits: dword 4 * lane + i belongs to vector i.
    const Ints order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), order);
  }
  PJ_INLINE static Ints limited(Ints x, Ints low, Ints high) {
    return _mm256_min_epi8(_mm256_max_epi8(x, low), high);
  }

  // Stores piece `index` of 16 bytes of x, all of it or its first `count` bytes.
  template <int size, int index>
  PJ_INLINE static void store(uint8_t* out, Ints x, int32_t count) {
    static_assert(size == 16);
    __m128i piece = _mm256_extracti128_si256(x, index);
    if (count == 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out), piece);
      return;
    }
    if ((count & 8) != 0) {
      _mm_storeu_si64(out, piece);
      piece = _mm_srli_si128(piece, 8);
      out += 8;
    }
    auto rest = static_cast<uint64_t>(_mm_cvtsi128_si64(piece));
    for (int size_left = 4; size_left > 0; size_left /= 2) {
      if ((count & size_left) == 0) continue;
      std::memcpy(out, &rest, static_cast<size_t>(size_left));
      rest >>= 8 * size_left;
      out += size_left;
    }
  }

  // Up to kBytes bytes, in whole quads: those that count have a one, others are zero.
  struct Rest {
    Ints quads, ones;

    PJ_INLINE explicit Rest(int32_t bytes)
        : quads(_mm256_cmpgt_epi32(set32((bytes + 3) / 4),
                                   _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {
      int8_t count[kBytes];
      for (int32_t i = 0; i < kBytes; ++i) count[i] = i < bytes ? 1 : 0;
      ones = Vnni256::load(count);
    }
    PJ_INLINE Ints load(const uint8_t* p) const {
      return _mm256_maskload_epi32(reinterpret_cast<const int*>(p), quads);
    }
  };

  // The sum of the lanes of each vector, times `factor`.
  static constexpr int kSumPixels = 4;
  template <int>
  PJ_INLINE static void store_sums(int32_t* out, const Ints (&x)[4], int32_t factor) {
    const Ints all =
        _mm256_hadd_epi32(_mm256_hadd_epi32(x[0], x[1]), _mm256_hadd_epi32(x[2], x[3]));
    const __m128i sums =
        _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_mullo_epi32(sums, _mm_set1_epi32(factor)));
  }
};

using Vnni = Vnni256;

}  // namespace
}  // namespace pj
