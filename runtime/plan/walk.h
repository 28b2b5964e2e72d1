// The order in which a loop nest or a band visits its tiles: what the executor calls kernels in,
// and the traffic model counts bytes in.
#pragma once

#include <algorithm>

#include "runtime/base/aligned.h"
#include "runtime/plan/program.h"

namespace pj {

// A part of a nest's iteration space.
struct Box {
  int32_t begin[kDimCount];
  int32_t size[kDimCount];
};

inline Box whole_box(const LoopNest& nest) {
  Box box{};
  std::copy_n(nest.extent, kDimCount, box.size);
  return box;
}

// Offset in bytes of position `at` in an operand whose rows may form a ring.
inline int64_t offset_of(const Operand& o, const int32_t* at) {
  const int32_t row = o.ring_rows > 0 ? at[kRow] % o.ring_rows : at[kRow];
  return at[kBatch] * o.stride[kBatch] + row * o.stride[kRow] + at[kCol] * o.stride[kCol] +
         at[kChannel] * o.stride[kChannel];
}

// Calls f(index, offset) for each row of input 0 that a tile of a windowed nest needs, with the
// row's offset in bytes; -1 for one outside the input.
template <typename F>
void for_each_row(const LoopNest& n, const Box& tile, F&& f) {
  const Operand& x = n.in[0];
  const RowWindow& w = n.window;
  const int32_t first = tile.begin[kRow] * w.stride - w.pad_top;
  const int32_t count = (tile.size[kRow] - 1) * w.stride + w.span;
  const int32_t origin[kDimCount] = {tile.begin[kBatch], 0, 0, tile.begin[kChannel]};
  const int64_t start = offset_of(x, origin);
  for (int32_t i = 0; i < count; ++i) {
    const int32_t r = first + i;
    const int32_t slot = x.ring_rows > 0 ? r % x.ring_rows : r;
    f(i, r >= 0 && r < w.rows ? start + slot * x.stride[kRow] : int64_t{-1});
  }
}

// Rows that a tile starting at `row` may have without crossing the end of a ring it addresses
// directly (a windowed operand has a pointer for each row instead).
inline int32_t rows_before_wrap(const LoopNest& n, int32_t row) {
  int32_t rows = INT32_MAX;
  auto limit = [&](const Operand& o) {
    if (o.ring_rows > 0) rows = std::min(rows, o.ring_rows - row % o.ring_rows);
  };
  for (size_t i = n.windowed ? 1 : 0; i < n.in.size(); ++i) limit(n.in[i]);
  for (const Operand& o : n.out) limit(o);
  return rows;
}

// Calls f(tile) for each tile of `box`, by the nest's loops from `level` on.
template <typename F>
void walk_tiles(const LoopNest& n, size_t level, const Box& box, F&& f) {
  if (level == n.loops.size()) {
    Box tile = box;
    const int32_t end = box.begin[kRow] + box.size[kRow];
    while (tile.begin[kRow] < end) {
      tile.size[kRow] = std::min(end - tile.begin[kRow], rows_before_wrap(n, tile.begin[kRow]));
      f(tile);
      tile.begin[kRow] += tile.size[kRow];
    }
    return;
  }
  const Loop& loop = n.loops[level];
  const int64_t end = int64_t{box.begin[loop.dim]} + box.size[loop.dim];
  Box inner = box;
  for (int64_t at = box.begin[loop.dim]; at < end; at += loop.step) {
    inner.begin[loop.dim] = static_cast<int32_t>(at);
    inner.size[loop.dim] = static_cast<int32_t>(std::min<int64_t>(loop.step, end - at));
    walk_tiles(n, level + 1, inner, f);
  }
}

// Calls f(member, box) for what the members of a band compute, step by step, until rows [begin,
// end) of every image of the last one are done. nest(m) is member m's nest, of `count`. Ranges are
// independent: rows of earlier members that two of them need are visited in both.
template <typename NestOf, typename F>
void walk_band(size_t count, NestOf&& nest, int32_t rows_per_step, int32_t begin, int32_t end,
               F&& f) {
  const LoopNest& last = nest(count - 1);
  for (int32_t batch = 0; batch < last.extent[kBatch]; ++batch) {
    // Rows of each member that exist so far: those before `begin` that nobody needs count as done.
    int32_t done[kMaxBandMembers];
    done[count - 1] = begin;
    for (size_t m = count - 1; m-- > 0;) {
      const LoopNest& next = nest(m + 1);
      done[m] = next.windowed ? next.window.first_needed(done[m + 1]) : done[m + 1];
    }
    for (int32_t row = begin; row < end;) {
      // From the last member to the first: one past the last row that each has to deliver.
      int32_t needed[kMaxBandMembers];
      row += std::min(rows_per_step, end - row);
      needed[count - 1] = row;
      for (size_t m = count - 1; m-- > 0;) {
        const LoopNest& next = nest(m + 1);
        needed[m] = next.windowed ? next.window.rows_needed(needed[m + 1]) : needed[m + 1];
      }
      for (size_t m = 0; m < count; ++m) {
        if (needed[m] <= done[m]) continue;
        Box box = whole_box(nest(m));
        box.begin[kBatch] = batch;
        box.size[kBatch] = 1;
        box.begin[kRow] = done[m];
        box.size[kRow] = needed[m] - done[m];
        f(m, box);
        done[m] = needed[m];
      }
    }
  }
}

}  // namespace pj
