#include <algorithm>
#include <optional>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// What an elementwise operator is as an epilogue of the operator that computes its input `through`.
struct Candidate {
  Epilogue epilogue;
  TensorId through;
  TensorId operand = kNoTensor;
};

std::optional<Candidate> unary_candidate(const Op& op) {
  const auto& p = op.as<UnaryParams>();
  Candidate c{{}, op.inputs[0]};
  c.epilogue.fn = EpilogueFn::kUnary;
  c.epilogue.unary = p.fn;
  c.epilogue.alpha = p.alpha;
  return c;
}

// A sum goes to the later of its inputs: the other one is there then.
std::optional<Candidate> sum_candidate(const Graph& graph, const Uses& uses, const Op& op) {
  const auto& p = op.as<BinaryParams>();
  const Shape& y = graph.tensor(op.outputs[0]).shape;
  TensorId last = op.inputs[0], other = op.inputs[1];
  auto producer = [&](TensorId id) { return uses.producer[static_cast<size_t>(id)]; };
  if (producer(other) > producer(last)) std::swap(last, other);
  if (p.fn != BinaryFn::kAdd || graph.tensor(last).shape != y || graph.tensor(other).shape != y)
    return std::nullopt;
  Candidate c{{}, last, other};
  c.epilogue.fn = EpilogueFn::kAdd;
  c.epilogue.activation = p.activation;
  return c;
}

std::optional<Candidate> prelu_candidate(const Graph& graph, const Op& op) {
  const Tensor& slopes = graph.tensor(op.inputs[1]);
  const Shape& y = graph.tensor(op.outputs[0]).shape;
  if (!slopes.constant || slopes.shape.empty() || y.empty() || slopes.shape.back(0) != y.back(0) ||
      elements(slopes.shape) != y.back(0))
    return std::nullopt;
  Candidate c{{}, op.inputs[0], op.inputs[1]};
  c.epilogue.fn = EpilogueFn::kPRelu;
  return c;
}

std::optional<Candidate> candidate_of(const Graph& graph, const Uses& uses, const Op& op) {
  switch (op.kind) {
    case OpKind::kUnary:
      return unary_candidate(op);
    case OpKind::kBinary:
      return sum_candidate(graph, uses, op);
    case OpKind::kPRelu:
      return prelu_candidate(graph, op);
    default:
      return std::nullopt;
  }
}

// Types and quantisation that an epilogue's kernel can rely on.
bool has_plain_values(const Tensor& t, DType dtype) {
  return t.dtype == dtype && is_static(t.shape) &&
         (dtype == DType::kF32 || (is_int8_like(dtype) && t.quant.per_tensor()));
}

// `producer` with the elementwise operator in it; nothing if they do not go together.
std::optional<Op> fused(const Graph& graph, const Op& producer, Candidate c, const Op& op) {
  const Epilogue* own = epilogue_of(producer.params);
  if (own == nullptr || own->present()) return std::nullopt;
  const Tensor &x = graph.tensor(c.through), &y = graph.tensor(op.outputs[0]);
  const DType dtype = x.dtype;
  if (!has_plain_values(x, dtype) || !has_plain_values(y, dtype) || x.shape != y.shape ||
      graph.tensor(producer.inputs[0]).dtype != dtype ||
      (c.operand != kNoTensor && !has_plain_values(graph.tensor(c.operand), dtype)))
    return std::nullopt;
  if (dtype != DType::kF32) {
    c.epilogue.scale = x.quant.scale[0];
    c.epilogue.zero_point = x.quant.zero_point[0];
  }
  Op result = producer;
  *epilogue_of(result.params) = c.epilogue;
  result.outputs = op.outputs;
  if (c.operand != kNoTensor) {
    result.inputs.resize(3, kNoTensor);
    result.inputs.push_back(c.operand);
  }
  return result;
}

}  // namespace

Result<int> fuse_epilogues(Graph& graph,
                           const std::function<bool(const Graph& graph, const Op& fused)>& wanted) {
  const Uses uses = find_uses(graph);
  std::vector<bool> gone(graph.ops.size(), false);
  int rewrites = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const std::optional<Candidate> c = candidate_of(graph, uses, op);
    if (!c || !has_single_use(uses, c->through)) continue;
    Op* producer = producer_of(graph, uses, c->through);
    if (producer == nullptr) continue;
    std::optional<Op> result = fused(graph, *producer, *c, op);
    if (!result || !wanted(graph, *result)) continue;
    *producer = std::move(*result);
    gone[i] = true;
    ++rewrites;
  }
  if (rewrites == 0) return 0;
  remove_ops(graph, gone);
  compact(graph);  // shapes are what they were
  return rewrites;
}

}  // namespace pj
