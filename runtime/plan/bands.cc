#include "runtime/plan/bands.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "kernels/conv/conv.h"
#include "runtime/base/aligned.h"
#include "runtime/plan/lower.h"

namespace pj {
namespace {

// What the cost of a step is made of, for one operator's nest with rows restored.
struct Member {
  LoopNest nest;
  bool bandable = false;
  TensorId input = kNoTensor, output = kNoTensor;  // of the chain
  bool output_is_internal = false;                 // in the arena and read by the next step only
  int64_t in_bytes = 0, other_bytes = 0, out_bytes = 0, weight_bytes = 0;
  double mac_cycles = 0;

  int32_t rows() const { return nest.extent[kRow]; }
  int64_t row_bytes() const { return out_bytes / nest.extent[kBatch] / rows(); }
};

constexpr double kLine = 64;

// Gives a pointwise convolution that was planned over all pixels as one row its rows again.
void restore_rows(const Tensor& x, const Tensor& y, LoopNest& nest) {
  const int32_t batch = y.shape[0], height = y.shape[1], width = y.shape[2];
  if (nest.extent[kBatch] == batch && nest.extent[kRow] == height) return;
  ConvKernelParams p;
  std::memcpy(&p, nest.params.data(), sizeof(p));
  p.in_width = width;
  p.out_row_bytes = width * p.out_col_bytes;
  std::memcpy(nest.params.data(), &p, sizeof(p));
  nest.extent[kBatch] = batch;
  nest.extent[kRow] = height;
  nest.extent[kCol] = width;
  nest.window.rows = height;
  nest.in[0].stride[kRow] = byte_size(x) / batch / height;
  nest.in[0].stride[kBatch] = byte_size(x) / batch;
  nest.out[0].stride[kRow] = byte_size(y) / batch / height;
  nest.out[0].stride[kBatch] = byte_size(y) / batch;
}

Member member_of(const Graph& graph, std::span<const KernelDesc> catalog, const Step& step) {
  Member m;
  if (step.prepared || step.members.size() != 1 || step.op_indices.size() != 1) return m;
  const Op& op = graph.ops[static_cast<size_t>(step.op_indices[0])];
  m.nest = step.members[0];
  if (m.nest.kernel < 0 || !m.nest.windowed) return m;
  const KernelDesc& kernel = catalog[static_cast<size_t>(m.nest.kernel)];
  if (kernel.cls != KernelClass::kConv && kernel.cls != KernelClass::kDepthwise) return m;
  m.input = op.inputs[0];
  m.output = op.outputs[0];
  const Tensor& x = graph.tensor(m.input);
  const Tensor& y = graph.tensor(m.output);
  if (x.shape.rank() != 4 || y.shape.rank() != 4) return m;
  m.bandable = true;
  restore_rows(x, y, m.nest);
  m.in_bytes = byte_size(x);
  m.out_bytes = byte_size(y);
  m.weight_bytes = m.nest.in[1].bytes;
  m.mac_cycles = static_cast<double>(step.macs) / static_cast<double>(kernel.macs_per_cycle);
  return m;
}

// Which steps hand their output to the next one and to nobody else.
void find_links(const Program& program, std::vector<Member>& members, size_t tensor_count) {
  std::vector<int32_t> uses(tensor_count, 0);
  for (const Step& step : program.steps)
    for (const LoopNest& nest : step.members)
      for (const Operand& o : nest.in)
        if (o.buffer.space == Space::kArena) ++uses[static_cast<size_t>(o.buffer.index)];
  for (size_t i = 0; i + 1 < members.size(); ++i) {
    Member& m = members[i];
    const Member& next = members[i + 1];
    if (!m.bandable || !next.bandable) continue;
    const BufferRef& out = m.nest.out[0].buffer;
    m.output_is_internal = out.space == Space::kArena && out == next.nest.in[0].buffer &&
                           uses[static_cast<size_t>(out.index)] == 1;
  }
}

// The most rows that each member of a band computes in a step, for steps of `rows` rows of the
// last.
std::vector<int32_t> rows_per_step(std::span<const Member> band, int32_t rows) {
  std::vector<int32_t> most(band.size());
  most.back() = std::min(rows, band.back().rows());
  for (size_t m = band.size() - 1; m-- > 0;) {
    const RowWindow& w = band[m + 1].nest.window;
    most[m] = std::min((most[m + 1] - 1) * w.stride + w.span, band[m].rows());
  }
  return most;
}

// Cycles that lines cost which miss a cache, beyond what computing hides: see the decision record.
struct LineCosts {
  double l1 = 0.3, l2 = 6, last = 24;
};

// Bytes that pass the border of a cache of `size` bytes when the steps run layer by layer.
int64_t layer_bytes(const Member& m, int64_t size) {
  const int64_t moved = m.in_bytes + m.other_bytes + m.out_bytes;
  return moved <= size * 6 / 10 ? m.weight_bytes : m.weight_bytes + moved;
}

double layer_cost(const Member& m, const Target& t) {
  const LineCosts c;
  double cost = m.mac_cycles;
  cost += c.l1 * static_cast<double>(m.in_bytes + m.out_bytes + m.weight_bytes) / kLine;
  const double l2 = static_cast<double>(layer_bytes(m, t.l2_bytes)) / kLine;
  if (t.l3_bytes == 0) return cost + c.last * l2;
  return cost + c.l2 * l2 + c.last * static_cast<double>(layer_bytes(m, t.l3_bytes)) / kLine;
}

double band_cost(std::span<const Member> band, const Target& t, int32_t rows) {
  const LineCosts c;
  const std::vector<int32_t> most = rows_per_step(band, rows);
  // R rings, W weights, WS weights once a step, I internal tensors, E what enters and leaves.
  int64_t rings = 0, weights = 0, streamed = 0, internal = 0;
  int64_t external = band.front().in_bytes + band.back().out_bytes;
  double cost = 0, calls = 0;
  for (size_t m = 0; m < band.size(); ++m) {
    const Member& b = band[m];
    const double steps = std::max<double>(
        1, static_cast<double>(band.back().rows()) / static_cast<double>(most.back()));
    weights += b.weight_bytes;
    streamed += static_cast<int64_t>(static_cast<double>(b.weight_bytes) * steps);
    external += b.other_bytes;
    calls += steps;
    cost += b.mac_cycles;
    if (m + 1 == band.size()) break;
    rings += most[m] * b.row_bytes();
    internal += b.out_bytes;
  }
  const int64_t l1 = t.l1_bytes;
  int64_t bytes = external;
  if (rings + std::min(weights, l1 * 4 / 10) > l1 * 6 / 10) bytes += internal * 22 / 10;
  bytes += weights <= l1 * 3 / 10 && rings + weights <= l1 ? weights : streamed;
  cost += c.l1 * static_cast<double>(bytes) / kLine;
  auto beyond = [&](int64_t size) {
    const int64_t outside = external > size * 6 / 10 ? external : 0;
    return static_cast<double>(rings + weights <= size * 6 / 10
                                   ? weights + outside
                                   : streamed / 2 + 2 * internal + outside) /
           kLine;
  };
  cost += (t.l3_bytes == 0 ? c.last : c.l2) * beyond(t.l2_bytes);
  if (t.l3_bytes > 0) cost += c.last * beyond(t.l3_bytes);
  constexpr double kCallCycles = 250;  // of the executor, for each member and step
  return cost + kCallCycles * calls * static_cast<double>(band[0].nest.extent[kBatch]);
}

constexpr int32_t kRowChoices[] = {1, 2, 4, 8};

struct Choice {
  double cost = std::numeric_limits<double>::infinity();
  size_t begin = 0;
  int32_t rows = 0;  // 0: a layer by itself
};

// The cheapest way to cut the steps into layers and bands: a shortest path over cuts.
std::vector<Choice> cheapest_cuts(std::span<const Member> members, const Target& target) {
  std::vector<Choice> best(members.size() + 1);
  best[0].cost = 0;
  for (size_t end = 1; end <= members.size(); ++end) {
    const Member& last = members[end - 1];
    best[end] = {best[end - 1].cost + (last.bandable ? layer_cost(last, target) : 0), end - 1, 0};
    for (size_t begin = end - 1; begin-- > 0;) {
      if (!members[begin].output_is_internal || end - begin > kMaxBandMembers) break;
      for (const int32_t rows : kRowChoices) {
        if (2 * rows > last.rows()) break;
        const double cost =
            best[begin].cost + band_cost(members.subspan(begin, end - begin), target, rows);
        if (cost < best[end].cost) best[end] = {cost, begin, rows};
      }
    }
  }
  return best;
}

// Turns the memory between two members into a ring of `rows` rows at `offset`.
void connect(LoopNest& from, LoopNest& to, int32_t rows, int64_t offset) {
  for (Operand* o : {&from.out[0], &to.in[0]}) {
    o->buffer = {Space::kRing, 0, offset};
    o->ring_rows = rows;
    o->stride[kBatch] = 0;
    o->bytes = rows * o->stride[kRow];
  }
}

Step make_band(std::span<const KernelDesc> catalog, std::span<Step> steps,
               std::span<Member> members, int32_t rows, int64_t& ring_bytes) {
  Step band;
  band.rows_per_step = rows;
  band.name = steps.front().name;
  band.op = "band";
  for (Step& step : steps) {
    band.op_indices.push_back(step.op_indices[0]);
    band.macs += step.macs;
  }
  const std::vector<int32_t> most = rows_per_step(members, rows);
  int64_t offset = 0;
  for (size_t m = 0; m < members.size(); ++m) {
    LoopNest& nest = members[m].nest;
    // A step's rows are one tile, except that depthwise ones keep their blocks of channels.
    const KernelClass cls = catalog[static_cast<size_t>(nest.kernel)].cls;
    if (cls != KernelClass::kDepthwise) nest.loops = {{kBatch, 1}, {kRow, most[m]}};
    fit_scratch(catalog[static_cast<size_t>(nest.kernel)], nest);
    if (m > 0) {
      LoopNest& before = members[m - 1].nest;
      connect(before, nest, most[m - 1], offset);
      offset +=
          static_cast<int64_t>(round_up(static_cast<size_t>(before.out[0].bytes), kCacheLine));
    }
  }
  for (Member& m : members) band.members.push_back(std::move(m.nest));
  ring_bytes = std::max(ring_bytes, offset);
  return band;
}

}  // namespace

void form_bands(const Graph& graph, const Target& target, std::span<const KernelDesc> catalog,
                Program& program) {
  std::vector<Member> members;
  for (const Step& step : program.steps) members.push_back(member_of(graph, catalog, step));
  find_links(program, members, graph.tensors.size());
  const std::vector<Choice> best = cheapest_cuts(members, target);

  std::vector<Step> steps;  // from the last to the first
  for (size_t end = members.size(); end > 0; end = best[end].begin) {
    const Choice& choice = best[end];
    if (choice.rows == 0) {
      steps.push_back(std::move(program.steps[end - 1]));
      continue;
    }
    const size_t count = end - choice.begin;
    steps.push_back(make_band(catalog, std::span(program.steps).subspan(choice.begin, count),
                              std::span(members).subspan(choice.begin, count), choice.rows,
                              program.ring_bytes));
  }
  program.steps.assign(std::make_move_iterator(steps.rbegin()),
                       std::make_move_iterator(steps.rend()));
}

}  // namespace pj
