#include "runtime/plan/buffers.h"

#include <algorithm>
#include <optional>

namespace pj {
namespace {

bool is_reshape(OpKind kind) {
  return kind == OpKind::kReshape || kind == OpKind::kSqueeze || kind == OpKind::kExpandDims;
}

// Which tensors share memory: each is its own root or lies in another one, some bytes from its
// beginning.
class Sharing {
 public:
  explicit Sharing(size_t count) : in_(count) {
    for (size_t t = 0; t < count; ++t) in_[t] = {static_cast<TensorId>(t), 0};
  }

  struct Place {
    TensorId root;
    int64_t offset;
  };
  Place place(TensorId t) const {
    Place p{t, 0};
    for (;;) {
      const Place& next = in_[static_cast<size_t>(p.root)];
      if (next.root == p.root) return p;
      p = {next.root, p.offset + next.offset};
    }
  }
  // Puts a root into another tensor.
  void put(TensorId root, Place place) { in_[static_cast<size_t>(root)] = place; }

 private:
  std::vector<Place> in_;
};

// True if what differs in `axis` alone lies one after the other.
bool outermost(const Shape& shape, int32_t axis) {
  for (int32_t d = 0; d < axis; ++d)
    if (shape[d] != 1) return false;
  return true;
}

// Where the output of a slice begins in its input, in bytes, if it is one piece of it.
std::optional<int64_t> piece_begin(const Graph& graph, const Op& op) {
  const Tensor &x = graph.tensor(op.inputs[0]), &y = graph.tensor(op.outputs[0]);
  const Dims& begin = op.as<SliceParams>().begin;
  const int32_t rank = x.shape.rank();
  if (begin.count != rank || x.quant != y.quant || elements(y.shape) == 0) return std::nullopt;
  int32_t axis = 0;
  while (axis < rank && x.shape[axis] == y.shape[axis]) ++axis;
  if (!outermost(x.shape, axis)) return std::nullopt;
  for (int32_t d = axis + 1; d < rank; ++d)
    if (x.shape[d] != y.shape[d]) return std::nullopt;
  return axis == rank ? 0 : begin.v[static_cast<size_t>(axis)] * byte_size(y) / y.shape[axis];
}

// True if the inputs of a concatenation lie one after the other in its output, as they are.
bool joins_whole_tensors(const Graph& graph, const Op& op) {
  const Tensor& y = graph.tensor(op.outputs[0]);
  const auto& params = op.as<ConcatParams>();
  if (params.activation != Activation::kNone ||
      !outermost(y.shape, normalize_axis(params.axis, y.shape.rank())))
    return false;
  return std::all_of(op.inputs.begin(), op.inputs.end(), [&](TensorId id) {
    const Tensor& x = graph.tensor(id);
    return x.quant == y.quant && elements(x.shape) > 0;
  });
}

class Mapper {
 public:
  explicit Mapper(const Graph& graph)
      : graph_(graph), sharing_(graph.tensors.size()), uses_(graph.tensors.size()) {
    map_.view_op.resize(graph.ops.size());
  }

  BufferMap run() {
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      if (!is_reshape(op.kind)) continue;
      map_.view_op[i] = true;
      sharing_.put(op.outputs[0], {op.inputs[0], 0});
    }
    count_uses();
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (graph_.ops[i].kind == OpKind::kSplit) map_.view_op[i] = try_split(graph_.ops[i]);
      if (graph_.ops[i].kind == OpKind::kSlice) map_.view_op[i] = try_slice(graph_.ops[i]);
    }
    for (size_t i = 0; i < graph_.ops.size(); ++i)
      if (graph_.ops[i].kind == OpKind::kConcat) map_.view_op[i] = try_concat(graph_.ops[i]);
    assign_memory();
    return std::move(map_);
  }

 private:
  // Of roots: operators that read them or a view, the graph's outputs and inputs; constants count
  // as used by others.
  void count_uses() {
    auto use = [&](TensorId id) { ++uses_[static_cast<size_t>(sharing_.place(id).root)]; };
    for (size_t i = 0; i < graph_.ops.size(); ++i)
      for (TensorId id : graph_.ops[i].inputs)
        if (id != kNoTensor && !map_.view_op[i]) use(id);
    outputs_.resize(uses_.size());
    for (TensorId id : graph_.outputs) {
      use(id);
      outputs_[static_cast<size_t>(sharing_.place(id).root)] = true;
    }
    for (TensorId id : graph_.inputs) uses_[static_cast<size_t>(id)] += 2;
    for (size_t t = 0; t < graph_.tensors.size(); ++t)
      if (graph_.tensors[t].constant) uses_[t] += 2;
  }

  // Readers of a part are readers of the whole.
  void put_part(TensorId part, Sharing::Place place) {
    sharing_.put(part, place);
    uses_[static_cast<size_t>(sharing_.place(part).root)] += uses_[static_cast<size_t>(part)];
  }

  // Parts are read where they are in the whole. Those that somebody outside reads are copied there.
  bool try_split(const Op& op) {
    const Tensor& x = graph_.tensor(op.inputs[0]);
    const int32_t axis = normalize_axis(op.as<SplitParams>().axis, x.shape.rank());
    if (!outermost(x.shape, axis)) return false;
    for (TensorId id : op.outputs) {
      const Tensor& y = graph_.tensor(id);
      if (outputs_[static_cast<size_t>(id)] || y.quant != x.quant || elements(y.shape) == 0)
        return false;
    }
    int64_t offset = 0;
    for (TensorId id : op.outputs) {
      put_part(id, {op.inputs[0], offset});
      offset += byte_size(graph_.tensor(id));
    }
    return true;
  }

  bool try_slice(const Op& op) {
    const std::optional<int64_t> begin = piece_begin(graph_, op);
    if (!begin || outputs_[static_cast<size_t>(op.outputs[0])]) return false;
    put_part(op.outputs[0], {op.inputs[0], *begin});
    return true;
  }

  // Producers write to where the inputs are in the output, if nobody else reads these: then they
  // need not be a tensor by themselves, and nothing has to be copied.
  bool try_concat(const Op& op) {
    if (!joins_whole_tensors(graph_, op)) return false;
    const TensorId whole = op.outputs[0];
    for (TensorId id : op.inputs) {
      const Sharing::Place place = sharing_.place(id);
      if (uses_[static_cast<size_t>(place.root)] != 1 || place.offset != 0 ||
          byte_size(graph_.tensor(place.root)) != byte_size(graph_.tensor(id)))
        return false;
    }
    int64_t offset = 0;
    for (TensorId id : op.inputs) {
      sharing_.put(sharing_.place(id).root, {whole, offset});
      offset += byte_size(graph_.tensor(id));
    }
    return true;
  }

  // The memory of every root; other tensors follow theirs.
  void assign_memory() {
    std::vector<BufferRef> memory(graph_.tensors.size());
    for (size_t t = 0; t < memory.size(); ++t) {
      memory[t] = {graph_.tensors[t].constant ? Space::kConstant : Space::kArena,
                   static_cast<int32_t>(t), 0};
    }
    for (size_t i = 0; i < graph_.inputs.size(); ++i)
      memory[static_cast<size_t>(graph_.inputs[i])] = {Space::kInput, static_cast<int32_t>(i), 0};
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const TensorId t = graph_.outputs[i];
      BufferRef& now = memory[static_cast<size_t>(sharing_.place(t).root)];
      const auto index = static_cast<int32_t>(i);
      if (now.space == Space::kArena) {
        // The producer writes to the output's memory, and every view reads it there.
        now = {Space::kOutput, index, 0};
      } else {
        map_.copies.push_back({t, index});
      }
    }
    for (size_t t = 0; t < memory.size(); ++t) {
      const Sharing::Place place = sharing_.place(static_cast<TensorId>(t));
      BufferRef ref = memory[static_cast<size_t>(place.root)];
      ref.offset += place.offset;
      map_.buffer.push_back(ref);
    }
  }

  const Graph& graph_;
  Sharing sharing_;
  std::vector<int32_t> uses_;
  std::vector<bool> outputs_;  // roots that are outputs of the graph
  BufferMap map_;
};

}  // namespace

BufferMap map_buffers(const Graph& graph) { return Mapper(graph).run(); }

}  // namespace pj
