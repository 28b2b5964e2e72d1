#include "runtime/plan/bands.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "kernels/conv/conv.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/resize/resize.h"
#include "runtime/base/aligned.h"
#include "runtime/plan/lower.h"

namespace pj {
namespace {

// What the cost of a step is made of, for one operator's nest as it is with rows restored.
struct Member {
  const LoopNest* nest = nullptr;  // as it was planned; null if it is not one nest of a kernel
  bool bandable = false;
  int32_t batch = 1, rows = 1, cols = 1;
  RowWindow window;                  // of rows
  std::optional<RowWindow> columns;  // LoopNest::columns
  size_t chain_input = 0;            // the operand that comes from the member before
  bool output_is_internal = false;   // in the arena and read by the next step only
  int64_t in_bytes = 0, other_bytes = 0, out_bytes = 0, weight_bytes = 0;
  int64_t in_pixels = 1;
  bool depthwise = false;
  bool reads_once = false;  // each line of its inputs, from begin to end
  double mac_cycles = 0;

  // About what the kernel copies for one step of some rows and columns of outputs: windows as
  // int16, or strips of quads.
  int64_t scratch_bytes(int64_t some_cols, int64_t some_rows) const {
    constexpr int64_t kMostWidened = 16 << 10, kQuadColumn = 128;
    if (weight_bytes == 0) return 0;
    if (depthwise) return some_cols * columns->stride * kQuadColumn;
    return std::min(kMostWidened,
                    some_cols * some_rows * 2 * in_bytes / std::max<int64_t>(in_pixels, 1));
  }
  int64_t row_bytes() const { return out_bytes / batch / rows; }
};

constexpr double kLine = 64;

bool has_own_rows(const Tensor& y, const LoopNest& nest) {
  return nest.extent[kBatch] == y.shape[0] && nest.extent[kRow] == y.shape[1];
}

// Gives a pointwise convolution that was planned over all pixels as one row its rows again.
void restore_rows(const Tensor& x, const Tensor& y, LoopNest& nest) {
  const int32_t batch = y.shape[0], height = y.shape[1], width = y.shape[2];
  if (has_own_rows(y, nest)) return;
  ConvKernelParams p;
  std::memcpy(&p, nest.params.data(), sizeof(p));
  p.in_width = width;
  p.out_row_bytes = width * p.out_col_bytes;
  std::memcpy(nest.params.data(), &p, sizeof(p));
  nest.extent[kBatch] = batch;
  nest.extent[kRow] = height;
  nest.extent[kCol] = width;
  nest.window.rows = height;
  nest.columns->rows = width;
  nest.in[0].stride[kRow] = byte_size(x) / batch / height;
  nest.in[0].stride[kBatch] = byte_size(x) / batch;
  auto restore_output = [&](Operand& o) {
    o.stride[kRow] = byte_size(y) / batch / height;
    o.stride[kBatch] = byte_size(y) / batch;
  };
  restore_output(nest.out[0]);
  // What an epilogue adds lies like the output; slopes of channels have no rows.
  for (size_t i = 3; i < nest.in.size(); ++i)
    if (nest.in[i].stride[kCol] > 0) restore_output(nest.in[i]);
}

bool is_convolution(KernelClass cls) {
  return cls == KernelClass::kConv || cls == KernelClass::kDepthwise;
}

bool is_elementwise(KernelClass cls) {
  switch (cls) {
    case KernelClass::kSum:
    case KernelClass::kProduct:
    case KernelClass::kBinary:
    case KernelClass::kUnary:
    case KernelClass::kTable:
    case KernelClass::kQuantize:
    case KernelClass::kDequantize:
      return true;
    default:
      return false;
  }
}

template <typename F>
bool all_operands(const LoopNest& nest, F&& f) {
  return std::all_of(nest.in.begin(), nest.in.end(), f) && f(nest.out[0]);
}

// True if the nest walks images row by row and all its operands have these rows.
bool keeps_rows(const Tensor& y, const LoopNest& nest) {
  return has_own_rows(y, nest) && all_operands(nest, [&](const Operand& o) {
           return o.stride[kRow] > 0 &&
                  o.stride[kRow] * nest.extent[kRow] * nest.extent[kBatch] == o.bytes;
         });
}

// The columns of an elementwise nest that keeps rows, if its operands have them too.
std::optional<RowWindow> own_columns(const Tensor& y, const LoopNest& nest) {
  const int32_t width = y.shape[2];
  const bool has_columns = nest.extent[kCol] == width && all_operands(nest, [&](const Operand& o) {
                             return o.stride[kCol] * width == o.stride[kRow];
                           });
  return has_columns ? std::optional(RowWindow{1, 0, 1, width}) : std::nullopt;
}

Member member_of(const Graph& graph, std::span<const KernelDesc> catalog, const Step& step) {
  Member m;
  if (step.prepared || step.members.size() != 1 || step.op_indices.size() != 1) return m;
  const Op& op = graph.ops[static_cast<size_t>(step.op_indices[0])];
  const LoopNest& nest = step.members[0];
  m.nest = &nest;
  if (nest.kernel < 0) return m;
  const KernelDesc& kernel = catalog[static_cast<size_t>(nest.kernel)];
  const Tensor& x = graph.tensor(op.inputs[0]);
  const Tensor& y = graph.tensor(op.outputs[0]);
  if (x.shape.rank() != 4 || y.shape.rank() != 4) return m;
  const bool conv = is_convolution(kernel.cls);
  m.bandable = conv || kernel.cls == KernelClass::kNearest
                   ? nest.windowed
                   : is_elementwise(kernel.cls) && keeps_rows(y, nest);
  if (!m.bandable) return m;
  const bool own = !conv || has_own_rows(y, nest);
  m.batch = own ? nest.extent[kBatch] : y.shape[0];
  m.rows = own ? nest.extent[kRow] : y.shape[1];
  m.cols = own ? nest.extent[kCol] : y.shape[2];
  m.window = nest.window;
  m.columns = nest.columns;
  m.in_bytes = byte_size(x);
  m.out_bytes = byte_size(y);
  if (!conv) {
    m.reads_once = true;
    for (size_t i = 1; i < nest.in.size(); ++i) m.other_bytes += nest.in[i].bytes;
    if (!nest.windowed) m.columns = own_columns(y, nest);
    return m;
  }
  m.weight_bytes = nest.in[1].bytes;
  for (size_t i = 3; i < nest.in.size(); ++i) m.other_bytes += nest.in[i].bytes;
  m.depthwise = kernel.cls == KernelClass::kDepthwise;
  m.in_pixels = elements(x.shape) / x.shape[3];
  m.mac_cycles = static_cast<double>(step.macs) / static_cast<double>(kernel.macs_per_cycle);
  return m;
}

// The operand of a member that is `buffer`, if it can be a ring: convolutions have it as rows.
std::optional<size_t> operand_in(const LoopNest& nest, const BufferRef& buffer) {
  for (size_t i = 0; i < (nest.windowed ? 1 : nest.in.size()); ++i)
    if (nest.in[i].buffer == buffer) return i;
  return std::nullopt;
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
    Member& next = members[i + 1];
    if (!m.bandable || !next.bandable) continue;
    const BufferRef& out = m.nest->out[0].buffer;
    const std::optional<size_t> input = operand_in(*next.nest, out);
    // Not a part of a larger tensor.
    m.output_is_internal = out.space == Space::kArena && input &&
                           uses[static_cast<size_t>(out.index)] == 1 &&
                           m.nest->out[0].bytes == next.nest->in[*input].bytes;
    if (m.output_is_internal) next.chain_input = *input;
  }
}

// A number for each member of a band.
using PerMember = std::array<int32_t, kMaxBandMembers>;

// What an epilogue adds, which lies like the output: as a whole tensor, not like rows of a strip.
bool has_addend(const LoopNest& nest) { return nest.in.size() > 3 && nest.in[3].stride[kCol] > 0; }

// True if a band can be walked in strips of columns.
bool can_be_cut(std::span<const Member> band) {
  return std::all_of(band.begin(), band.end(), [&](const Member& m) {
    return m.columns && (&m == &band.back() || !has_addend(*m.nest));
  });
}

// The most rows that each member of a band computes in a step, for steps of `rows` rows of the
// last.
PerMember rows_per_step(std::span<const Member> band, int32_t rows) {
  PerMember most = {};
  most[band.size() - 1] = std::min(rows, band.back().rows);
  for (size_t m = band.size() - 1; m-- > 0;) {
    const RowWindow& w = band[m + 1].window;
    most[m] = std::min(w.most_rows_under(most[m + 1]), band[m].rows);
  }
  return most;
}

// The columns that each member computes under a strip of `cols` of the last one's.
PerMember cols_per_strip(std::span<const Member> band, int32_t cols) {
  PerMember most = {};
  most[band.size() - 1] = std::min(cols, band.back().cols);
  for (size_t m = band.size() - 1; m-- > 0;) {
    const std::optional<RowWindow>& w = band[m + 1].columns;
    most[m] = std::min(w ? w->most_rows_under(most[m + 1]) : band[m].cols, band[m].cols);
  }
  return most;
}

// Cycles that lines cost which miss a cache, beyond what computing hides: see the decision record.
// Cores with AVX2 are wide and fetch ahead: L2 costs them next to nothing, and those with VNNI feed
// on L3 nearly as well. To others L2 is slow and an L1 miss takes as much energy as a few cycles.
struct LineCosts {
  double l1 = 3, l2 = 12, last = 24;

  explicit LineCosts(const Target& t) {
    if (!t.isa.has(Feature::kAvx2)) return;
    l1 = 0.3;
    l2 = t.isa.has(Feature::kAvxVnni) || t.isa.has(Feature::kAvx512Vnni) ? 1 : 3;
  }
};

// Bytes that pass the border of a cache of `size` bytes when the steps run layer by layer.
int64_t layer_bytes(const Member& m, int64_t size) {
  const int64_t moved = m.in_bytes + m.other_bytes + m.out_bytes;
  return moved <= size * 6 / 10 ? m.weight_bytes : m.weight_bytes + moved;
}

double layer_cost(const Member& m, const Target& t) {
  const LineCosts c(t);
  double cost = m.mac_cycles;
  cost += c.l1 * static_cast<double>(m.in_bytes + m.out_bytes + m.weight_bytes) / kLine;
  const double l2 = static_cast<double>(layer_bytes(m, t.l2_bytes)) / kLine;
  if (t.l3_bytes == 0) return cost + c.last * l2;
  return cost + c.l2 * l2 + c.last * static_cast<double>(layer_bytes(m, t.l3_bytes)) / kLine;
}

// What of a cache's `size` does not fit, by how far `bytes` pass `most` of it: 0 to 1. Sets fill up
// unevenly, so that some do not long before all do.
double missing(double bytes, double most, double size) {
  return std::clamp((bytes / size - most) * 2, 0.0, 1.0);
}

constexpr double kCallCycles = 250;  // of the executor, for each member and step
// How often lines of inner tensors that do not fit pass L1: they are written, and read once or by
// several panels and rows.
constexpr double kPassesOnce = 2, kPasses = 3.5;
constexpr int32_t kMostRows = 8;  // of a step

struct BandCost {
  double cycles;
  bool fits;  // rings, scratch and weights stay in L1: narrower strips would only cost more
};

// How many steps a band takes.
double steps_of(std::span<const Member> band, int32_t rows, int32_t strips) {
  const int32_t all = band.back().rows;
  return strips * std::max<double>(1, static_cast<double>(all) / std::min(rows, all));
}

// What the calls of so many steps cost.
double call_cost(std::span<const Member> band, double steps) {
  return kCallCycles * steps * static_cast<double>(band.size()) * band[0].batch;
}

// What every way to walk a band costs at least besides calls, as band_cost() has it.
double least_band_cost(std::span<const Member> band, const Target& t) {
  const LineCosts c(t);
  int64_t external = band.front().in_bytes + band.back().out_bytes, weights = 0, internal = 0;
  double cost = 0;
  for (const Member& m : band) {
    cost += m.mac_cycles;
    weights += m.weight_bytes;
    external += m.other_bytes;
    if (&m != &band.back()) internal += m.out_bytes;
  }
  cost += c.l1 / kLine * static_cast<double>(external + weights);
  auto beyond = [&](int64_t size) {
    const int64_t outside = external > size * 6 / 10 ? external : 0;
    return static_cast<double>(std::min(weights, weights / 2 + 2 * internal) + outside) / kLine;
  };
  cost += (t.l3_bytes == 0 ? c.last : c.l2) * beyond(t.l2_bytes);
  return t.l3_bytes == 0 ? cost : cost + c.last * beyond(t.l3_bytes);
}

BandCost band_cost(std::span<const Member> band, const Target& t, BandSteps by, int32_t strips) {
  const LineCosts c(t);
  const PerMember most = rows_per_step(band, by.rows);
  const PerMember cols = cols_per_strip(band, by.cols);
  // R rings, W weights, WS weights once a step, I internal tensors, E what enters and leaves.
  int64_t rings = 0, weights = 0, streamed = 0, internal = 0, scratch = 0;
  int64_t external = band.front().in_bytes + band.back().out_bytes;
  double cost = 0, passes = 0;
  const double steps = steps_of(band, by.rows, strips);
  for (size_t m = 0; m < band.size(); ++m) {
    const Member& b = band[m];
    const double share = static_cast<double>(cols[m]) / static_cast<double>(b.cols);
    weights += b.weight_bytes;
    streamed += static_cast<int64_t>(static_cast<double>(b.weight_bytes) * steps);
    external += b.other_bytes;
    cost += b.mac_cycles * share * strips;
    scratch = std::max(scratch, b.scratch_bytes(cols[m], most[m]));
    if (m + 1 == band.size()) break;
    rings += static_cast<int64_t>(static_cast<double>(most[m] * b.row_bytes()) * share);
    internal += b.out_bytes;
    passes += (band[m + 1].reads_once ? kPassesOnce : kPasses) * static_cast<double>(b.out_bytes);
  }
  const auto l1 = static_cast<double>(t.l1_bytes);
  const auto active = static_cast<double>(rings + scratch);
  const double all = active + static_cast<double>(weights);
  const double inner_missing = missing(active, 0.6, l1), weights_missing = missing(all, 0.75, l1);
  cost += c.l1 / kLine *
          (static_cast<double>(external + weights) + inner_missing * passes +
           weights_missing * static_cast<double>(streamed - weights));
  auto beyond = [&](int64_t size) {
    const int64_t outside = external > size * 6 / 10 ? external : 0;
    return static_cast<double>(rings + weights <= size * 6 / 10
                                   ? weights + outside
                                   : streamed / 2 + 2 * internal + outside) /
           kLine;
  };
  cost += (t.l3_bytes == 0 ? c.last : c.l2) * beyond(t.l2_bytes);
  if (t.l3_bytes > 0) cost += c.last * beyond(t.l3_bytes);
  return {cost + call_cost(band, steps), inner_missing + weights_missing == 0};
}

constexpr int32_t kRowChoices[] = {kMostRows, 4, 2, 1};
constexpr int32_t kStripChoices[] = {1, 2, 4, 6, 8};
constexpr int32_t kLeastColumns = 7;  // of a strip

struct Choice {
  double cost = std::numeric_limits<double>::infinity();
  size_t begin = 0;
  BandSteps steps;  // no rows: a layer by itself
};

// Weighs all ways to walk a band that begins with step `begin` against `best`.
void consider_band(std::span<const Member> band, const Target& target, double cost_before,
                   size_t begin, Choice& best) {
  const Member& last = band.back();
  const double least = cost_before + least_band_cost(band, target);
  auto too_dear = [&](int32_t rows, int32_t strips) {
    return least + call_cost(band, steps_of(band, rows, strips)) >= best.cost;
  };
  bool fits = false;  // the most rows, and so all
  for (const int32_t strips : kStripChoices) {
    const auto cols = static_cast<int32_t>(ceil_div(last.cols, strips));
    if (strips > 1 && (fits || cols < kLeastColumns || !can_be_cut(band))) break;
    if (too_dear(kMostRows, strips)) return;  // more strips mean more steps, as fewer rows do
    bool first = true;
    for (const int32_t rows : kRowChoices) {
      if (2 * rows > last.rows) continue;
      if (too_dear(rows, strips)) break;
      const BandSteps steps = {rows, strips > 1 ? cols : 0};
      const BandCost cost = band_cost(band, target, {rows, cols}, strips);
      if (first) fits = cost.fits;
      first = false;
      if (cost_before + cost.cycles < best.cost) best = {cost_before + cost.cycles, begin, steps};
    }
  }
}

// The cheapest way to cut the steps into layers and bands: a shortest path over cuts.
std::vector<Choice> cheapest_cuts(std::span<const Member> members, const Target& target) {
  std::vector<Choice> best(members.size() + 1);
  best[0].cost = 0;
  for (size_t end = 1; end <= members.size(); ++end) {
    const Member& last = members[end - 1];
    best[end] = {best[end - 1].cost + (last.bandable ? layer_cost(last, target) : 0), end - 1, {}};
    for (size_t begin = end - 1; begin-- > 0;) {
      if (!members[begin].output_is_internal || end - begin > kMaxBandMembers) break;
      consider_band(members.subspan(begin, end - begin), target, best[begin].cost, begin,
                    best[end]);
    }
  }
  return best;
}

// The cuts of `chosen`; nothing if one of its bands cannot be: files may say anything.
std::optional<std::vector<Choice>> chosen_cuts(std::span<const Step> steps,
                                               std::span<const Member> members,
                                               const std::vector<BandChoice>& chosen) {
  std::vector<Choice> cuts(members.size() + 1);
  for (size_t end = 1; end <= members.size(); ++end) cuts[end].begin = end - 1;
  size_t next = 0;  // the first step that is in no band yet
  for (const BandChoice& band : chosen) {
    while (next < steps.size() &&
           (steps[next].op_indices.size() != 1 || steps[next].op_indices[0] != band.op))
      ++next;
    if (band.members < 2 || band.members > static_cast<int32_t>(kMaxBandMembers)) return {};
    const size_t end = next + static_cast<size_t>(band.members);
    if (end > steps.size() || band.rows < 1 || band.rows > members[end - 1].rows / 2) return {};
    for (size_t i = next; i + 1 < end; ++i)
      if (!members[i].output_is_internal) return {};
    if (band.cols < 0 || band.cols >= members[end - 1].cols) return {};
    if (band.cols > 0 && !can_be_cut(members.subspan(next, end - next))) return {};
    cuts[end] = {0, next, {band.rows, band.cols}};
    next = end;
  }
  return cuts;
}

// Turns the memory between two operands into a ring of `rows` rows at `offset`.
void connect(Operand& from, Operand& to, int32_t rows, int64_t row_bytes, int64_t offset) {
  for (Operand* o : {&from, &to}) {
    o->buffer = {Space::kRing, 0, offset};
    o->ring_rows = rows;
    o->stride[kBatch] = 0;
    o->stride[kRow] = row_bytes;
    o->bytes = rows * row_bytes;
  }
}

// Tells the kernel how long rows are.
void set_row_bytes(const KernelDesc& kernel, LoopNest& nest) {
  if (is_elementwise(kernel.cls)) {
    // Parameters of all elementwise kernels begin with these.
    ElementStrides strides;
    std::memcpy(&strides, nest.params.data(), sizeof(strides));
    for (size_t i = 0; i < nest.in.size(); ++i) strides.in[i][kRow] = nest.in[i].stride[kRow];
    strides.out[kRow] = nest.out[0].stride[kRow];
    std::memcpy(nest.params.data(), &strides, sizeof(strides));
    return;
  }
  auto set = [&](auto params) {
    std::memcpy(&params, nest.params.data(), sizeof(params));
    params.out_row_bytes = nest.out[0].stride[kRow];
    std::memcpy(nest.params.data(), &params, sizeof(params));
  };
  kernel.cls == KernelClass::kNearest ? set(ResizeKernelParams{}) : set(ConvKernelParams{});
}

Step make_band(const Graph& graph, std::span<const KernelDesc> catalog, std::span<Step> steps,
               std::span<const Member> members, BandSteps by, int64_t& ring_bytes) {
  Step band;
  band.steps = by;
  band.name = steps.front().name;
  band.op = "band";
  for (Step& step : steps) {
    band.op_indices.push_back(step.op_indices[0]);
    band.macs += step.macs;
  }
  const PerMember most = rows_per_step(members, by.rows);
  const PerMember cols = cols_per_strip(members, by.cols);
  int64_t offset = 0;
  band.members.reserve(members.size());
  for (size_t m = 0; m < members.size(); ++m) {
    LoopNest& nest = band.members.emplace_back(std::move(steps[m].members[0]));
    nest.columns = members[m].columns;
    const KernelClass cls = catalog[static_cast<size_t>(nest.kernel)].cls;
    if (is_convolution(cls)) {
      const Op& op = graph.ops[static_cast<size_t>(band.op_indices[m])];
      restore_rows(graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0]), nest);
    }
    // A step's rows are one tile, except that depthwise ones keep their blocks of channels.
    if (cls != KernelClass::kDepthwise) nest.loops = {{kBatch, 1}, {kRow, most[m]}};
    fit_scratch(catalog[static_cast<size_t>(nest.kernel)], nest);
    if (m > 0) {
      LoopNest& before = band.members[m - 1];
      const Operand& ring = before.out[0];
      const int64_t row_bytes = by.cols > 0 ? cols[m - 1] * ring.stride[kCol] : ring.stride[kRow];
      connect(before.out[0], nest.in[members[m].chain_input], most[m - 1], row_bytes, offset);
      int64_t bytes = before.out[0].bytes;
      if (by.cols > 0) {
        const int64_t step_bytes = nest.columns->stride * ring.stride[kCol];
        bytes += kStepsBehindStrips * step_bytes + kBytesBehindStrips;
      }
      offset += static_cast<int64_t>(round_up(static_cast<size_t>(bytes), kCacheLine));
    }
  }
  if (by.cols > 0)
    for (LoopNest& nest : band.members)
      set_row_bytes(catalog[static_cast<size_t>(nest.kernel)], nest);
  ring_bytes = std::max(ring_bytes, offset);
  return band;
}

}  // namespace

bool form_bands(const Graph& graph, const Target& target, std::span<const KernelDesc> catalog,
                Program& program, const std::vector<BandChoice>* chosen) {
  std::vector<Member> members;
  members.reserve(program.steps.size());
  for (const Step& step : program.steps) members.push_back(member_of(graph, catalog, step));
  find_links(program, members, graph.tensors.size());
  std::optional<std::vector<Choice>> best;
  if (chosen != nullptr) best = chosen_cuts(program.steps, members, *chosen);
  const bool followed = chosen == nullptr || best;
  if (!best) best = cheapest_cuts(members, target);

  std::vector<Step> steps;  // from the last to the first
  for (size_t end = members.size(); end > 0; end = (*best)[end].begin) {
    const Choice& choice = (*best)[end];
    if (choice.steps.rows == 0) {
      steps.push_back(std::move(program.steps[end - 1]));
      continue;
    }
    const size_t count = end - choice.begin;
    steps.push_back(make_band(graph, catalog, std::span(program.steps).subspan(choice.begin, count),
                              std::span(members).subspan(choice.begin, count), choice.steps,
                              program.ring_bytes));
  }
  program.steps.assign(std::make_move_iterator(steps.rbegin()),
                       std::make_move_iterator(steps.rend()));
  return followed;
}

std::vector<BandChoice> bands_of(const Program& program) {
  std::vector<BandChoice> bands;
  for (const Step& step : program.steps) {
    if (step.band())
      bands.push_back({step.op_indices[0], static_cast<int32_t>(step.members.size()),
                       step.steps.rows, step.steps.cols});
  }
  return bands;
}

}  // namespace pj
