// Where the first extreme of each row is: its value by vectors, then the place that has it.
#pragma once

#include "kernels/reduce/fold.h"

namespace pj {
namespace {

template <typename T>
PJ_INLINE int64_t first_equal(const T* x, int64_t n, T value) {
  for (int64_t i = 0; i < n; ++i)
    if (x[i] == value) return i;
  return 0;  // a row of NaN
}

template <typename T, typename>
void run_arg_extreme(const Tile& t) {
  const ArgReduceKernelParams& p = *static_cast<const ArgReduceKernelParams*>(t.params);
  const T* x = reinterpret_cast<const T*>(t.in[0]);
  std::byte* y = t.out[0];
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count, y += p.index_bytes) {
    const T best = p.maximum != 0 ? row_extreme(x, p.count, MaxFold{}, least_of<T>(),
                                                [](auto a, auto b) { return b > a; })
                                  : row_extreme(x, p.count, MinFold{}, most_of<T>(),
                                                [](auto a, auto b) { return b < a; });
    // Little-endian: an int32 is the low half of an int64.
    const int64_t index = first_equal(x, p.count, best);
    std::memcpy(y, &index, static_cast<size_t>(p.index_bytes));
  }
}

}  // namespace
}  // namespace pj
