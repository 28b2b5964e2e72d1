// Walks loop nests: the only code that turns a step into kernel calls. It knows loops, strides,
// windows and rings, and no operator.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/kernel.h"
#include "runtime/base/aligned.h"
#include "runtime/plan/walk.h"

namespace pj {

// A nest whose operands have addresses.
struct BoundNest {
  const LoopNest* nest = nullptr;
  KernelFn kernel = nullptr;
  std::vector<std::byte*> in, out;
  // Of a nest that is one tile: the tile, with its operands and rows; small layers take less time
  // than finding them does. Else tile.params is null.
  Tile tile = {};
  std::vector<const std::byte*> tile_in = {}, tile_rows = {};
  std::vector<std::byte*> tile_out = {};
};

// Memory that one thread needs to walk nests: pointer tables of one tile, the rings of a band and
// kernels' scratch. Allocated once, for the largest nest. Rings and scratch are one block, so that
// together they compete for no set of a cache as long as they fit it.
class Workspace {
 public:
  // Makes room for `nest`. Not during a run.
  void reserve(const LoopNest& nest);
  void reserve_rings(int64_t bytes);
  // After the last reserve(). False if memory ran out.
  bool allocate();

  const std::byte** in() { return in_.data(); }
  std::byte** out() { return out_.data(); }
  const std::byte** rows() { return rows_.data(); }
  std::byte* rings() { return memory_.data(); }
  std::byte* scratch() { return memory_.data() + ring_bytes_; }

 private:
  size_t in_count_ = 0, out_count_ = 0, row_count_ = 0, scratch_bytes_ = 0, ring_bytes_ = 0;
  std::vector<const std::byte*> in_, rows_;
  std::vector<std::byte*> out_;
  AlignedBuffer memory_;
};

// Makes room for the tile of a nest that is one; nothing for others. Not during a run.
void reserve_tile(BoundNest& nest);
// Fills it in, for a run with `workspace`. After reserve_tile() and whenever operands have moved.
void bind_tile(BoundNest& nest, Workspace& workspace);

// Runs the whole nest on the calling thread, with the workspace that its tile was bound to.
void run_whole(const BoundNest& nest, Workspace& workspace);
// Runs the part `box` of the nest, in loop order, on the calling thread.
void run_box(const BoundNest& nest, const Box& box, Workspace& workspace);

// The nest's parallel loops cut the iteration space into this many independent parts...
int64_t part_count(const LoopNest& nest);
// ...and this runs parts [first, last).
void run_parts(const BoundNest& nest, int64_t first, int64_t last, Workspace& workspace);

// Runs the members of a band step by step until rows [begin, end) of every image of its last member
// are done, on the calling thread. Ranges are independent: rows of earlier members that two of them
// need are computed by both.
void run_band(std::span<const BoundNest> members, BandSteps steps, int32_t begin, int32_t end,
              Workspace& workspace);

}  // namespace pj
