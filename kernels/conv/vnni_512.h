// What kernels/conv/vnni_block.h needs of an instruction set: AVX512-VNNI, where a panel of 16
// channels is one register.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/instructions_x86.h"
#include "kernels/common/unrolled.h"

namespace pj {
namespace {

struct Vnni512 {
  using Ints = __m512i;
  using Floats = __m512;
  static constexpr int kBytes = 64;         // of a register
  static constexpr int kPanelVectors = 1;   // registers of a panel
  static constexpr int kAccumulators = 24;  // that leave room for weights, an input, the flip
  static constexpr int kMaxPanels = 4;      // side by side

  PJ_INLINE static Ints load(const void* p) { return _mm512_loadu_si512(p); }
  PJ_INLINE static Ints load_weights(const void* p) {
    Ints w;
    load_now(w, p);
    return w;
  }
  PJ_INLINE static Floats load_floats(const void* p) { return _mm512_loadu_ps(p); }
  PJ_INLINE static Ints set8(int8_t x) { return _mm512_set1_epi8(x); }
  PJ_INLINE static Ints set16(int16_t x) { return _mm512_set1_epi16(x); }
  PJ_INLINE static Ints set32(int32_t x) { return _mm512_set1_epi32(x); }
  PJ_INLINE static Floats set_float(float x) { return _mm512_set1_ps(x); }
  PJ_INLINE static Ints add32(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  PJ_INLINE static Ints flipped(Ints x, Ints flip) { return _mm512_xor_si512(x, flip); }
  // Four bytes in all lanes, flipped or as they are.
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
    return _mm512_mul_ps(_mm512_cvtepi32_ps(acc), scale);
  }
  PJ_INLINE static Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
  PJ_INLINE static Ints rounded(Floats x) { return _mm512_cvtps_epi32(x); }
  // True if a lane is 1 or more.
  PJ_INLINE static bool any_above_one(Floats x) {
    return _mm512_cmp_ps_mask(x, _mm512_set1_ps(1.0f), _CMP_GE_OQ) != 0;
  }

  // Bytes of a, b, c, d in this order: each value plus zero_point, saturated.
  PJ_INLINE static Ints narrowed(Ints a, Ints b, Ints c, Ints d, Ints zero_point) {
    const Ints ab = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero_point);
    const Ints cd = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero_point);
    // Packing works in lanes of 128 bits: dword 4 * lane + i belongs to vector i.
    return _mm512_permutexvar_epi32(transposed(), _mm512_packs_epi16(ab, cd));
  }
  PJ_INLINE static Ints limited(Ints x, Ints low, Ints high) {
    return _mm512_min_epi8(_mm512_max_epi8(x, low), high);
  }

  // Stores piece `index` of `size` bytes of x, all of it or its first `count` bytes.
  template <int size, int index>
  PJ_INLINE static void store(uint8_t* out, Ints x, int32_t count) {
    if constexpr (size == 64) {
      if (count == 64) {
        _mm512_storeu_si512(out, x);
      } else {
        _mm512_mask_storeu_epi8(out, (uint64_t{1} << count) - 1, x);
      }
    } else if constexpr (size == 32) {
      const __m256i piece = _mm512_extracti64x4_epi64(x, index);
      if (count == 32) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), piece);
      } else {
        _mm256_mask_storeu_epi8(out, (uint32_t{1} << count) - 1, piece);
      }
    } else {
      static_assert(size == 16);
      const __m128i piece = _mm512_extracti32x4_epi32(x, index);
      if (count == 16) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), piece);
      } else {
        _mm_mask_storeu_epi8(out, static_cast<__mmask16>((1U << count) - 1), piece);
      }
    }
  }

  // Up to kBytes bytes, in whole quads: those that count have a one, others are zero.
  struct Rest {
    __mmask16 quads;
    Ints ones;

    PJ_INLINE explicit Rest(int32_t bytes)
        : quads(static_cast<__mmask16>((1U << (bytes + 3) / 4) - 1)),
          ones(_mm512_maskz_set1_epi8(~uint64_t{0} >> (kBytes - bytes), 1)) {}
    PJ_INLINE Ints load(const uint8_t* p) const { return _mm512_maskz_loadu_epi32(quads, p); }
  };

  // Short segments of `parts` pixels in one register, 64 / parts bytes for each. Vector j has
  // pixels first_pixel(j), 4 more, ...
  template <int parts>
  static constexpr int first_pixel(int j) {
    return parts == 2 && j >= 4 ? j + 4 : j;
  }
  template <int parts>
  struct Parts {
    __mmask16 quads[parts];
    Ints ones;

    PJ_INLINE explicit Parts(int32_t bytes) {
      constexpr int kLanes = 16 / parts;  // of a pixel
      for (int i = 0; i < parts; ++i)
        quads[i] = static_cast<__mmask16>(((1U << (bytes + 3) / 4) - 1) << kLanes * i);
      int8_t count[kBytes];
      for (int32_t i = 0; i < kBytes; ++i) count[i] = i % (kBytes / parts) < bytes ? 1 : 0;
      ones = Vnni512::load(count);
    }
    PJ_INLINE Ints load(const uint8_t* x, const int64_t* at) const {
      Ints v = _mm512_setzero_si512();
      unrolled<parts>([&](auto i) __attribute__((always_inline)) {
        v = merge_run<kBytes / parts>(v, quads[i], x + at[4 * i]);
      });
      return v;
    }
  };

  // The sums of 16 pixels, whose parts are in the lanes of 16 / parts vectors, times `factor`.
  static constexpr int kSumPixels = 16;
  template <int parts>
  PJ_INLINE static void store_sums(int32_t* out, const Ints (&x)[16 / parts], int32_t factor) {
    const Ints all = all_sums<parts>(x);
    _mm512_storeu_si512(out, _mm512_mullo_epi32(all, set32(factor)));
  }
  // The same where vector j has pixels 4 * j, 4 * j + 1, ...
  PJ_INLINE static void store_dense_sums(int32_t* out, const Ints (&x)[4], int32_t factor) {
    const Ints all = _mm512_permutexvar_epi32(transposed(), all_sums<4>(x));
    _mm512_storeu_si512(out, _mm512_mullo_epi32(all, set32(factor)));
  }
  template <int parts>
  PJ_INLINE static Ints all_sums(const Ints (&x)[16 / parts]) {
    // Halves of each two are added until a lane of 128 bits has its part of four vectors' sums.
    constexpr int kFours = 4 / parts;
    Ints fours[kFours];
    unrolled<kFours>([&](auto i) __attribute__((always_inline)) {
      const Ints ab = added32(x[4 * i], x[4 * i + 1]), cd = added32(x[4 * i + 2], x[4 * i + 3]);
      fours[i] = add32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
    });
    Ints all = fours[0];
    if constexpr (parts == 2) all = added_lanes(fours[0], fours[1]);
    if constexpr (parts == 1)
      all = added_lanes(added_lanes(fours[0], fours[1]), added_lanes(fours[2], fours[3]));
    return all;
  }
  // Dword 4 * i + j comes from place 4 * j + i.
  PJ_INLINE static Ints transposed() {
    return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  }
  PJ_INLINE static Ints added32(Ints a, Ints b) {
    return add32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  }
  // Lanes 0 + 1 and 2 + 3 of a, then those of b.
  PJ_INLINE static Ints added_lanes(Ints a, Ints b) {
    return add32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
  }
};

using Vnni = Vnni512;

}  // namespace
}  // namespace pj
