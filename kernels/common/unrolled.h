// Loops over registers. For files that are compiled once for each ISA level.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include "kernels/common/requantize.h"

// The same as PJ_INLINE for lambdas: between their parameters and their body.
#define PJ_INLINE_LAMBDA __attribute__((always_inline))

namespace pj {
namespace {

// Calls f(0) ... f(n - 1) with constants, so that arrays indexed by them live in registers: gcc
// unrolls loops too late for that.
template <int n>
PJ_INLINE void unrolled(auto&& f) {
  [&]<int... i>(std::integer_sequence<int, i...>) PJ_INLINE_LAMBDA {
    (f(std::integral_constant<int, i>{}), ...);
  }
  (std::make_integer_sequence<int, n>{});
}

// p += step, as one addition where it stands. Of unrolled code gcc otherwise computes all addresses
// first and keeps them in vectors.
template <typename T>
PJ_INLINE void advance(T*& p, int64_t step) {
  p += step;
  asm("" : "+r"(p));
}

}  // namespace
}  // namespace pj
