// Runs of bytes picked by indices.
#pragma once

#include "kernels/move/copy_run.h"
#include "kernels/move/move.h"

namespace pj {
namespace {

// The offset that `depth` indices of type I name.
template <typename I>
PJ_INLINE int64_t place_of(const GatherKernelParams& p, const I* index) {
  int64_t place = 0;
  for (int32_t d = 0; d < p.depth; ++d) {
    const int64_t last = p.size[d] - 1;
    const int64_t raised = index[d] > 0 ? index[d] : 0;
    place += (raised < last ? raised : last) * p.step[d];
  }
  return place;
}

// `count` runs of N bytes, or of any number if N is 0.
template <int64_t N, typename I>
PJ_INLINE void pick_runs(const GatherKernelParams& p, const std::byte* x, const I* index,
                         int32_t count, std::byte* y) {
  for (int32_t i = 0; i < count; ++i, index += p.depth, y += p.run) {
    const std::byte* from = x + place_of(p, index);
    if constexpr (N > 0) {
      std::memcpy(y, from, N);
    } else {
      copy_run(y, from, p.run);
    }
  }
}

template <typename I>
void gather_tile(const Tile& t, const GatherKernelParams& p) {
  for (int32_t b = 0; b < t.size[kBatch]; ++b) {
    const I* index = reinterpret_cast<const I*>(t.in[1] + b * p.index_batch);
    for (int32_t r = 0; r < t.size[kRow]; ++r) {
      const std::byte* x = t.in[0] + b * p.in[kBatch] + r * p.in[kRow];
      std::byte* y = t.out[0] + b * p.out[kBatch] + r * p.out[kRow];
      switch (p.run) {
        case 1:
          pick_runs<1>(p, x, index, t.size[kCol], y);
          break;
        case 4:
          pick_runs<4>(p, x, index, t.size[kCol], y);
          break;
        default:
          pick_runs<0>(p, x, index, t.size[kCol], y);
      }
    }
  }
}

template <typename, typename>
void run_gather(const Tile& t) {
  const auto& p = *static_cast<const GatherKernelParams*>(t.params);
  p.index_bytes == 8 ? gather_tile<int64_t>(t, p) : gather_tile<int32_t>(t, p);
}

}  // namespace
}  // namespace pj
