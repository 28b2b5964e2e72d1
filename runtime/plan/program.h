// Program: what the executor runs, as plain data.
//
// A step is a loop nest over one kernel, or a few that each compute a part of an operator's output;
// or a band: a chain of loop nests run a few rows at a time; or an operator that another library
// prepared.
// The loop nest is the single description that the executor walks, the traffic model counts, the
// tuner varies and the profiler prints. Nothing here points into memory: operands are buffers with
// offsets, resolved when a session is made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/kernel.h"
#include "runtime/base/shape.h"
#include "runtime/graph/graph.h"

namespace pj {

// Where an operand's bytes are.
enum class Space : uint8_t {
  kNone,      // absent
  kArena,     // `offset` into the session's arena
  kInput,     // graph input `index`, in the session's or the caller's memory
  kOutput,    // graph output `index`, likewise
  kConstant,  // the data of graph tensor `index`
  kPacked,    // packed constant `index` of the program
  kRing,      // `offset` into the ring memory of the thread that runs the band
};
struct BufferRef {
  Space space = Space::kNone;
  int32_t index = 0;
  int64_t offset = 0;  // bytes

  bool operator==(const BufferRef&) const = default;
};

// How a kernel's window moves over the rows of input 0: row r of the output needs input rows
// r / repeat * stride - pad_top + i for i in [0, span). Of columns likewise.
struct RowWindow {
  int32_t stride = 1, pad_top = 0, span = 1;
  int32_t rows = 0;    // rows that exist; others are padding
  int32_t repeat = 1;  // rows of the output that have the same window: more than one where it grows

  // Rows under `count` rows of the output from `row` on, and under any `count` rows at most.
  int32_t rows_under(int32_t row, int32_t count) const {
    return ((row + count - 1) / repeat - row / repeat) * stride + span;
  }
  int32_t most_rows_under(int32_t count) const { return rows_under(repeat - 1, count); }
  // The first row of the window of output row `row`, which may be padding.
  int64_t begin(int32_t row) const { return int64_t{row / repeat} * stride - pad_top; }
  // The first input row that output row `row` needs.
  int32_t first_needed(int32_t row) const {
    const int64_t first = begin(row);
    return static_cast<int32_t>(first < 0 ? 0 : (first > rows ? rows : first));
  }
  // One past the last input row that output rows below `end` need.
  int32_t rows_needed(int32_t end) const {
    const int64_t last = begin(end - 1) + span;
    return static_cast<int32_t>(last < 0 ? 0 : (last > rows ? rows : last));
  }
};

// An operand: the address of a tile is
//   buffer + begin[0]*stride[0] + row(begin[1])*stride[1] + begin[2]*stride[2] + begin[3]*stride[3]
// where row(r) is r, or r modulo `ring_rows` if the buffer is a ring of that many rows.
struct Operand {
  BufferRef buffer;
  int64_t stride[kDimCount] = {0, 0, 0, 0};  // bytes for one step in each dimension
  int32_t ring_rows = 0;
  int64_t bytes = 0;  // size of the whole operand, for the traffic model and for bounds checks

  bool operator==(const Operand&) const = default;
};

// One loop: walks `dim` of the box that the loops outside it left, in pieces of `step`. A dimension
// may appear twice: an outer loop for a cache block, an inner one for the tile.
struct Loop {
  Dim dim;
  int32_t step;
  bool parallel = false;  // pieces may run on different threads; only a prefix of the loops is

  bool operator==(const Loop&) const = default;
};

struct LoopNest {
  KernelId kernel = -1;
  int32_t extent[kDimCount] = {1, 1, 1, 1};
  std::vector<Loop> loops;  // outermost first
  std::vector<Operand> in, out;
  bool windowed = false;  // in[0] is passed as rows, by `window`
  RowWindow window;
  // The columns of input 0, if bands may cut them: the kernel finds them from its tile's first one.
  std::optional<RowWindow> columns;
  std::vector<std::byte> params;  // Tile::params
  int64_t scratch_bytes = 0;      // for each thread
};

inline constexpr size_t kMaxBandMembers = 16;

// How a band walks its last member: so many rows at a time, of all columns or, strip by strip, of
// `cols` of them.
struct BandSteps {
  int32_t rows = 0;
  int32_t cols = 0;  // 0: all

  bool operator==(const BandSteps&) const = default;
};

// Before each step of a band every member computes the rows that the next one needs and that are
// not yet in its ring; with strips, of those columns that are needed under the strip. Members are
// ordered from first to last; only neighbours feed each other through `kRow`.
struct Step {
  // One; or several that run one after the other and together compute the operator; or at most
  // kMaxBandMembers of a band. The last one's outputs begin where the operator's do.
  std::vector<LoopNest> members;
  BandSteps steps;  // of a band
  // Runs as a PreparedOp (runtime/exec/prepared.h) instead of a kernel: members[0] then only says
  // where the operands are.
  bool prepared = false;
  int32_t threads = 0;  // at most so many pay off; 0: all that there are

  // What it stands for, for people.
  std::string name, op;
  std::vector<int32_t> op_indices;  // in the graph: one; of a band one a member
  int64_t macs = 0;

  bool band() const { return steps.rows > 0; }
};

// A constant made from graph constants by a packing function.
struct PackedConstant {
  int32_t op = 0;       // the operator whose weights these are
  std::string packing;  // layout and its parameters: equal strings mean equal bytes
  int64_t bytes = 0;
};

// A graph tensor that the session shows to its user.
struct IoBinding {
  TensorId tensor = kNoTensor;
  int64_t bytes = 0;
};

struct Program {
  std::vector<Step> steps;
  std::vector<PackedConstant> packed;
  std::vector<IoBinding> inputs, outputs;
  int64_t arena_bytes = 0;
  // The largest sum of sizes of tensors that live at the same time: no arena can be smaller.
  int64_t arena_lower_bound = 0;
  // Of the rings of the largest band: every thread that runs bands has so much of its own.
  int64_t ring_bytes = 0;
};

// A line of text for every number in it; equal programs give equal text. For tests and `inspect`.
std::string to_string(const Program& program);

}  // namespace pj
