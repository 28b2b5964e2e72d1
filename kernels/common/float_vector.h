// `Floats`: what the hand-written float kernels (kernels/conv/float.h, kernels/depthwise/float.h)
// need of an instruction set. Each file that defines it documents the members alike.
//
// Not Highway: a kernel that fills all registers depends on which instruction an operation becomes.
#pragma once

#if defined(__AVX512F__)
#include "kernels/common/float_512.h"
#elif defined(__aarch64__)
#include "kernels/common/float_neon.h"
#else
#include "kernels/common/float_256.h"
#endif

#include <limits>

#include "kernels/common/unrolled.h"

namespace pj {
namespace {

// Limits of results. Many layers have one or none, and after short sums what is not needed counts.
struct Limits {
  float low, high;
  bool lower, upper;  // whether there is such a limit

  PJ_INLINE Limits(float l, float h)
      : low(l),
        high(h),
        lower(l > -std::numeric_limits<float>::infinity()),
        upper(h < std::numeric_limits<float>::infinity()) {}

  // Limits the results at(0) ... at(n - 1), references to vectors; NaN stays NaN. For a few lanes
  // to ask costs more (on Cortex-A76, by instructions).
  template <int n, typename At>
  PJ_INLINE void apply(At&& at) const {
    constexpr bool kAlways = Floats::kLanes == 4 && n < 8;
    if (kAlways || lower) {
      const Floats::Vec limit = Floats::set(low);
      unrolled<n>([&](auto i) PJ_INLINE_LAMBDA { at(i) = Floats::at_least(at(i), limit); });
    }
    if (kAlways || upper) {
      const Floats::Vec limit = Floats::set(high);
      unrolled<n>([&](auto i) PJ_INLINE_LAMBDA { at(i) = Floats::at_most(at(i), limit); });
    }
  }
};
template <int n, typename At>
PJ_INLINE void limit_results(float low, float high, At&& at) {
  Limits(low, high).apply<n>(at);
}
// The same for one result, without asking.
PJ_INLINE Floats::Vec limited(Floats::Vec x, float low, float high) {
  return Floats::at_most(Floats::at_least(x, Floats::set(low)), Floats::set(high));
}

}  // namespace
}  // namespace pj
