// Instructions in the order in which they are written, for cores in order (ARM Cortex-A53).
//
// A load of 128 bits takes such a core's vector pipes for two cycles. In halves it costs one:
//
//   ldr x   the upper half, into a general register: beside a multiply-add
//   ldr d   the lower half: half of the vector pipes,
//   ins     the upper half of a vector loaded before: the other half
//
// Cores that reorder would pay for the additional instructions.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

struct SplitLoads {
  typedef uint64_t Word __attribute__((may_alias));
  PJ_INLINE static void low(float32x4_t& v, const void* p) {
    asm volatile("ldr %d0, %1" : "=w"(v) : "m"(*static_cast<const Word*>(p)));
  }
  PJ_INLINE static void high(uint64_t& half, const void* p) {
    word(half, static_cast<const Word*>(p) + 1);
  }
  PJ_INLINE static void word(uint64_t& half, const void* p) {
    asm volatile("ldr %0, %1" : "=r"(half) : "m"(*static_cast<const Word*>(p)));
  }
  // One number, in lane 0.
  PJ_INLINE static void number(float32x4_t& v, const void* p) {
    typedef float Number __attribute__((may_alias));
    asm volatile("ldr %s0, %1" : "=w"(v) : "m"(*static_cast<const Number*>(p)));
  }
  // `offset` bytes from p.
  PJ_INLINE static void low(float32x4_t& v, const uint8_t* p, int64_t offset) {
    asm volatile("ldr %d0, [%1, %2]" : "=w"(v) : "r"(p), "r"(offset) : "memory");
  }
  PJ_INLINE static void word(uint64_t& half, const uint8_t* p, int64_t offset) {
    asm volatile("ldr %0, [%1, %2]" : "=r"(half) : "r"(p), "r"(offset) : "memory");
  }
  PJ_INLINE static void insert(float32x4_t& v, uint64_t half) {
    asm volatile("ins %0.d[1], %1" : "+w"(v) : "r"(half));
  }
  // One or two vectors of 64 bits, of those that follow each other.
  PJ_INLINE static void next(float32x2_t& v, const float*& p) {
    asm volatile("ldr %d0, [%1], #8" : "=w"(v), "+r"(p) : : "memory");
  }
  PJ_INLINE static void next_pair(float32x2_t& a, float32x2_t& b, const float*& p) {
    asm volatile("ldp %d0, %d1, [%2], #16" : "=w"(a), "=w"(b), "+r"(p) : : "memory");
  }
};

struct InOrder {
  // a == b ? x : y and a > 1 ? x : 0, without a branch.
  PJ_INLINE static const std::byte* select_if_equal(int32_t a, int32_t b, const std::byte* x,
                                                    const std::byte* y) {
    const std::byte* selected;
    asm("cmp %w1, %w2\n\tcsel %0, %3, %4, eq"
        : "=r"(selected)
        : "r"(a), "r"(b), "r"(x), "r"(y)
        : "cc");
    return selected;
  }
  PJ_INLINE static int64_t select_if_more(int32_t a, int64_t x) {
    int64_t selected;
    asm("cmp %w1, #1\n\tcsel %0, %2, xzr, gt" : "=r"(selected) : "r"(a), "r"(x) : "cc");
    return selected;
  }
  // Has p computed before what follows.
  PJ_INLINE static void here(const std::byte*& p) { asm volatile("" : "+r"(p)); }
  // acc += a * b
  PJ_INLINE static void accumulate(float32x4_t& acc, float32x4_t a, float32x4_t b) {
    asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(a), "w"(b));
  }
  // The same with lane `lane` of b in all lanes.
  template <int lane>
  PJ_INLINE static void accumulate_lane(float32x4_t& acc, float32x4_t a, float32x4_t b) {
    asm volatile("fmla %0.4s, %1.4s, %2.s[%3]" : "+w"(acc) : "w"(a), "w"(b), "n"(lane));
  }
  template <int lane>
  PJ_INLINE static void accumulate_lane(float32x2_t& acc, float32x2_t a, float32x2_t b) {
    asm volatile("fmla %0.2s, %1.2s, %2.s[%3]" : "+w"(acc) : "w"(a), "w"(b), "n"(lane));
  }
  PJ_INLINE static void copy(float32x4_t& to, float32x4_t from) {
    asm volatile("mov %0.16b, %1.16b" : "=w"(to) : "w"(from));
  }
  PJ_INLINE static void at_least(float32x4_t& to, float32x4_t x, float32x4_t low) {
    asm volatile("fmax %0.4s, %1.4s, %2.4s" : "=w"(to) : "w"(x), "w"(low));
  }
  PJ_INLINE static void at_most(float32x4_t& to, float32x4_t x, float32x4_t high) {
    asm volatile("fmin %0.4s, %1.4s, %2.4s" : "=w"(to) : "w"(x), "w"(high));
  }
  PJ_INLINE static void store(void* p, float32x4_t v) {
    asm volatile("str %q1, %0" : "=m"(*static_cast<float32x4_t*>(p)) : "w"(v));
  }
};

}  // namespace
}  // namespace pj
