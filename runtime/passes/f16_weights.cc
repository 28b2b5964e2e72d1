#include <cmath>
#include <map>
#include <optional>

#include "runtime/base/half.h"
#include "runtime/passes/evaluate.h"
#include "runtime/passes/memory.h"
#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// The operand of a convolution or matrix product of f32 that may be f16 as well.
bool reads_f16(const Graph& graph, const Op& op, size_t input) {
  switch (op.kind) {
    case OpKind::kConv2D:
    case OpKind::kDepthwiseConv2D:
    case OpKind::kTransposeConv2D:
    case OpKind::kFullyConnected:
      return (input == 1 || input == 2) && graph.tensor(op.inputs[0]).dtype == DType::kF32;
    default:
      return false;
  }
}

// Operators that only move the elements of their single input.
bool only_moves(const Op& op) {
  switch (op.kind) {
    case OpKind::kTranspose:
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
      return op.inputs.size() == 1;
    default:
      return false;
  }
}

class F16Weights {
 public:
  explicit F16Weights(Graph& graph) : graph_(graph), uses_(find_uses(graph)) {}

  Result<int> run() {
    use_directly();
    move_past();
    PJ_TRY(widen_small());
    return rewrites_;
  }

 private:
  // The f16 constant that `id` is dequantised from, or kNoTensor.
  TensorId half_source(TensorId id) {
    if (id == kNoTensor) return kNoTensor;
    const Op* producer = producer_of(graph_, uses_, id);
    if (producer == nullptr) return kNoTensor;
    const bool widens = producer->kind == OpKind::kDequantize || producer->kind == OpKind::kCast;
    const Tensor& source = graph_.tensor(producer->inputs[0]);
    const bool f16 = source.constant && source.dtype == DType::kF16;
    return widens && f16 && graph_.tensor(id).dtype == DType::kF32 ? producer->inputs[0]
                                                                   : kNoTensor;
  }

  void use_directly() {
    for (Op& op : graph_.ops) {
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        const TensorId half = half_source(op.inputs[i]);
        if (half == kNoTensor || !reads_f16(graph_, op, i)) continue;
        op.inputs[i] = half;
        ++rewrites_;
      }
    }
  }

  // move(dequantize(c)) becomes dequantize(move(c)): the move then folds on half the bytes, and the
  // next round finds the dequantised tensor where it is used.
  void move_past() {
    std::vector<Op> ops;
    ops.reserve(graph_.ops.size());
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const TensorId half =
          only_moves(graph_.ops[i]) ? half_source(graph_.ops[i].inputs[0]) : kNoTensor;
      ops.push_back(graph_.ops[i]);
      if (half == kNoTensor) continue;
      const TensorId wide = ops.back().outputs[0];
      Tensor moved;
      moved.name = graph_.tensor(wide).name + "/f16";
      moved.dtype = DType::kF16;
      moved.shape = graph_.tensor(wide).shape;
      const TensorId narrow = graph_.add_tensor(std::move(moved));
      ops.back().inputs[0] = half;
      ops.back().outputs[0] = narrow;
      ops.push_back({OpKind::kDequantize, params_for(OpKind::kDequantize), {narrow}, {wide}, {}});
      ++rewrites_;
    }
    if (ops.size() == graph_.ops.size()) return;
    graph_.ops = std::move(ops);
    uses_ = find_uses(graph_);
  }

  // Small constants that some operator needs in f32.
  Status widen_small() {
    uses_ = find_uses(graph_);
    std::vector<bool> dead(graph_.ops.size(), false);
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      const auto out = static_cast<size_t>(op.outputs[0]);
      if (half_source(op.outputs[0]) == kNoTensor || uses_.is_output[out]) continue;
      if (uses_.consumers(op.outputs[0]).empty()) continue;
      if (byte_size(graph_.tensor(op.inputs[0])) > kSmallConstant) continue;
      PJ_ASSIGN(std::vector<SharedBytes> values, evaluate(graph_, op));
      Tensor& t = graph_.tensor(op.outputs[0]);
      t.constant = true;
      t.data = std::move(values[0]);
      dead[i] = true;
      ++rewrites_;
    }
    remove_ops(graph_, dead);
    return {};
  }

  Graph& graph_;
  Uses uses_;
  int rewrites_ = 0;
};

}  // namespace

std::optional<Tensor> f16_constant(const Tensor& wide) {
  std::vector<Half> values;
  for (const float x : wide.as<float>()) {
    values.push_back(to_half(x));
    if (std::isfinite(x) && !std::isfinite(to_float(values.back()))) return std::nullopt;
  }
  Tensor narrow = wide;
  narrow.dtype = DType::kF16;
  narrow.data = SharedBytes::copy_of(std::as_bytes(std::span(values)));
  return narrow;
}

int narrow_weights(Graph& graph) {
  // By tensor: the f16 one; the tensor itself where there cannot be one.
  std::map<TensorId, TensorId> known;
  int narrow = 0;
  for (Op& op : graph.ops) {
    if (op.inputs.size() < 2 || !reads_f16(graph, op, 1)) continue;
    const TensorId wide = op.inputs[1];
    const Tensor& weights = graph.tensor(wide);
    if (!weights.constant || weights.dtype != DType::kF32) continue;
    if (!known.contains(wide)) {
      std::optional<Tensor> half = f16_constant(weights);
      narrow += half ? 1 : 0;
      known[wide] = half ? graph.add_tensor(std::move(*half)) : wide;
    }
    op.inputs[1] = known[wide];
  }
  compact(graph);
  return narrow;
}

Result<int> f16_weights(Graph& graph) {
  for (const Tensor& t : graph.tensors)
    if (t.constant && t.dtype == DType::kF16) return F16Weights(graph).run();
  return 0;
}

}  // namespace pj
