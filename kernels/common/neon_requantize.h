// The output stage (requantize.h) in NEON: 16 sums become 16 bytes.
//
// Instructions saturate where the rule limits: a product past the range of int32 becomes its end,
// that the end of 16 bits, and that the end of a byte, which is at or beyond the limits.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <arm_neon.h>

#include <cstring>
#include <type_traits>

#include "kernels/common/calm_sums.h"
#include "kernels/common/unrolled.h"

namespace pj {
namespace {

// X: the type of the results.
template <typename X>
struct NeonStage {
  int16x8_t zero_point;
  uint8x16_t low, high;  // of results
  float32x4_t last;      // of simple stages: what the last addition of calm sums adds

  PJ_INLINE explicit NeonStage(const OutputStage& s)
      : zero_point(vdupq_n_s16(static_cast<int16_t>(s.zero_point))),
        low(vdupq_n_u8(static_cast<uint8_t>(static_cast<int32_t>(s.low) + s.zero_point))),
        high(vdupq_n_u8(static_cast<uint8_t>(static_cast<int32_t>(s.high) + s.zero_point))),
        last(vdupq_n_f32(kCalmFloat + static_cast<float>(s.zero_point))) {}

  // Whether the limits are those of the type, to which narrowing saturates, and the zero point is
  // even: added before rounding it then changes no half's neighbour.
  static bool simple(const OutputStage& s) {
    constexpr int32_t kLow = std::is_signed_v<X> ? -128 : 0;
    return s.zero_point % 2 == 0 && static_cast<int32_t>(s.low) + s.zero_point <= kLow &&
           static_cast<int32_t>(s.high) + s.zero_point >= kLow + 255;
  }

  // Four sums times scales, rounded, in the lowest 16 bits of each lane if sums are calm.
  template <bool calm>
  PJ_INLINE static int32x4_t rounded(int32x4_t sums, float32x4_t scale) {
    if constexpr (calm) {
      const float32x4_t magic = vdupq_n_f32(kCalmFloat);
      const float32x4_t x = vmulq_f32(vsubq_f32(vreinterpretq_f32_s32(sums), magic), scale);
      return vreinterpretq_s32_f32(vaddq_f32(x, magic));
    } else {
      return vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(sums), scale));
    }
  }
  template <bool calm>
  PJ_INLINE int16x8_t shifted(int32x4_t a, int32x4_t b) const {
    if constexpr (calm) {
      return vaddq_s16(vuzp1q_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)), zero_point);
    } else {
      return vqaddq_s16(vqmovn_high_s32(vqmovn_s32(a), b), zero_point);
    }
  }
  PJ_INLINE static uint8x16_t narrowed(int16x8_t a, int16x8_t b) {
    if constexpr (std::is_signed_v<X>) {
      return vreinterpretq_u8_s8(vqmovn_high_s16(vqmovn_s16(a), b));
    } else {
      return vqmovun_high_s16(vqmovun_s16(a), b);
    }
  }
  PJ_INLINE uint8x16_t limited(int16x8_t a, int16x8_t b) const {
    const uint8x16_t x = narrowed(a, b);
    if constexpr (std::is_signed_v<X>) {
      return vreinterpretq_u8_s8(vminq_s8(
          vmaxq_s8(vreinterpretq_s8_u8(x), vreinterpretq_s8_u8(low)), vreinterpretq_s8_u8(high)));
    } else {
      return vminq_u8(vmaxq_u8(x, low), high);
    }
  }

  // 16 * n calm sums, whose scales repeat. One operation after the other for all of them, where
  // each sum alone is a chain that cores in order wait for: assembly, since gcc puts chains
  // together.
  template <bool simple, int n, int scales>
  PJ_INLINE void calm_bytes(int32x4_t (&sums)[4 * n], const float32x4_t (&scale)[scales],
                            uint8x16_t (&results)[n]) const {
    float32x4_t magic = vdupq_n_f32(kCalmFloat);
    float32x4_t end = simple ? last : magic;
    asm("" : "+w"(magic), "+w"(end));  // one register of each
    unrolled<4 * n>([&](auto i) PJ_INLINE_LAMBDA {
      asm volatile("fsub %0.4s, %0.4s, %1.4s" : "+w"(sums[i]) : "w"(magic));
    });
    unrolled<4 * n>([&](auto i) PJ_INLINE_LAMBDA {
      asm volatile("fmul %0.4s, %0.4s, %1.4s" : "+w"(sums[i]) : "w"(scale[i % scales]));
    });
    unrolled<4 * n>([&](auto i) PJ_INLINE_LAMBDA {
      asm volatile("fadd %0.4s, %0.4s, %1.4s" : "+w"(sums[i]) : "w"(end));
    });
    int16x8_t halves[2 * n];
    unrolled<2 * n>([&](auto i) PJ_INLINE_LAMBDA {
      halves[i] =
          vuzp1q_s16(vreinterpretq_s16_s32(sums[2 * i]), vreinterpretq_s16_s32(sums[2 * i + 1]));
    });
    if constexpr (simple) {
      unrolled<n>([&](auto i) PJ_INLINE_LAMBDA {
        results[i] = narrowed(halves[2 * i], halves[2 * i + 1]);
      });
      return;
    }
    unrolled<2 * n>([&](auto i) PJ_INLINE_LAMBDA {
      asm volatile("add %0.8h, %0.8h, %1.8h" : "+w"(halves[i]) : "w"(zero_point));
    });
    unrolled<n>([&](auto i)
                    PJ_INLINE_LAMBDA { results[i] = limited(halves[2 * i], halves[2 * i + 1]); });
  }

  // 16 results; calm or any sums.
  template <bool calm>
  PJ_INLINE uint8x16_t bytes(const int32x4_t* sums, const float32x4_t (&scale)[4]) const {
    int32x4_t r[4];
    unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { r[v] = rounded<calm>(sums[v], scale[v]); });
    return limited(shifted<calm>(r[0], r[1]), shifted<calm>(r[2], r[3]));
  }

  // 16 results of calm sums by a simple stage.
  PJ_INLINE uint8x16_t simple_bytes(const int32x4_t* sums, const float32x4_t (&scale)[4]) const {
    const float32x4_t magic = vdupq_n_f32(kCalmFloat);
    int16x8_t halves[2];
    unrolled<2>([&](auto h) PJ_INLINE_LAMBDA {
      int16x8_t r[2];
      unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
        constexpr int v = 2 * h + i;
        const float32x4_t x = vmulq_f32(vsubq_f32(vreinterpretq_f32_s32(sums[v]), magic), scale[v]);
        r[i] = vreinterpretq_s16_f32(vaddq_f32(x, last));
      });
      halves[h] = vuzp1q_s16(r[0], r[1]);
    });
    return narrowed(halves[0], halves[1]);
  }
  template <bool simple>
  PJ_INLINE uint8x16_t calm_16(const int32x4_t* sums, const float32x4_t (&scale)[4]) const {
    return simple ? simple_bytes(sums, scale) : bytes<true>(sums, scale);
  }

  // The same, decided at run time.
  PJ_INLINE uint8x16_t any_bytes(const int32x4_t* sums, const float32x4_t (&scale)[4],
                                 bool calm) const {
    return calm ? bytes<true>(sums, scale) : bytes<false>(sums, scale);
  }
};

// The first `count` bytes, 1 to 15, and nothing beyond.
PJ_INLINE void store_some(uint8_t* out, uint8x16_t x, int32_t count) {
  uint64_t low = vgetq_lane_u64(vreinterpretq_u64_u8(x), 0);
  if ((count & 8) != 0) {
    std::memcpy(out, &low, 8);
    low = vgetq_lane_u64(vreinterpretq_u64_u8(x), 1);
    out += 8;
  }
  for (int size = 4; size > 0; size /= 2) {
    if ((count & size) == 0) continue;
    std::memcpy(out, &low, static_cast<size_t>(size));
    low >>= 8 * size;
    out += size;
  }
}

// The same, 1 to 8.
PJ_INLINE void store_eight(uint8_t* out, uint8x16_t x, int32_t count) {
  if (count == 8) {
    vst1_u8(out, vget_low_u8(x));
  } else {
    store_some(out, x, count);
  }
}

}  // namespace
}  // namespace pj
