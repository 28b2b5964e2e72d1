// What kernels read and write, in which order: for the traffic model.
//
// A kernel call is replayed block by block as its code proceeds (the headers of kernels/conv,
// depthwise, ... describe it): the pixels and panels that one set of registers needs, then what it
// writes. Of the others only operands are known: they count as read and written side by side.
#pragma once

#include <vector>

#include "runtime/plan/cache_model.h"
#include "runtime/plan/walk.h"

namespace pj {

// A kernel call with addresses.
struct Access {
  const KernelDesc* kernel = nullptr;
  const LoopNest* nest = nullptr;
  Box tile;
  // Of the tile's first element; 0 for absent operands. in[0] of a windowed nest is the operand's
  // own address.
  std::vector<uint64_t> in, out;
  std::vector<uint64_t> rows;  // Tile::rows; 0 for one outside the input
  uint64_t scratch = 0;
  uint64_t stack = 0;    // kStackBytes that the executor and kernels use besides
  uint64_t nest_at = 0;  // kNestBytes that the executor reads of the nest
};

// The parts of the stack and of a nest (operands, loops, parameters) that a kernel call uses: in a
// cache of few ways they are evicted by the data that stream past them, and evict some.
inline constexpr int64_t kStackBytes = 2048, kNestBytes = 1280;

void replay(const Access& access, CacheModel& caches);

// Reads and writes pieces of memory side by side, each from begin to end.
struct Stream {
  uint64_t address;
  int64_t bytes;
  bool write;
};
void replay_streams(const std::vector<Stream>& streams, CacheModel& caches);

}  // namespace pj
