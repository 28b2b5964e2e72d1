// A run over two operands, of which one may be a single element that repeats.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

// Calls block(y, a, b) for each N elements. An element that repeats becomes a block of copies,
// which every call reads again: the same code serves both.
template <typename T, int64_t N, typename Block>
PJ_INLINE void binary_run(const Run& run, Block&& block) {
  alignas(64) T copies[N];
  Stream<T> in[2];
  for (int k = 0; k < 2; ++k) {
    in[k] = {reinterpret_cast<const T*>(run.in[k]), N};
    if (!run.repeats[k]) continue;
    for (T& copy : copies) copy = *in[k].x;
    in[k] = {copies, 0};
  }
  walk_blocks<N>(run.n, reinterpret_cast<T*>(run.out), block, in[0], in[1]);
}

}  // namespace
}  // namespace pj
