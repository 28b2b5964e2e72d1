#include "runtime/exec/nest.h"

#include <algorithm>

namespace pj {
namespace {

// Offset of position `at` in an operand whose rows may form a ring.
int64_t offset_of(const Operand& o, const int32_t* at) {
  const int32_t row = o.ring_rows > 0 ? at[kRow] % o.ring_rows : at[kRow];
  return at[kBatch] * o.stride[kBatch] + row * o.stride[kRow] + at[kCol] * o.stride[kCol] +
         at[kChannel] * o.stride[kChannel];
}

void fill_rows(const LoopNest& n, const std::byte* base, const Tile& t, const std::byte** rows) {
  const Operand& x = n.in[0];
  const RowWindow& w = n.window;
  const int32_t first = t.begin[kRow] * w.stride - w.pad_top;
  const int32_t count = (t.size[kRow] - 1) * w.stride + w.span;
  const int32_t origin[kDimCount] = {t.begin[kBatch], 0, 0, t.begin[kChannel]};
  const std::byte* const start = base + offset_of(x, origin);
  for (int32_t i = 0; i < count; ++i) {
    const int32_t r = first + i;
    const int32_t slot = x.ring_rows > 0 ? r % x.ring_rows : r;
    rows[i] = r >= 0 && r < w.rows ? start + slot * x.stride[kRow] : nullptr;
  }
}

void call_kernel(const BoundNest& b, const Box& box, Workspace& ws) {
  const LoopNest& n = *b.nest;
  Tile t{};
  std::copy_n(box.begin, kDimCount, t.begin);
  std::copy_n(box.size, kDimCount, t.size);
  // A windowed operand is found through its rows.
  if (n.windowed) ws.in()[0] = nullptr;
  for (size_t i = n.windowed ? 1 : 0; i < n.in.size(); ++i)
    ws.in()[i] = b.in[i] == nullptr ? nullptr : b.in[i] + offset_of(n.in[i], t.begin);
  for (size_t i = 0; i < n.out.size(); ++i)
    ws.out()[i] = b.out[i] == nullptr ? nullptr : b.out[i] + offset_of(n.out[i], t.begin);
  if (n.windowed) fill_rows(n, b.in[0], t, ws.rows());
  t.in = ws.in();
  t.out = ws.out();
  t.rows = ws.rows();
  t.scratch = ws.scratch();
  t.params = n.params.data();
  b.kernel(t);
}

// Rows that a tile starting at `row` may have without crossing the end of a ring it addresses
// directly (a windowed operand has a pointer for each row instead).
int32_t rows_before_wrap(const LoopNest& n, int32_t row) {
  int32_t rows = INT32_MAX;
  auto limit = [&](const Operand& o) {
    if (o.ring_rows > 0) rows = std::min(rows, o.ring_rows - row % o.ring_rows);
  };
  for (size_t i = n.windowed ? 1 : 0; i < n.in.size(); ++i) limit(n.in[i]);
  for (const Operand& o : n.out) limit(o);
  return rows;
}

void walk(const BoundNest& b, size_t level, const Box& box, Workspace& ws) {
  const LoopNest& n = *b.nest;
  if (level == n.loops.size()) {
    Box tile = box;
    const int32_t end = box.begin[kRow] + box.size[kRow];
    while (tile.begin[kRow] < end) {
      tile.size[kRow] = std::min(end - tile.begin[kRow], rows_before_wrap(n, tile.begin[kRow]));
      call_kernel(b, tile, ws);
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
    walk(b, level + 1, inner, ws);
  }
}

size_t parallel_loops(const LoopNest& n) {
  size_t count = 0;
  while (count < n.loops.size() && n.loops[count].parallel) ++count;
  return count;
}

int64_t pieces(const LoopNest& n, const Loop& loop) {
  return ceil_div(n.extent[loop.dim], loop.step);
}

// The box of one part: its number written in the mixed radix of the parallel loops.
Box part_box(const LoopNest& n, size_t loops, int64_t part) {
  Box box = whole_box(n);
  for (size_t i = loops; i-- > 0;) {
    const Loop& loop = n.loops[i];
    const int64_t count = pieces(n, loop);
    const auto at = static_cast<int32_t>(part % count) * loop.step;
    part /= count;
    box.begin[loop.dim] = at;
    box.size[loop.dim] = std::min(loop.step, n.extent[loop.dim] - at);
  }
  return box;
}

// Largest number of rows in one tile.
int32_t tile_rows(const LoopNest& n) {
  int32_t rows = n.extent[kRow];
  for (const Loop& loop : n.loops)
    if (loop.dim == kRow) rows = std::min(rows, loop.step);
  return rows;
}

}  // namespace

Box whole_box(const LoopNest& nest) {
  Box box{};
  std::copy_n(nest.extent, kDimCount, box.size);
  return box;
}

void Workspace::reserve(const LoopNest& nest) {
  in_count_ = std::max(in_count_, nest.in.size());
  out_count_ = std::max(out_count_, nest.out.size());
  scratch_bytes_ = std::max(scratch_bytes_, static_cast<size_t>(nest.scratch_bytes));
  if (!nest.windowed) return;
  const int64_t rows = int64_t{tile_rows(nest) - 1} * nest.window.stride + nest.window.span;
  row_count_ = std::max(row_count_, static_cast<size_t>(rows));
}

void Workspace::reserve_rings(int64_t bytes) {
  ring_bytes_ = std::max(ring_bytes_, static_cast<size_t>(bytes));
}

bool Workspace::allocate() {
  in_.assign(in_count_, nullptr);
  out_.assign(out_count_, nullptr);
  rows_.assign(row_count_, nullptr);
  scratch_ = AlignedBuffer(scratch_bytes_);
  rings_ = AlignedBuffer(ring_bytes_);
  return scratch_.size() == scratch_bytes_ && rings_.size() == ring_bytes_;
}

void run_box(const BoundNest& nest, const Box& box, Workspace& workspace) {
  walk(nest, 0, box, workspace);
}

int64_t part_count(const LoopNest& nest) {
  int64_t count = 1;
  for (size_t i = 0; i < parallel_loops(nest); ++i) count *= pieces(nest, nest.loops[i]);
  return count;
}

void run_parts(const BoundNest& nest, int64_t first, int64_t last, Workspace& workspace) {
  const size_t loops = parallel_loops(*nest.nest);
  for (int64_t part = first; part < last; ++part)
    walk(nest, loops, part_box(*nest.nest, loops, part), workspace);
}

void run_band(std::span<const BoundNest> members, int32_t rows_per_step, int32_t begin, int32_t end,
              Workspace& workspace) {
  const size_t count = members.size();
  const LoopNest& last = *members[count - 1].nest;
  for (int32_t batch = 0; batch < last.extent[kBatch]; ++batch) {
    // Rows of each member that exist so far: those before `begin` that nobody needs count as done.
    int32_t done[kMaxBandMembers];
    done[count - 1] = begin;
    for (size_t m = count - 1; m-- > 0;) {
      const LoopNest& next = *members[m + 1].nest;
      done[m] = next.windowed ? next.window.first_needed(done[m + 1]) : done[m + 1];
    }
    for (int32_t row = begin; row < end;) {
      // From the last member to the first: one past the last row that each has to deliver.
      int32_t needed[kMaxBandMembers];
      row += std::min(rows_per_step, end - row);
      needed[count - 1] = row;
      for (size_t m = count - 1; m-- > 0;) {
        const LoopNest& next = *members[m + 1].nest;
        needed[m] = next.windowed ? next.window.rows_needed(needed[m + 1]) : needed[m + 1];
      }
      for (size_t m = 0; m < count; ++m) {
        if (needed[m] <= done[m]) continue;
        Box box = whole_box(*members[m].nest);
        box.begin[kBatch] = batch;
        box.size[kBatch] = 1;
        box.begin[kRow] = done[m];
        box.size[kRow] = needed[m] - done[m];
        run_box(members[m], box, workspace);
        done[m] = needed[m];
      }
    }
  }
}

}  // namespace pj
