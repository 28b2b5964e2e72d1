// Converters from channels-first frameworks put a transpose before and one behind every
// convolution, with elementwise operators, paddings and joins between them. Those do not care about
// the order of dimensions: they compute on what the transpose reads, and the transpose moves behind
// them, until it meets its inverse.
//
// One walk from inputs to outputs. A tensor that is a transpose of another one is only noted as
// "deferred"; an operator that can work on the sources of its deferred inputs does so, and its
// outputs are deferred in turn. Any other reader gets the transpose written out. Whether that was
// worth it is known at the end: the new graph is kept if it transposes fewer elements.
#include <algorithm>
#include <optional>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// t = transpose(source, perm): dimension i of t is dimension perm[i] of the source.
struct Deferred {
  TensorId source = kNoTensor;
  Dims perm;
  bool written = false;
};

bool is_identity(const Dims& perm) { return std::is_sorted(perm.begin(), perm.end()); }

bool swaps_last_two(Dims perm) {
  const int32_t rank = perm.rank();
  if (rank < 2) return false;
  std::swap(perm[rank - 1], perm[rank - 2]);
  return is_identity(perm);
}

// The permutation of a transpose with resolved axes; nothing if it is not known yet.
std::optional<Dims> perm_of(const Graph& graph, const Op& op) {
  const int32_t rank = graph.tensor(op.inputs[0]).shape.rank();
  Dims perm = op.as<TransposeParams>().perm;
  if (op.inputs.size() != 1 || perm.rank() != rank) return std::nullopt;
  for (int32_t i = 0; i < rank; ++i) perm[i] = normalize_axis(perm[i], rank);
  return perm;
}

// Per-dimension values of the transposed tensor, in the order of the source.
Dims in_source_order(const Dims& values, const Dims& perm) {
  Dims out = values;
  for (int32_t i = 0; i < perm.rank(); ++i) out[perm[i]] = values[i];
  return out;
}

int32_t mask_in_source_order(int32_t mask, const Dims& perm) {
  int32_t out = 0;
  for (int32_t i = 0; i < perm.rank(); ++i) out |= ((mask >> i) & 1) << perm[i];
  return out;
}

int64_t transposed_elements(const Graph& graph) {
  int64_t sum = 0;
  for (const Op& op : graph.ops) {
    if (op.kind != OpKind::kTranspose || graph.tensor(op.inputs[0]).constant) continue;
    const std::optional<Dims> perm = perm_of(graph, op);
    const Shape& shape = graph.tensor(op.outputs[0]).shape;
    if (perm && is_identity(*perm)) continue;
    sum += is_static(shape) ? elements(shape) : 1;
  }
  return sum;
}

// `op` with its attributes for inputs in the order of the source, and for each dimension of its
// outputs the dimension that it has there.
struct Sunk {
  OpKind kind;
  OpParams params;
  Dims perm;
};

std::optional<Sunk> sink_reduce(const ReduceParams& params, const Dims& perm) {
  const int32_t rank = perm.rank();
  Sunk sunk{OpKind::kReduce, params, perm};
  auto& p = std::get<ReduceParams>(sunk.params);
  std::array<bool, kMaxRank> gone{};
  for (int32_t& axis : std::span(p.axes.v).first(static_cast<size_t>(p.axes.rank()))) {
    axis = perm[normalize_axis(axis, rank)];
    gone[static_cast<size_t>(axis)] = true;
  }
  if (p.keep_dims) return sunk;
  // What is left, counted among what is left in the source.
  sunk.perm = {};
  for (int32_t i = 0; i < rank; ++i) {
    if (gone[static_cast<size_t>(perm[i])]) continue;
    sunk.perm.push_back(
        static_cast<int32_t>(std::count(gone.begin(), gone.begin() + perm[i], false)));
  }
  return sunk;
}

std::optional<Sunk> sink_strided_slice(const StridedSliceParams& params, const Dims& perm) {
  if (params.ellipsis_mask != 0 || params.shrink_axis_mask != 0 ||
      params.begin.rank() != perm.rank())
    return std::nullopt;
  Sunk sunk{OpKind::kStridedSlice, params, perm};
  auto& p = std::get<StridedSliceParams>(sunk.params);
  p.begin = in_source_order(params.begin, perm);
  p.end = in_source_order(params.end, perm);
  p.strides = in_source_order(params.strides, perm);
  p.begin_mask = mask_in_source_order(params.begin_mask, perm);
  p.end_mask = mask_in_source_order(params.end_mask, perm);
  return sunk;
}

// Positions of the dimensions that are not 1.
Dims true_dims(const Shape& shape) {
  Dims positions;
  for (int32_t i = 0; i < shape.rank(); ++i)
    if (shape[i] != 1) positions.push_back(i);
  return positions;
}

// Reshapes that only add or drop dimensions of 1: the others keep the source's order.
std::optional<Sunk> sink_reshape(const Shape& in, const Shape& out, const Dims& perm) {
  const Dims from = true_dims(in), to = true_dims(out);
  if (!is_static(in) || !is_static(out) || from.rank() != to.rank()) return std::nullopt;
  Sunk sunk{OpKind::kReshape, {}, {}};
  for (int32_t i = 0; i < out.rank(); ++i) sunk.perm.push_back(i);
  for (int32_t i = 0; i < from.rank(); ++i) {
    if (in[from[i]] != out[to[i]]) return std::nullopt;
    const auto place =
        std::count_if(from.begin(), from.end(), [&](int32_t d) { return perm[d] < perm[from[i]]; });
    sunk.perm[to[i]] = to[static_cast<int32_t>(place)];
  }
  sunk.params = ReshapeParams{in_source_order(out, sunk.perm)};
  return sunk;
}

std::optional<Sunk> sink_through(const Graph& graph, const Op& op, const Dims& perm) {
  const int32_t rank = perm.rank();
  Sunk sunk{op.kind, op.params, perm};
  switch (op.kind) {
    case OpKind::kUnary:
    case OpKind::kCast:
    case OpKind::kQuantize:
    case OpKind::kDequantize:
    case OpKind::kBinary:
    case OpKind::kSelect:
    case OpKind::kPRelu:
      return sunk;
    case OpKind::kConcat: {
      auto& p = std::get<ConcatParams>(sunk.params);
      p.axis = perm[normalize_axis(p.axis, rank)];
      return sunk;
    }
    case OpKind::kSplit: {
      auto& p = std::get<SplitParams>(sunk.params);
      if (op.inputs.size() != 1) return std::nullopt;
      p.axis = perm[normalize_axis(p.axis, rank)];
      return sunk;
    }
    case OpKind::kPad: {
      auto& p = std::get<PadParams>(sunk.params);
      if (op.inputs.size() != 1 || p.before.rank() != rank || p.after.rank() != rank)
        return std::nullopt;
      p.before = in_source_order(p.before, perm);
      p.after = in_source_order(p.after, perm);
      return sunk;
    }
    case OpKind::kSlice: {
      auto& p = std::get<SliceParams>(sunk.params);
      if (op.inputs.size() != 1 || p.begin.rank() != rank || p.size.rank() != rank)
        return std::nullopt;
      p.begin = in_source_order(p.begin, perm);
      p.size = in_source_order(p.size, perm);
      return sunk;
    }
    case OpKind::kStridedSlice:
      if (op.inputs.size() != 1) return std::nullopt;
      return sink_strided_slice(op.as<StridedSliceParams>(), perm);
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
      if (op.inputs.size() != 1) return std::nullopt;
      return sink_reshape(graph.tensor(op.inputs[0]).shape, graph.tensor(op.outputs[0]).shape,
                          perm);
    case OpKind::kReduce:
      if (op.inputs.size() != 1) return std::nullopt;
      return sink_reduce(op.as<ReduceParams>(), perm);
    default:
      return std::nullopt;
  }
}

class TransposeSinker {
 public:
  explicit TransposeSinker(Graph graph) : graph_(std::move(graph)) {
    deferred_.resize(graph_.tensors.size());
    folds_.resize(graph_.tensors.size());
    for (const Op& op : graph_.ops) {
      const bool folds = std::all_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
        return id == kNoTensor || graph_.tensor(id).constant || folds_[static_cast<size_t>(id)];
      });
      for (TensorId id : op.outputs) folds_[static_cast<size_t>(id)] = folds;
    }
  }

  Graph run() && {
    std::vector<Op> ops = std::move(graph_.ops);
    graph_.ops.clear();
    for (Op& op : ops) {
      if (defer(op) || sink(op) || absorb(op)) continue;
      for (TensorId& id : op.inputs) id = ready(id);
      graph_.ops.push_back(std::move(op));
    }
    for (TensorId id : graph_.outputs) write(id);
    return std::move(graph_);
  }

 private:
  Deferred* deferred(TensorId id) {
    if (id == kNoTensor) return nullptr;
    Deferred& d = deferred_[static_cast<size_t>(id)];
    return d.source == kNoTensor ? nullptr : &d;
  }

  bool defer(const Op& op) {
    if (op.kind != OpKind::kTranspose || graph_.tensor(op.inputs[0]).constant) return false;
    const Tensor& in = graph_.tensor(op.inputs[0]);
    const std::optional<Dims> perm = perm_of(graph_, op);
    if (!perm || !same_values(in, graph_.tensor(op.outputs[0]))) return false;
    Deferred d{op.inputs[0], *perm};
    if (const Deferred* before = deferred(d.source)) {
      for (int32_t i = 0; i < perm->rank(); ++i) d.perm[i] = before->perm[(*perm)[i]];
      d.source = before->source;
    }
    deferred_[static_cast<size_t>(op.outputs[0])] = d;
    return true;
  }

  // The permutation that all inputs which are not constant share; nothing if there is none.
  std::optional<Dims> common_perm(const Op& op) {
    std::optional<Dims> perm;
    for (TensorId id : op.inputs) {
      if (id == kNoTensor) return std::nullopt;
      const Deferred* d = deferred(id);
      if (d == nullptr && graph_.tensor(id).constant) continue;
      if (d == nullptr || (perm && !(*perm == d->perm))) return std::nullopt;
      perm = d->perm;
    }
    return perm;
  }

  // Scales by channel name an axis, which would have to move too.
  bool can_reorder(TensorId id) const { return graph_.tensor(id).quant.scale.size() <= 1; }

  bool sink(const Op& op) {
    const std::optional<Dims> perm = common_perm(op);
    if (!perm || is_identity(*perm)) return false;
    auto reorderable = [&](TensorId id) { return can_reorder(id); };
    auto fits = [&](TensorId id) { return graph_.tensor(id).shape.rank() <= perm->rank(); };
    if (!std::all_of(op.inputs.begin(), op.inputs.end(), reorderable) ||
        !std::all_of(op.outputs.begin(), op.outputs.end(), reorderable) ||
        !std::all_of(op.inputs.begin(), op.inputs.end(), fits))
      return false;
    const std::optional<Sunk> sunk = sink_through(graph_, op, *perm);
    if (!sunk) return false;
    Op moved{sunk->kind, sunk->params, {}, {}, op.name};
    for (TensorId id : op.inputs)
      moved.inputs.push_back(graph_.tensor(id).constant ? reordered(id, *perm)
                                                        : deferred(id)->source);
    for (TensorId id : op.outputs) moved.outputs.push_back(defer_output(id, sunk->perm));
    graph_.ops.push_back(std::move(moved));
    return true;
  }

  // A matrix product reads its second factor as it was before a transpose. (Not what will be the
  // weights of a fully connected layer.)
  bool absorb(const Op& op) {
    const Deferred* b = op.inputs.size() < 2 ? nullptr : deferred(op.inputs[1]);
    if (b == nullptr || !swaps_last_two(b->perm) || folds_[static_cast<size_t>(b->source)])
      return false;
    if (graph_.tensor(op.inputs[0]).dtype != DType::kF32) return false;
    BatchMatMulParams product{false, true};
    TensorId a = ready(op.inputs[0]);
    const TensorId source = b->source;
    if (op.kind == OpKind::kBatchMatMul) {
      product = op.as<BatchMatMulParams>();
    } else if (is_plain_product(op)) {
      a = as_rows(a, graph_.tensor(source).shape[0]);
    } else {
      return false;
    }
    product.transpose_b = !product.transpose_b;
    graph_.ops.push_back({OpKind::kBatchMatMul, product, {a, source}, op.outputs, op.name});
    return true;
  }

  // True for a fully connected layer that is nothing but a product of two matrices.
  bool is_plain_product(const Op& op) const {
    return op.kind == OpKind::kFullyConnected && is_static(graph_.tensor(op.inputs[0]).shape) &&
           graph_.tensor(op.outputs[0]).shape.rank() == 2 &&
           (op.inputs.size() < 3 || op.inputs[2] == kNoTensor) &&
           op.as<FullyConnectedParams>().activation == Activation::kNone;
  }

  // A tensor seen as a matrix with rows of k elements.
  TensorId as_rows(TensorId id, int32_t k) {
    Tensor t = graph_.tensor(id);
    if (t.shape.rank() == 2) return id;
    t.shape = {static_cast<int32_t>(elements(t.shape) / k), k};
    const Shape shape = t.shape;
    const TensorId rows = add(std::move(t));
    graph_.ops.push_back({OpKind::kReshape, ReshapeParams{shape}, {id}, {rows}, ""});
    return rows;
  }

  // A constant in the order of the source, by operators that folding evaluates.
  TensorId reordered(TensorId id, const Dims& perm) {
    const Tensor t = graph_.tensor(id);
    if (elements(t.shape) == 1) return id;
    Shape full = Dims::filled(perm.rank(), 1);
    std::copy(t.shape.begin(), t.shape.end(), full.v.begin() + (perm.rank() - t.shape.rank()));
    Tensor wide = t;
    wide.constant = false;
    wide.data = {};
    wide.shape = full;
    const TensorId reshaped = add(wide);
    graph_.ops.push_back({OpKind::kReshape, ReshapeParams{full}, {id}, {reshaped}, ""});
    Dims inverse = perm;
    for (int32_t i = 0; i < perm.rank(); ++i) inverse[perm[i]] = i;
    wide.shape = in_source_order(full, perm);
    const TensorId moved = add(wide);
    graph_.ops.push_back({OpKind::kTranspose, TransposeParams{inverse}, {reshaped}, {moved}, ""});
    return moved;
  }

  // What the operator now produces in place of `id`, which becomes its transpose.
  TensorId defer_output(TensorId id, const Dims& perm) {
    if (is_identity(perm)) return id;
    Tensor t = graph_.tensor(id);
    t.shape = in_source_order(t.shape, perm);
    const TensorId source = add(std::move(t));
    deferred_[static_cast<size_t>(id)] = {source, perm};
    return source;
  }

  TensorId add(Tensor t) {
    deferred_.emplace_back();
    folds_.push_back(false);
    return graph_.add_tensor(std::move(t));
  }

  // The tensor for a reader that cares about the order.
  TensorId ready(TensorId id) {
    const Deferred* d = deferred(id);
    if (d != nullptr && is_identity(d->perm)) return d->source;
    write(id);
    return id;
  }

  void write(TensorId id) {
    Deferred* d = deferred(id);
    if (d == nullptr || d->written) return;
    d->written = true;
    graph_.ops.push_back({OpKind::kTranspose, TransposeParams{d->perm}, {d->source}, {id}, ""});
  }

  Graph graph_;
  std::vector<Deferred> deferred_;  // by tensor; without a source: not deferred
  // By tensor: computed from constants alone, and so going to be one.
  std::vector<bool> folds_;
};

}  // namespace

Result<int> sink_transposes(Graph& graph) {
  const int64_t before = transposed_elements(graph);
  if (before == 0) return 0;
  Graph sunk = TransposeSinker(graph).run();
  compact(sunk);
  if (transposed_elements(sunk) >= before) return 0;
  graph = std::move(sunk);
  return 1;
}

}  // namespace pj
