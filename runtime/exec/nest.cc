#include "runtime/exec/nest.h"

#include <algorithm>

namespace pj {
namespace {

// Where the pointers of a tile go.
struct Pointers {
  const std::byte** in;
  std::byte** out;
  const std::byte** rows;
};

Tile make_tile(const BoundNest& b, const Box& box, const Pointers& to, std::byte* scratch) {
  const LoopNest& n = *b.nest;
  Tile t{};
  std::copy_n(box.begin, kDimCount, t.begin);
  std::copy_n(box.size, kDimCount, t.size);
  // A windowed operand is found through its rows.
  if (n.windowed) to.in[0] = nullptr;
  for (size_t i = n.windowed ? 1 : 0; i < n.in.size(); ++i)
    to.in[i] = b.in[i] == nullptr ? nullptr : b.in[i] + offset_of(n.in[i], t.begin, box.in_col);
  for (size_t i = 0; i < n.out.size(); ++i)
    to.out[i] =
        b.out[i] == nullptr ? nullptr : b.out[i] + offset_of(n.out[i], t.begin, box.out_col);
  if (n.windowed) {
    for_each_row(n, box, [&](int32_t i, int64_t offset) {
      to.rows[i] = offset == kNoRow ? nullptr : b.in[0] + offset;
    });
  }
  t.in = to.in;
  t.out = to.out;
  t.rows = to.rows;
  t.scratch = scratch;
  t.params = n.params.data();
  return t;
}

void call_kernel(const BoundNest& b, const Box& box, Workspace& ws) {
  b.kernel(make_tile(b, box, {ws.in(), ws.out(), ws.rows()}, ws.scratch()));
}

void walk(const BoundNest& b, size_t level, const Box& box, Workspace& ws) {
  walk_tiles(*b.nest, level, box, [&](const Box& tile) { call_kernel(b, tile, ws); });
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

void Workspace::reserve(const LoopNest& nest) {
  in_count_ = std::max(in_count_, nest.in.size());
  out_count_ = std::max(out_count_, nest.out.size());
  scratch_bytes_ = std::max(scratch_bytes_, static_cast<size_t>(nest.scratch_bytes));
  if (!nest.windowed) return;
  const int32_t rows = nest.window.most_rows_under(tile_rows(nest));
  row_count_ = std::max(row_count_, static_cast<size_t>(rows));
}

void Workspace::reserve_rings(int64_t bytes) {
  ring_bytes_ = round_up(static_cast<size_t>(bytes), kCacheLine);
}

bool Workspace::allocate() {
  in_.assign(in_count_, nullptr);
  out_.assign(out_count_, nullptr);
  rows_.assign(row_count_, nullptr);
  memory_ = AlignedBuffer(ring_bytes_ + scratch_bytes_);
  return memory_.size() == ring_bytes_ + scratch_bytes_;
}

void reserve_tile(BoundNest& b) {
  const LoopNest& n = *b.nest;
  for (const Loop& loop : n.loops)
    if (loop.step < n.extent[loop.dim]) return;
  if (rows_before_wrap(n, 0) < n.extent[kRow]) return;
  b.tile_in.resize(n.in.size());
  b.tile_out.resize(n.out.size());
  if (n.windowed) b.tile_rows.resize(static_cast<size_t>(n.window.rows_under(0, n.extent[kRow])));
}

void bind_tile(BoundNest& b, Workspace& ws) {
  if (b.tile_out.empty()) return;
  b.tile = make_tile(b, whole_box(*b.nest),
                     {b.tile_in.data(), b.tile_out.data(), b.tile_rows.data()}, ws.scratch());
}

void run_whole(const BoundNest& b, Workspace& ws) {
  if (b.tile.params != nullptr) {
    b.kernel(b.tile);
  } else {
    run_box(b, whole_box(*b.nest), ws);
  }
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

void run_band(std::span<const BoundNest> members, BandSteps steps, int32_t begin, int32_t end,
              Workspace& workspace) {
  walk_band(
      members.size(), [&](size_t m) -> const LoopNest& { return *members[m].nest; }, steps, begin,
      end, [&](size_t m, const Box& box) { run_box(members[m], box, workspace); });
}

}  // namespace pj
