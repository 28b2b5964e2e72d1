// What the forms of dot.h share: parts of 16 channels, and the output stage.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

using DotLane = __m128i;

PJ_INLINE DotLane shuffled(DotLane x, DotLane order) { return _mm_shuffle_epi8(x, order); }

PJ_INLINE __m128i load_lane(const std::byte* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
PJ_INLINE void store_lane(std::byte* p, __m128i v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v);
}

// The first `count` bytes, 1 to 16, and nothing beyond: two loads or stores that overlap, of the
// largest power of two that fits. Bytes past the end are arbitrary.
PJ_INLINE __m128i load_part(const std::byte* p, int32_t count) {
  if (count == 16) return load_lane(p);
  uint64_t low, high = 0;
  if (count >= 8) {
    std::memcpy(&low, p, 8);
    std::memcpy(&high, p + count - 8, 8);
    // count 8 reads the same bytes twice
    high = count == 8 ? 0 : high >> (8 * (16 - count));
    return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
  }
  if (count >= 4) {
    uint32_t a, b;
    std::memcpy(&a, p, 4);
    std::memcpy(&b, p + count - 4, 4);
    low = a | uint64_t{b} << (8 * (count - 4));
  } else {
    const auto at = [&](int32_t i) { return uint64_t{static_cast<uint8_t>(p[i])}; };
    low = at(0) | at(count / 2) << (8 * (count / 2)) | at(count - 1) << (8 * (count - 1));
  }
  return _mm_cvtsi64_si128(static_cast<int64_t>(low));
}

PJ_INLINE void store_part(std::byte* p, __m128i v, int32_t count) {
  if (count == 16) return store_lane(p, v);
  auto low = static_cast<uint64_t>(_mm_cvtsi128_si64(v));
  if (count >= 8) {
    std::memcpy(p, &low, 8);
    low = static_cast<uint64_t>(_mm_extract_epi64(v, 1));
    p += 8;
    count -= 8;
  }
  if (count & 4) {
    std::memcpy(p, &low, 4);
    low >>= 32;
    p += 4;
  }
  if (count & 2) {
    std::memcpy(p, &low, 2);
    low >>= 16;
    p += 2;
  }
  if (count & 1) std::memcpy(p, &low, 1);
}

// The output stage for packed signed bytes; unsigned ones are flipped into and out of this form.
struct DotStage {
  float high;              // before the zero point is added
  int16_t zero;            // point
  int8_t lowest, highest;  // results
  uint8_t flip;            // makes the result unsigned

  PJ_INLINE DotStage(const OutputStage& s, bool is_signed)
      : high(s.high), flip(is_signed ? 0 : 128) {
    const int32_t zero_point = s.zero_point - flip;
    zero = static_cast<int16_t>(zero_point);
    lowest = static_cast<int8_t>(static_cast<int32_t>(s.low) + zero_point);
    highest = static_cast<int8_t>(static_cast<int32_t>(s.high) + zero_point);
  }
};

// The output stage on vectors of 8 sums.
struct LaneStage {
  __m256 high;
  __m256i zero, lowest, highest, flip;
  bool limited;

  PJ_INLINE LaneStage(const DotStage& s, bool limit)
      : high(_mm256_set1_ps(s.high)),
        zero(_mm256_set1_epi16(s.zero)),
        lowest(_mm256_set1_epi8(s.lowest)),
        highest(_mm256_set1_epi8(s.highest)),
        flip(_mm256_set1_epi8(static_cast<char>(s.flip))),
        limited(limit) {}

  // 16 sums as 16-bit numbers, without zero point.
  PJ_INLINE __m256i rounded(__m256i a, __m256i b, const std::byte* scale) const {
    const auto* scales = reinterpret_cast<const float*>(scale);
    __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(a), _mm256_loadu_ps(scales));
    __m256 y = _mm256_mul_ps(_mm256_cvtepi32_ps(b), _mm256_loadu_ps(scales + 8));
    if (limited) {
      x = _mm256_min_ps(x, high);
      y = _mm256_min_ps(y, high);
    }
    return _mm256_packs_epi32(_mm256_cvtps_epi32(x), _mm256_cvtps_epi32(y));
  }
  // From two vectors of 16-bit numbers without zero point, lane by lane.
  PJ_INLINE __m256i bytes(__m256i a, __m256i b) const {
    const __m256i v = _mm256_packs_epi16(_mm256_adds_epi16(a, zero), _mm256_adds_epi16(b, zero));
    return _mm256_xor_si256(_mm256_min_epi8(_mm256_max_epi8(v, lowest), highest), flip);
  }
};

}  // namespace
}  // namespace pj
