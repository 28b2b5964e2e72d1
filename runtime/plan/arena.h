// Where tensors live in the arena.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace pj {

// A tensor's size and life: it exists from step `first` (where it is written) to step `last` (where
// it is read for the last time), both included.
struct Lifetime {
  int64_t bytes = 0;
  int32_t first = 0, last = 0;
};

struct ArenaLayout {
  std::vector<int64_t> offsets;  // one a tensor, each a multiple of the cache line
  int64_t bytes = 0;             // of the arena
  // The largest sum of sizes (rounded up to cache lines) that live at one step.
  int64_t lower_bound = 0;
};

// Packs tensors so that those alive at the same time do not overlap. Several greedy orders are
// tried and the smallest result is kept; the same input always gives the same layout.
ArenaLayout layout_arena(std::span<const Lifetime> tensors);

}  // namespace pj
