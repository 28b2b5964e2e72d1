#include "runtime/passes/passes.h"

namespace pj {
namespace {

bool is_bias(const Graph& graph, const Op& op, size_t input) {
  switch (op.kind) {
    case OpKind::kConv2D:
    case OpKind::kDepthwiseConv2D:
    case OpKind::kTransposeConv2D:
    case OpKind::kFullyConnected:
      return input == 2 && graph.tensor(op.inputs[2]).dtype == DType::kI32;
    default:
      return false;
  }
}

}  // namespace

Result<int> drop_bias_scales(Graph& graph) {
  std::vector<bool> is_constant_bias(graph.tensors.size(), false);
  std::vector<bool> has_other_use(graph.tensors.size(), false);
  for (const Op& op : graph.ops) {
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i] == kNoTensor) continue;
      const auto id = static_cast<size_t>(op.inputs[i]);
      (is_bias(graph, op, i) && graph.tensors[id].constant ? is_constant_bias : has_other_use)[id] =
          true;
    }
  }
  for (TensorId id : graph.outputs) has_other_use[static_cast<size_t>(id)] = true;
  int dropped = 0;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (!is_constant_bias[i] || has_other_use[i] || graph.tensors[i].quant.empty()) continue;
    graph.tensors[i].quant = {};
    ++dropped;
  }
  return dropped;
}

}  // namespace pj
