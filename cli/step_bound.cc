#include "cli/step_bound.h"

#include <algorithm>
#include <numeric>

#include "cli/errors.h"
#include "cli/table.h"
#include "runtime/metering/step_amounts.h"

namespace pj::cli {
namespace {

constexpr double kExplains = 1.0 / 3;
constexpr double kNearlyAll = 0.8;  // of the time that arithmetic needs: little else is in the way
constexpr size_t kHints = 3;
constexpr double kWorthAHint = 0.03;  // part of a run's time

// Rates of `threads` cores; 0 where nothing was measured.
struct Rates {
  double gmacs_int8 = 0, gmacs_f32 = 0;
  double l1 = 0, l2 = 0, l3 = 0, dram = 0;  // 10^9 bytes a second
};

Rates rates_of(const MachinePeak& peak, IsaSet isa, int threads) {
  Rates rates;
  for (const ArithmeticPeak& a : peak.arithmetic) {
    double& best = a.type == DType::kI8 ? rates.gmacs_int8 : rates.gmacs_f32;
    if (isa.includes(a.isa)) best = std::max(best, a.gmacs * threads);
  }
  for (const MemoryPeak& m : peak.memory) {
    const double load = m.load.gb_per_second;
    if (m.level == "L1") rates.l1 = load * threads;
    if (m.level == "L2") rates.l2 = load * threads;
    if (m.level == "L3") rates.l3 = load * threads;
    if (m.level == "DRAM") rates.dram = load;  // one for all cores
  }
  return rates;
}

// Operations that a function of one float takes beside its load and store, by the formulas of
// kernels/elementwise/float_functions.h with the shortest exponential: 8 and two that limit its
// argument. A division is counted as the two operations that it costs among others.
int64_t operations_of(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::kExp:
      return 10;
    case UnaryFn::kLogistic:
    case UnaryFn::kSilu:
      return 12;
    case UnaryFn::kGeluTanh:
      return 15;
    case UnaryFn::kHardSwish:
      return 6;
    default:
      return 1;
  }
}

// Operations on floats of an operator that multiplies by no weights. On CPUs with two pipes for the
// widest vectors, each takes the place of a multiply-add, so that they are part of the arithmetic.
// What is nearly free beside its bytes is left out.
int64_t function_operations(const Graph& graph, const Op& op) {
  const Tensor& y = graph.tensor(op.outputs[0]);
  if (y.dtype != DType::kF32) return 0;
  const int64_t count = elements(y.shape);
  switch (op.kind) {
    case OpKind::kUnary:
      return count * operations_of(std::get<UnaryParams>(op.params).fn);
    case OpKind::kSoftmax:  // maximum, difference, factor, exponential, sum, scale
      return count * 15;
    case OpKind::kPool2D: {  // windows that overlap can share what they do: each pixel once
      const auto& p = std::get<Pool2DParams>(op.params);
      return std::min(count * p.kernel_h * p.kernel_w, elements(graph.tensor(op.inputs[0]).shape));
    }
    case OpKind::kLayerNorm:  // sum, difference and sum of squares, twice a product and a sum
      return count * 5;
    default:
      return 0;
  }
}

std::string remedy(const Step& step, const StepBound& bound) {
  if (bound.name == "DRAM")
    return "smaller weights (int8, f16) or bands, which keep rows in the caches, would help";
  if (bound.name == "L2" || bound.name == "L3")
    return "its operands are too large for the caches before; smaller types or bands would help";
  if (bound.name == "L1")
    return "it does little with each byte; fusing it with a neighbour would help";
  if (bound.name == "compute" && bound.explained >= kNearlyAll)
    return "only fewer multiplications would help";
  if (bound.name == "compute")
    return "the rest is work around the products: results, edges, channels that fill no vector";
  if (step.members.size() == 1 && !step.prepared &&
      kernel_catalog()[static_cast<size_t>(step.members[0].kernel)].cls == KernelClass::kReference)
    return "no fast kernel computes it yet";
  return "calls, edges and work besides multiplying take the time";
}

}  // namespace

std::vector<StepBound> step_bounds(const Session& session, const std::vector<double>& ms,
                                   const std::vector<Traffic>& traffic, const MachinePeak& peak) {
  const Graph& graph = session.compiled().graph;
  const IsaSet isa = session.model().options().target.isa;
  std::vector<StepBound> bounds;
  for (size_t i = 0; i < ms.size(); ++i) {
    const Step& step = session.program().steps[i];
    const Rates rates = rates_of(peak, isa, energy::step_threads(session, step));
    StepBound bound;
    double most = 0;
    const auto consider = [&](const char* name, int64_t amount, double rate) {
      if (rate <= 0) return;
      if (bound.name.empty()) bound.name = name;
      const double needed = static_cast<double>(amount) / (rate * 1e6);
      if (needed > most) most = needed, bound.name = name;
    };
    const bool floats = energy::mac_term(graph, step) == energy::Term::kMacF32;
    int64_t operations = step.macs;
    for (int32_t index : step.op_indices)
      operations += function_operations(graph, graph.ops[static_cast<size_t>(index)]);
    consider("compute", operations, floats ? rates.gmacs_f32 : rates.gmacs_int8);
    consider("L1", traffic[i].l1_bytes, rates.l1);
    consider("L2", traffic[i].l2_bytes, rates.l2);
    consider("L3", traffic[i].l3_bytes, rates.l3);
    consider("DRAM", traffic[i].dram_bytes, rates.dram);
    bound.needed_ms = std::min(most, ms[i]);
    if (ms[i] > 0) bound.explained = std::min(1.0, most / ms[i]);
    if (!bound.name.empty() && bound.explained < kExplains) bound.name = "overhead";
    bounds.push_back(bound);
  }
  return bounds;
}

double bound_ms(const std::vector<StepBound>& bounds) {
  return std::accumulate(bounds.begin(), bounds.end(), 0.0,
                         [](double sum, const StepBound& b) { return sum + b.needed_ms; });
}

std::vector<std::string> step_hints(const Session& session, const std::vector<double>& ms,
                                    const std::vector<Traffic>& traffic,
                                    const std::vector<StepBound>& bounds) {
  const double sum = std::accumulate(ms.begin(), ms.end(), 0.0);
  std::vector<size_t> order(ms.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return ms[a] > ms[b]; });
  std::vector<std::string> hints;
  for (const size_t i : order) {
    if (hints.size() == kHints || ms[i] < kWorthAHint * sum || bounds[i].name.empty()) break;
    const Step& step = session.program().steps[i];
    std::string need;
    if (bounds[i].name == "overhead") {
      need = fmt::format("arithmetic and bytes explain {:.0f} % of it", bounds[i].explained * 100);
    } else {
      need =
          fmt::format("{} alone needs {:.0f} % of it", bounds[i].name, bounds[i].explained * 100);
      if (bounds[i].name == "DRAM") need += ", for " + bytes_text(traffic[i].dram_bytes);
    }
    hints.push_back(fmt::format("step {} ({}), {:.0f} % of the time, is {}-bound: {}; {}", i,
                                shorten(printable(step.name), 32), ms[i] / sum * 100,
                                bounds[i].name, need, remedy(step, bounds[i])));
  }
  return hints;
}

}  // namespace pj::cli
