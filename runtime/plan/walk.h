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
  // The columns that rings begin with, of the input and of the output.
  int32_t in_col, out_col;
};

inline Box whole_box(const LoopNest& nest) {
  Box box{};
  std::copy_n(nest.extent, kDimCount, box.size);
  return box;
}

// Offset in bytes of position `at` in an operand whose rows may form a ring from column `ring_col`
// on.
inline int64_t offset_of(const Operand& o, const int32_t* at, int32_t ring_col) {
  const bool ring = o.ring_rows > 0;
  const int32_t row = ring ? at[kRow] % o.ring_rows : at[kRow];
  const int32_t col = ring ? at[kCol] - ring_col : at[kCol];
  return at[kBatch] * o.stride[kBatch] + row * o.stride[kRow] + col * o.stride[kCol] +
         at[kChannel] * o.stride[kChannel];
}

// Calls f(index, offset) for each row of input 0 that a tile of a windowed nest needs, with the
// row's offset in bytes; kNoRow for one outside the input. Column 0 is there or would be, if a ring
// begins later.
inline constexpr int64_t kNoRow = INT64_MIN;
template <typename F>
void for_each_row(const LoopNest& n, const Box& tile, F&& f) {
  const Operand& x = n.in[0];
  const RowWindow& w = n.window;
  const auto first = static_cast<int32_t>(w.begin(tile.begin[kRow]));
  const int32_t count = w.rows_under(tile.begin[kRow], tile.size[kRow]);
  const int32_t origin[kDimCount] = {tile.begin[kBatch], 0, 0, tile.begin[kChannel]};
  const int64_t start = offset_of(x, origin, tile.in_col);
  for (int32_t i = 0; i < count; ++i) {
    const int32_t r = first + i;
    const int32_t slot = x.ring_rows > 0 ? r % x.ring_rows : r;
    f(i, r >= 0 && r < w.rows ? start + slot * x.stride[kRow] : kNoRow);
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

// Calls f(member, box) for what the members of a band compute of the columns in `boxes`, step by
// step, until rows [begin, end) of the last one are done. boxes[m] is all of member m of an image
// and these columns.
template <typename NestOf, typename F>
void walk_strip(size_t count, NestOf&& nest, Box* boxes, int32_t rows, int32_t begin, int32_t end,
                F&& f) {
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
    row += std::min(rows, end - row);
    needed[count - 1] = row;
    for (size_t m = count - 1; m-- > 0;) {
      const LoopNest& next = nest(m + 1);
      needed[m] = next.windowed ? next.window.rows_needed(needed[m + 1]) : needed[m + 1];
    }
    for (size_t m = 0; m < count; ++m) {
      if (needed[m] <= done[m]) continue;
      boxes[m].begin[kRow] = done[m];
      boxes[m].size[kRow] = needed[m] - done[m];
      if (boxes[m].size[kCol] > 0) f(m, boxes[m]);
      done[m] = needed[m];
    }
  }
}

// Calls f(member, box) for what the members of a band compute, step by step, until rows [begin,
// end) of every image of the last one are done. nest(m) is member m's nest, of `count`. Ranges are
// independent: rows of earlier members that two of them need are visited in both, as are columns
// that two strips need.
template <typename NestOf, typename F>
void walk_band(size_t count, NestOf&& nest, BandSteps steps, int32_t begin, int32_t end, F&& f) {
  const LoopNest& last = nest(count - 1);
  const int32_t width = last.extent[kCol], strip = steps.cols > 0 ? steps.cols : width;
  Box boxes[kMaxBandMembers];
  for (int32_t batch = 0; batch < last.extent[kBatch]; ++batch) {
    for (int32_t col = 0; col < width; col += strip) {
      for (size_t m = count; m-- > 0;) {
        boxes[m] = whole_box(nest(m));
        boxes[m].begin[kBatch] = batch;
        boxes[m].size[kBatch] = 1;
        if (strip == width) continue;
        int32_t first = col, past = std::min(col + strip, width);
        if (m + 1 < count) {
          const RowWindow& w = *nest(m + 1).columns;
          const Box& next = boxes[m + 1];
          first = w.first_needed(next.begin[kCol]);
          past = w.rows_needed(next.begin[kCol] + next.size[kCol]);
        }
        boxes[m].begin[kCol] = first;
        boxes[m].size[kCol] = past - first;
        if (m + 1 < count) boxes[m].out_col = boxes[m + 1].in_col = first;
      }
      walk_strip(count, nest, boxes, steps.rows, begin, end, f);
    }
  }
}

}  // namespace pj
