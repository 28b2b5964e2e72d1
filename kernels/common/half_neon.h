// Vectors of eight 16-bit floats, for CPUs that compute with them (FEAT_FP16).
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/unrolled.h"

namespace pj {
namespace {

using Halves = float16x8_t;
inline constexpr int kHalfLanes = 8;

PJ_INLINE Halves set_halves(float x) { return vdupq_n_f16(static_cast<float16_t>(x)); }
PJ_INLINE Halves load_halves(const void* p) {
  return vreinterpretq_f16_u16(vld1q_u16(static_cast<const uint16_t*>(p)));
}
PJ_INLINE void store_halves(void* p, Halves x) {
  vst1q_u16(static_cast<uint16_t*>(p), vreinterpretq_u16_f16(x));
}

// The first `count` lanes, 1 to 8, zeros after; touches no others.
PJ_INLINE Halves load_halves(const void* p, int32_t count) {
  if (count == kHalfLanes) return load_halves(p);
  uint16_t lanes[kHalfLanes] = {};
  std::memcpy(lanes, p, static_cast<size_t>(count) * sizeof(uint16_t));
  return load_halves(lanes);
}
PJ_INLINE void store_halves(void* p, Halves x, int32_t count) {
  if (count == kHalfLanes) return store_halves(p, x);
  uint16_t lanes[kHalfLanes];
  store_halves(lanes, x);
  std::memcpy(p, lanes, static_cast<size_t>(count) * sizeof(uint16_t));
}

// From and to eight 32-bit floats.
PJ_INLINE Halves narrow(float32x4_t low, float32x4_t high) {
  return vcombine_f16(vcvt_f16_f32(low), vcvt_f16_f32(high));
}
PJ_INLINE Halves narrow(const float* p) { return narrow(vld1q_f32(p), vld1q_f32(p + 4)); }
PJ_INLINE float32x4_t low_floats(Halves x) { return vcvt_f32_f16(vget_low_f16(x)); }
PJ_INLINE float32x4_t high_floats(Halves x) { return vcvt_high_f32_f16(x); }

// NaN stays NaN.
PJ_INLINE Halves limited(Halves x, Halves low, Halves high) {
  return vminq_f16(vmaxq_f16(x, low), high);
}

// acc + a * b, rounded once. Assembly for the reason given in kernels/common/float_neon.h.
PJ_INLINE void add_product(Halves& acc, Halves a, Halves b) {
  asm("fmla %0.8h, %1.8h, %2.8h" : "+w"(acc) : "w"(a), "w"(b));
}
// The same with lane `lane` of b, which has to be in one of the lower 16 registers.
template <int lane>
PJ_INLINE void add_product_lane(Halves& acc, Halves a, Halves b) {
  asm("fmla %0.8h, %1.8h, %2.h[%3]" : "+w"(acc) : "w"(a), "x"(b), "n"(lane));
}

}  // namespace
}  // namespace pj
