// The k largest elements of each row, largest first; equal ones in the order of their indices, NaN
// last. What is kept is a heap in the outputs themselves, the one to go first at its root, and few
// elements of a long row come before that: vectors look for them.
#pragma once

#include "kernels/reduce/fold.h"

namespace pj {
namespace {

template <typename T>
PJ_INLINE bool goes_before(T a, T b) {
  return a > b || (a == a && b != b);
}

// Elements and their indices, kept in this order by whoever moves them.
template <typename T>
struct KeptElements {
  T* value;
  int32_t* index;

  PJ_INLINE void put(int64_t i, T v, int32_t at) const { value[i] = v, index[i] = at; }
  // In the result, a comes behind b.
  PJ_INLINE bool behind(T a, int32_t index_a, T b, int32_t index_b) const {
    return goes_before(b, a) || (!goes_before(a, b) && index_a > index_b);
  }
  // Puts an element at `i` of a heap of n, or below: behind nothing that is above it.
  PJ_INLINE void sink(int64_t i, int64_t n, T v, int32_t at) const {
    while (2 * i + 1 < n) {
      int64_t child = 2 * i + 1;
      if (child + 1 < n && behind(value[child + 1], index[child + 1], value[child], index[child]))
        ++child;
      if (!behind(value[child], index[child], v, at)) break;
      put(i, value[child], index[child]);
      i = child;
    }
    put(i, v, at);
  }
};

// The first element from `i` on that goes before v; n if there is none.
template <typename T>
PJ_INLINE int64_t next_before(const T* x, int64_t i, int64_t n, T v) {
  if (v == v) {
    const auto bound = splat(WideOf<T>{v});
    const hn::DFromV<decltype(splat(WideOf<T>{}))> d;
    while (i + kLanes32 <= n && hn::AllFalse(d, hn::Gt(load_wide(x + i), bound))) i += kLanes32;
  }
  while (i < n && !goes_before(x[i], v)) ++i;
  return i;
}

template <typename T, typename>
void run_top_k(const Tile& t) {
  const TopKKernelParams& p = *static_cast<const TopKKernelParams*>(t.params);
  const T* x = reinterpret_cast<const T*>(t.in[0]);
  KeptElements<T> kept{reinterpret_cast<T*>(t.out[0]), reinterpret_cast<int32_t*>(t.out[1])};
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    for (int64_t i = 0; i < p.k; ++i) kept.put(i, x[i], static_cast<int32_t>(i));
    for (int64_t i = p.k / 2; i-- > 0;) kept.sink(i, p.k, kept.value[i], kept.index[i]);
    for (int64_t i = p.k; (i = next_before(x, i, p.count, kept.value[0])) < p.count; ++i)
      kept.sink(0, p.k, x[i], static_cast<int32_t>(i));
    for (int64_t n = p.k - 1; n > 0; --n) {
      const T v = kept.value[n];
      const int32_t at = kept.index[n];
      kept.put(n, kept.value[0], kept.index[0]);
      kept.sink(0, n, v, at);
    }
    x += p.count;
    kept = {kept.value + p.k, kept.index + p.k};
  }
}

}  // namespace
}  // namespace pj
