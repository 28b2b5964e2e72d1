// The CPU's own counter of constant rate: half the price of asking for the time, without a unit.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#elif !defined(__aarch64__)
#include "runtime/base/clock.h"
#endif

namespace pj {

// Comparable on one machine within a short time. Whoever uses them reads the time as well, at the
// beginning and the end, to learn what a tick was.
inline int64_t ticks() {
#if defined(__x86_64__) || defined(__i386__)
  return static_cast<int64_t>(__rdtsc());
#elif defined(__aarch64__)
  int64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return now_ns();
#endif
}

}  // namespace pj
