#include <algorithm>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

bool renames_dims(OpKind kind) {
  return kind == OpKind::kReshape || kind == OpKind::kSqueeze || kind == OpKind::kExpandDims;
}

bool goes_forward(const StridedSliceParams& p) {
  return std::all_of(p.strides.begin(), p.strides.end(), [](int32_t s) { return s > 0; });
}

// Moves dimensions of size 1 at most: the elements stay in order.
bool keeps_order(const Dims& perm, const Shape& in) {
  int32_t last = -1;
  for (int32_t axis : perm) {
    const int32_t a = normalize_axis(axis, in.rank());
    if (in[a] == 1) continue;
    if (a < last) return false;
    last = a;
  }
  return true;
}

// Returns the input's elements as they are, if the output has the input's shape.
bool is_identity_at_equal_shape(const Graph& graph, const Op& op) {
  switch (op.kind) {
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
    case OpKind::kSlice:
    case OpKind::kTile:
    case OpKind::kBroadcastTo:
    case OpKind::kPad:
    case OpKind::kCast:
    case OpKind::kQuantize:
      return true;
    case OpKind::kConcat:
      return op.inputs.size() == 1;
    case OpKind::kStridedSlice:
      return op.inputs.size() == 1 && goes_forward(op.as<StridedSliceParams>());
    case OpKind::kTranspose:
      return op.inputs.size() == 1 &&
             keeps_order(op.as<TransposeParams>().perm, graph.tensor(op.inputs[0]).shape);
    default:
      return false;
  }
}

bool is_identity(const Graph& graph, const Op& op) {
  if (op.outputs.size() != 1) return false;
  const Tensor& in = graph.tensor(op.inputs[0]);
  const Tensor& out = graph.tensor(op.outputs[0]);
  if (!same_values(in, out) || !(in.shape == out.shape)) return false;
  // Casts, and requantisation to the same scale, do not depend on the shape.
  const bool elementwise = op.kind == OpKind::kCast || op.kind == OpKind::kQuantize;
  return (elementwise || is_static(in.shape)) && is_identity_at_equal_shape(graph, op);
}

class IdentityRemover {
 public:
  explicit IdentityRemover(Graph& graph)
      : graph_(graph), uses_(find_uses(graph)), dead_(graph.ops.size(), false) {
    for (size_t i = 0; i < graph.tensors.size(); ++i) alias_.push_back(static_cast<TensorId>(i));
  }

  int run() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      Op& op = graph_.ops[i];
      for (TensorId& id : op.inputs) id = resolve(id);
      if (becomes_reshape(op)) make_reshape(op);
      if (renames_dims(op.kind)) join_reshapes(op);
      if (is_identity(graph_, op)) remove(i);
    }
    // A tensor that a graph output replaced may have been read before the operator was removed.
    for (Op& op : graph_.ops)
      for (TensorId& id : op.inputs) id = resolve(id);
    remove_ops(graph_, dead_);
    return rewrites_;
  }

 private:
  // At most two steps: to the source of removed operators, and from it to the graph output that
  // took its place.
  TensorId resolve(TensorId id) const {
    while (id != kNoTensor && alias_[static_cast<size_t>(id)] != id)
      id = alias_[static_cast<size_t>(id)];
    return id;
  }

  bool becomes_reshape(const Op& op) const {
    if (op.kind != OpKind::kTranspose || op.inputs.size() != 1) return false;
    const Shape& in = graph_.tensor(op.inputs[0]).shape;
    return is_static(in) && keeps_order(op.as<TransposeParams>().perm, in);
  }

  void make_reshape(Op& op) {
    op.kind = OpKind::kReshape;
    op.params = ReshapeParams{graph_.tensor(op.outputs[0]).shape};
    ++rewrites_;
  }

  // The second of two reshapes reads what the first one reads. The first goes if nobody else needs
  // it; its quantisation does not matter, since both only copy.
  void join_reshapes(Op& op) {
    const Op* first = producer_of(graph_, uses_, op.inputs[0]);
    const Tensor& out = graph_.tensor(op.outputs[0]);
    if (first == nullptr || !renames_dims(first->kind) || !is_static(out.shape)) return;
    if (first->outputs[0] != op.inputs[0]) return;
    const TensorId source = resolve(first->inputs[0]);
    if (graph_.tensor(source).dtype != out.dtype) return;
    op.kind = OpKind::kReshape;
    op.params = ReshapeParams{out.shape};
    op.inputs = {source};
    ++rewrites_;
  }

  void remove(size_t index) {
    const Op& op = graph_.ops[index];
    const TensorId in = op.inputs[0], out = op.outputs[0];
    if (uses_.is_output[static_cast<size_t>(out)]) {
      // The graph output keeps its name: what produced the input writes it directly, unless the
      // input is one of the graph's own tensors, which has to be copied.
      Op* producer = producer_of(graph_, uses_, in);
      if (producer == nullptr || uses_.is_output[static_cast<size_t>(in)]) return;
      for (TensorId& id : producer->outputs)
        if (id == in) id = out;
      uses_.producer[static_cast<size_t>(out)] = uses_.producer[static_cast<size_t>(in)];
      alias_[static_cast<size_t>(in)] = out;
    } else {
      alias_[static_cast<size_t>(out)] = in;
    }
    dead_[index] = true;
    ++rewrites_;
  }

  Graph& graph_;
  Uses uses_;
  std::vector<bool> dead_;
  std::vector<TensorId> alias_;
  int rewrites_ = 0;
};

}  // namespace

Result<int> remove_identities(Graph& graph) { return IdentityRemover(graph).run(); }

}  // namespace pj
