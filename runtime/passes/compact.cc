#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// Marks from the back: an operator is dead unless one of its outputs is needed.
std::vector<bool> dead_ops(const Graph& graph) {
  std::vector<bool> tensor_needed(graph.tensors.size(), false);
  for (TensorId id : graph.outputs) tensor_needed[static_cast<size_t>(id)] = true;
  std::vector<bool> dead(graph.ops.size(), true);
  for (size_t i = graph.ops.size(); i-- > 0;) {
    for (TensorId id : graph.ops[i].outputs)
      if (tensor_needed[static_cast<size_t>(id)]) dead[i] = false;
    if (dead[i]) continue;
    for (TensorId id : graph.ops[i].inputs)
      if (id != kNoTensor) tensor_needed[static_cast<size_t>(id)] = true;
  }
  return dead;
}

template <typename F>
void for_each_reference(Graph& graph, F&& f) {
  for (TensorId& id : graph.inputs) f(id);
  for (TensorId& id : graph.outputs) f(id);
  for (Op& op : graph.ops) {
    for (TensorId& id : op.inputs)
      if (id != kNoTensor) f(id);
    for (TensorId& id : op.outputs) f(id);
  }
}

}  // namespace

void compact(Graph& graph) {
  remove_ops(graph, dead_ops(graph));

  std::vector<TensorId> place(graph.tensors.size(), kNoTensor);
  for_each_reference(graph, [&](TensorId& id) { place[static_cast<size_t>(id)] = 0; });
  TensorId next = 0;
  for (size_t i = 0; i < place.size(); ++i) {
    if (place[i] == kNoTensor) continue;
    place[i] = next;
    if (static_cast<size_t>(next) != i) graph.tensor(next) = std::move(graph.tensors[i]);
    ++next;
  }
  graph.tensors.resize(static_cast<size_t>(next));
  for_each_reference(graph, [&](TensorId& id) { id = place[static_cast<size_t>(id)]; });
}

}  // namespace pj
