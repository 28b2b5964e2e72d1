#include <optional>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

std::optional<Activation> activation_of(const Op& op) {
  if (op.kind != OpKind::kUnary) return std::nullopt;
  switch (op.as<UnaryParams>().fn) {
    case UnaryFn::kRelu:
      return Activation::kRelu;
    case UnaryFn::kRelu6:
      return Activation::kRelu6;
    case UnaryFn::kReluN1To1:
      return Activation::kReluN1To1;
    default:
      return std::nullopt;
  }
}

bool is_arithmetic(BinaryFn fn) {
  return fn == BinaryFn::kAdd || fn == BinaryFn::kSub || fn == BinaryFn::kMul ||
         fn == BinaryFn::kDiv;
}

// The attribute that an activation can be fused into; null if the operator has none.
Activation* activation_field(Op& op) {
  if (has_epilogue(op.params)) return nullptr;
  switch (op.kind) {
    case OpKind::kConv2D:
      return &op.as<Conv2DParams>().activation;
    case OpKind::kDepthwiseConv2D:
      return &op.as<DepthwiseConv2DParams>().activation;
    case OpKind::kTransposeConv2D:
      return &op.as<TransposeConv2DParams>().activation;
    case OpKind::kFullyConnected:
      return &op.as<FullyConnectedParams>().activation;
    case OpKind::kPool2D:
      return &op.as<Pool2DParams>().activation;
    case OpKind::kBinary: {
      auto& p = op.as<BinaryParams>();
      return is_arithmetic(p.fn) ? &p.activation : nullptr;
    }
    default:
      return nullptr;
  }
}

// Quantised limits are those of the output's scale: with another one in between, rounding twice
// would differ from rounding once.
bool is_exact(const Tensor& before, const Tensor& after) {
  if (!same_values(before, after)) return false;
  return before.dtype == DType::kF32 || (is_int8_like(before.dtype) && !before.quant.empty());
}

}  // namespace

Result<int> fuse_activation(Graph& graph) {
  const Uses uses = find_uses(graph);
  std::vector<bool> fused(graph.ops.size(), false);
  int rewrites = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const std::optional<Activation> activation = activation_of(op);
    if (!activation || !has_single_use(uses, op.inputs[0])) continue;
    if (!is_exact(graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0]))) continue;
    Op* producer = producer_of(graph, uses, op.inputs[0]);
    Activation* field = producer == nullptr ? nullptr : activation_field(*producer);
    if (field == nullptr || *field != Activation::kNone) continue;
    *field = *activation;
    producer->outputs[0] = op.outputs[0];
    fused[i] = true;
    ++rewrites;
  }
  remove_ops(graph, fused);
  return rewrites;
}

}  // namespace pj
