// Vectors of floats for the hand-written kernels (kernels/common/float_vector.h): NEON, 64 bits.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "kernels/common/requantize.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

struct FloatNeon {
  using Vec = float32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kPanelVectors = 2;  // registers of a panel of a convolution's weights
  // k's of an input in a register: multiply-adds take one lane of it, so that no instruction puts
  // a number into all lanes.
  static constexpr int kInputs = 4;
  // Pixels of the blocks of 4, 2 and 1 panels that fit the registers, from the largest on.
  using Blocks4 = std::integer_sequence<int, 2, 1>;
  using Blocks2 = std::integer_sequence<int, 4, 3, 2, 1>;
  using Blocks1 = std::integer_sequence<int, 8, 7, 6, 5, 4, 2, 1>;
  // Pixels of a row from which on one panel is better than two: it makes the larger blocks.
  static constexpr int kOnePanelCols = 5;

  PJ_INLINE static Vec set(float x) { return vdupq_n_f32(x); }
  PJ_INLINE static Vec load(const float* p) { return vld1q_f32(p); }
  PJ_INLINE static Vec load(const Half* p) {
    return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(reinterpret_cast<const uint16_t*>(p))));
  }
  // Two vectors, `from` elements behind p, that nobody writes while the caller runs: the compiler
  // is not told that memory is read, since it would compute the address once more. One instruction,
  // which gcc makes of two loads for some cores only.
  template <int from>
  PJ_INLINE static void load_pair(const float* p, Vec& a, Vec& b) {
    asm("ldp %q0, %q1, [%2, %3]" : "=w"(a), "=w"(b) : "r"(p), "n"(from * sizeof(float)));
  }
  template <int from>
  PJ_INLINE static void load_pair(const Half* p, Vec& a, Vec& b) {
    a = load(p + from);
    b = load(p + from + kLanes);
  }
  // The next of vectors that are `step` bytes apart.
  PJ_INLINE static Vec load_next(const std::byte*& p, int64_t step) {
    Vec x;
    asm volatile("ld1 {%0.4s}, [%1], %2" : "=w"(x), "+r"(p) : "r"(step) : "memory");
    return x;
  }
  // Not a copy of a register that has been loaded from there before.
  PJ_INLINE static Vec load_again(const float* p) {
    Vec x;
    asm volatile("ldr %q0, %1" : "=w"(x) : "m"(*reinterpret_cast<const Vec*>(p)));
    return x;
  }
  // The first `count` lanes, zeros after; reads no others.
  PJ_INLINE static Vec load_part(const float* p, int32_t count) {
    float lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<size_t>(count) * sizeof(float));
    return load(lanes);
  }
  PJ_INLINE static void store(float* p, Vec x) { vst1q_f32(p, x); }
  PJ_INLINE static void store_part(float* p, Vec x, int32_t count) {
    if ((count & 2) != 0) {
      vst1_f32(p, vget_low_f32(x));
      x = vcombine_f32(vget_high_f32(x), vget_high_f32(x));
      p += 2;
    }
    if ((count & 1) != 0) vst1q_lane_f32(p, x, 0);
  }
  PJ_INLINE static Vec add(Vec a, Vec b) { return vaddq_f32(a, b); }
  PJ_INLINE static Vec subtract(Vec a, Vec b) { return vsubq_f32(a, b); }
  // a * b + acc, rounded once.
  PJ_INLINE static Vec fma(Vec acc, Vec a, Vec b) { return vfmaq_f32(acc, a, b); }
  // acc = fma(acc, a, b). Not the intrinsic: gcc 12 copies its accumulators, through memory where
  // there are many.
  PJ_INLINE static void accumulate(Vec& acc, Vec a, Vec b) {
    asm("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(a), "w"(b));
  }
  // The same with lane `lane` of b in all lanes.
  template <int lane>
  PJ_INLINE static void accumulate_lane(Vec& acc, Vec a, Vec b) {
    asm("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(acc) : "w"(a), "w"(b), "n"(lane));
  }
  // NaN stays NaN.
  PJ_INLINE static Vec at_least(Vec x, Vec low) { return vmaxq_f32(x, low); }
  PJ_INLINE static Vec at_most(Vec x, Vec high) { return vminq_f32(x, high); }
  // The sums over the lanes of kLanes vectors.
  PJ_INLINE static Vec sums(const Vec (&x)[kLanes]) {
    return vpaddq_f32(vpaddq_f32(x[0], x[1]), vpaddq_f32(x[2], x[3]));
  }
};

using Floats = FloatNeon;

}  // namespace
}  // namespace pj
