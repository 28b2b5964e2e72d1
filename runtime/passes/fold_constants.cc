#include <algorithm>

#include "runtime/graph/graph_checks.h"
#include "runtime/graph/op_checks.h"
#include "runtime/passes/evaluate.h"
#include "runtime/passes/memory.h"
#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// An operator that would take longer than about this many steps is left to run time, so that a
// small file cannot keep the loader busy.
constexpr int64_t kMaxSteps = int64_t{1} << 28;

int64_t total_bytes(const Graph& graph, const std::vector<TensorId>& ids) {
  int64_t bytes = 0;
  for (TensorId id : ids)
    if (id != kNoTensor) bytes += byte_size(graph.tensor(id));
  return bytes;
}

int64_t steps_of(const Graph& graph, const Op& op) {
  const Shape& out = graph.tensor(op.outputs[0]).shape;
  const int64_t macs = mac_count(graph, op);
  if (op.kind != OpKind::kPool2D) return std::max(macs, elements(out));
  const auto& p = op.as<Pool2DParams>();
  const int64_t window = int64_t{p.kernel_h} * p.kernel_w;
  return window > kMaxSteps ? window : elements(out) * window;
}

// Inputs are constants, or only their shapes matter, and none is a parameter.
bool has_known_inputs(const Graph& graph, const Op& op) {
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.inputs[i] == kNoTensor) continue;
    const Tensor& t = graph.tensor(op.inputs[i]);
    const bool known_value = t.constant || (op.kind == OpKind::kShapeOf && is_static(t.shape));
    if (!known_value || is_parameter_input(op.kind, i)) return false;
  }
  return true;
}

// f16 storage is the point of f16 files; f16_weights decides what becomes f32.
bool widens_f16(const Graph& graph, const Op& op) {
  return graph.tensor(op.inputs[0]).dtype == DType::kF16 &&
         graph.tensor(op.outputs[0]).dtype == DType::kF32;
}

bool is_worth_folding(const Graph& graph, const Op& op, int64_t budget) {
  constexpr int64_t kLargeConstant = 16 << 20;
  const int64_t result = total_bytes(graph, op.outputs);
  if (result > budget || steps_of(graph, op) > kMaxSteps) return false;
  if (result <= kSmallConstant) return true;
  const int64_t source = total_bytes(graph, op.inputs);
  return result <= source || (result <= 4 * source && result <= kLargeConstant);
}

bool produces_graph_output(const Uses& uses, const Op& op) {
  return std::any_of(op.outputs.begin(), op.outputs.end(),
                     [&](TensorId id) { return uses.is_output[static_cast<size_t>(id)]; });
}

bool has_static_outputs(const Graph& graph, const Op& op) {
  return std::all_of(op.outputs.begin(), op.outputs.end(),
                     [&](TensorId id) { return is_static(graph.tensor(id).shape); });
}

}  // namespace

Result<int> fold_constants(Graph& graph) {
  const Uses uses = find_uses(graph);
  std::vector<bool> folded(graph.ops.size(), false);
  int64_t budget = folding_budget(graph);
  int rewrites = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (has_epilogue(op.params)) continue;
    // Constants found a moment ago may tell this operator's shape, and that fold the next one.
    if (rewrites > 0) PJ_TRY(infer_op(graph, static_cast<int32_t>(i)));
    if (!has_known_inputs(graph, op) || !has_static_outputs(graph, op) || widens_f16(graph, op) ||
        produces_graph_output(uses, op) || !is_worth_folding(graph, op, budget))
      continue;
    PJ_ASSIGN(std::vector<SharedBytes> values, evaluate(graph, op));
    for (size_t k = 0; k < op.outputs.size(); ++k) {
      Tensor& t = graph.tensor(op.outputs[k]);
      t.constant = true;
      t.data = std::move(values[k]);
      budget -= byte_size(t);
    }
    folded[i] = true;
    ++rewrites;
  }
  remove_ops(graph, folded);
  return rewrites;
}

}  // namespace pj
