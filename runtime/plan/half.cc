#include "runtime/plan/half.h"

#include <map>
#include <optional>
#include <set>

#include "runtime/passes/passes.h"
#include "runtime/plan/lower.h"

namespace pj {
namespace {

// What only moves elements, whatever they are.
bool only_moves(const Op& op) {
  switch (op.kind) {
    case OpKind::kConcat:
      return op.as<ConcatParams>().activation == Activation::kNone;
    case OpKind::kPad:
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
    case OpKind::kSlice:
    case OpKind::kStridedSlice:
    case OpKind::kSplit:
      return true;
    default:
      return false;
  }
}

class Narrowing {
 public:
  Narrowing(Graph& graph, const Target& target, std::span<const KernelDesc> catalog)
      : graph_(graph), context_{graph, target, catalog, {}, unused_} {}

  int run() {
    std::vector<Op> ops = std::move(graph_.ops);
    graph_.ops.clear();
    int narrow = 0;
    for (Op& op : ops) {
      const bool half = becomes_half(op) && narrow_constants(op);
      for (size_t i = 0; i < op.inputs.size(); ++i) {
        if (!is_activation(op, i)) continue;
        op.inputs[i] = half ? narrowed(op.inputs[i]) : widened(op.inputs[i]);
      }
      if (half) {
        for (TensorId& id : op.outputs) {
          const TensorId wide = id;
          id = twin(wide, DType::kF16);
          half_of_[wide] = id;
        }
      }
      narrow += half;
      graph_.ops.push_back(std::move(op));
    }
    for (TensorId id : graph_.outputs) widened(id);
    if (narrow > 0) compact(graph_);
    return narrow;
  }

 private:
  static bool convolves(const Op& op) {
    return op.kind == OpKind::kConv2D || op.kind == OpKind::kDepthwiseConv2D ||
           op.kind == OpKind::kTransposeConv2D || op.kind == OpKind::kFullyConnected;
  }
  // Operands of f32, but for the weights and biases of convolutions, which have rules of their own.
  bool is_activation(const Op& op, size_t i) const {
    if (op.inputs[i] == kNoTensor || (convolves(op) && (i == 1 || i == 2))) return false;
    return graph_.tensor(op.inputs[i]).dtype == DType::kF32;
  }

  bool becomes_half(const Op& op) const {
    if (op.inputs.empty() || op.inputs[0] == kNoTensor) return false;
    for (TensorId id : op.outputs)
      if (graph_.tensor(id).dtype != DType::kF32) return false;
    if (convolves(op)) return is_activation(op, 0) && has_half_convolution(context_, op);
    // The others are worth no casts of their own.
    bool all = true, some = false;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (!is_activation(op, i) || graph_.tensor(op.inputs[i]).constant) continue;
      const bool narrow = half_of_.contains(op.inputs[i]);
      all = all && narrow;
      some = some || narrow;
    }
    return only_moves(op) ? some && all : some && has_half_kernel(op);
  }

  TensorId twin(TensorId of, DType dtype) {
    Tensor t = graph_.tensor(of);
    t.name = t.name + (dtype == DType::kF16 ? "/f16" : "/f32");
    t.dtype = dtype;
    return graph_.add_tensor(std::move(t));
  }
  void cast(TensorId from, TensorId to) {
    graph_.ops.push_back({OpKind::kCast, params_for(OpKind::kCast), {from}, {to}, {}});
  }

  // Constants of f32 as f16; false, and nothing changed, if one of them is too large for that.
  bool narrow_constants(Op& op) {
    std::vector<TensorId> inputs = op.inputs;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == kNoTensor || (convolves(op) && i == 2)) continue;
      const Tensor& t = graph_.tensor(inputs[i]);
      if (!t.constant || t.dtype != DType::kF32) continue;
      if (!half_of_.contains(inputs[i])) {
        std::optional<Tensor> half = f16_constant(t);
        if (!half) return false;
        half_of_[inputs[i]] = graph_.add_tensor(std::move(*half));
      }
      inputs[i] = half_of_[inputs[i]];
    }
    op.inputs = std::move(inputs);
    return true;
  }
  TensorId narrowed(TensorId id) {
    const auto known = half_of_.find(id);
    if (known != half_of_.end()) return known->second;
    const TensorId half = half_of_[id] = twin(id, DType::kF16);
    cast(id, half);
    wide_.insert(id);
    return half;
  }
  // The f32 tensor itself, computed from its f16 twin where that is what is left of it.
  TensorId widened(TensorId id) {
    const auto half = half_of_.find(id);
    if (half == half_of_.end() || graph_.tensor(id).constant || wide_.contains(id)) return id;
    cast(half->second, id);
    wide_.insert(id);
    return id;
  }

  Graph& graph_;
  Plan unused_;
  LowerContext context_;
  std::map<TensorId, TensorId> half_of_;  // by f32 tensor
  std::set<TensorId> wide_;               // f32 tensors that exist beside their twin
};

}  // namespace

bool computes_in_half(const Target& target) { return target.isa.has(Feature::kNeonFp16); }

int narrow_for_target(Graph& graph, const Target& target, std::span<const KernelDesc> catalog) {
  if (!computes_in_half(target)) return 0;
  return Narrowing(graph, target, catalog).run();
}

}  // namespace pj
