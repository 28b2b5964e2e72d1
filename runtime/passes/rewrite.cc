#include "runtime/passes/rewrite.h"

namespace pj {

bool has_single_use(const Uses& uses, TensorId id) {
  return uses.consumers(id).size() == 1 && !uses.is_output[static_cast<size_t>(id)];
}

Op* producer_of(Graph& graph, const Uses& uses, TensorId id) {
  const int32_t index = uses.producer[static_cast<size_t>(id)];
  return index < 0 ? nullptr : &graph.ops[static_cast<size_t>(index)];
}

bool same_values(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.quant == b.quant;
}

void remove_ops(Graph& graph, const std::vector<bool>& dead) {
  size_t kept = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (dead[i]) continue;
    if (kept != i) graph.ops[kept] = std::move(graph.ops[i]);
    ++kept;
  }
  graph.ops.erase(graph.ops.begin() + static_cast<ptrdiff_t>(kept), graph.ops.end());
}

}  // namespace pj
