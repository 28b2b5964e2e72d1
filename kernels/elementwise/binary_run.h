// A run over two operands, of which one may be a single element that repeats.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

// Vectors of an operand, widened to 32 bits: vector k from memory, or one number for all.
template <typename T>
struct Moving {
  const T* x;
  PJ_INLINE auto operator()(int64_t k) const { return load_wide(x + k * kLanes32); }
};
template <typename V>
struct Repeated {
  V x;
  PJ_INLINE V operator()(int64_t) const { return x; }
};
template <typename T>
PJ_INLINE auto repeat(const T* x) {
  using Wide = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;
  return Repeated<decltype(splat(Wide{}))>{splat(Wide{*x})};
}

// Calls block(y, a, b) for each N elements; a(k) and b(k) are vectors of the operands.
template <typename T, int64_t N, typename Block>
PJ_INLINE void binary_run(const Run& run, Block&& block) {
  const T* a = reinterpret_cast<const T*>(run.in[0]);
  const T* b = reinterpret_cast<const T*>(run.in[1]);
  T* y = reinterpret_cast<T*>(run.out);
  if (run.repeats[0]) {
    const auto all = repeat(a);
    for_blocks<N>(
        run.n, y, [&](T* to, const T* pb) { block(to, all, Moving<T>{pb}); }, b);
  } else if (run.repeats[1]) {
    const auto all = repeat(b);
    for_blocks<N>(
        run.n, y, [&](T* to, const T* pa) { block(to, Moving<T>{pa}, all); }, a);
  } else {
    auto both = [&](T* to, const T* pa, const T* pb) { block(to, Moving<T>{pa}, Moving<T>{pb}); };
    for_blocks<N>(run.n, y, both, a, b);
  }
}

}  // namespace
}  // namespace pj
