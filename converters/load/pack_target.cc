#include "converters/load/pack_target.h"

#include <optional>

#include "runtime/base/aligned.h"
#include "runtime/passes/passes.h"
#include "runtime/plan/fuse.h"

namespace pj {
namespace {

const std::byte* data_of(const Graph& graph, TensorId id) {
  return id == kNoTensor ? nullptr : graph.tensor(id).data.bytes.data();
}

// The operator of `graph` with those weights and bias: they stay where they are when other shapes
// make the passes come to another list of operators. Nothing if no operator has them.
std::optional<int32_t> find_op(const Graph& graph, const std::byte* weights,
                               const std::byte* bias) {
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const std::vector<TensorId>& in = graph.ops[i].inputs;
    auto data = [&](size_t k) { return k < in.size() ? data_of(graph, in[k]) : nullptr; };
    if (in.size() > 1 && data(1) == weights && data(2) == bias) return static_cast<int32_t>(i);
  }
  return std::nullopt;
}

Result<Graph> with_known_shapes(Graph graph) {
  bool changed = false;
  for (TensorId id : graph.inputs) {
    for (int32_t i = 0; i < graph.tensor(id).shape.rank(); ++i) {
      int32_t& d = graph.tensor(id).shape[i];
      changed = changed || d == kUnknownDim;
      if (d == kUnknownDim) d = 1;
    }
  }
  if (changed) PJ_TRY(run_passes(graph));
  return graph;
}

}  // namespace

Result<TargetRecord> pack_for_target(const Graph& graph, const Target& target,
                                     const std::optional<PlanChoices>& chosen,
                                     std::span<const KernelDesc> catalog) {
  PJ_ASSIGN(Graph known, with_known_shapes(graph));
  PJ_TRY(fuse_for_target(known, target, catalog));
  PlanOptions options;
  options.chosen = chosen;
  PJ_ASSIGN(const Plan plan, make_plan(known, target, catalog, options));
  TargetRecord record{target.name,     target.isa,      target.cores, target.l1_bytes,
                      target.l2_bytes, target.l3_bytes, {},           {}};
  for (size_t i = 0; i < plan.recipes.size(); ++i) {
    const PackedConstant& constant = plan.program.packed[i];
    const PackRecipe& recipe = plan.recipes[i];
    const std::optional<int32_t> op =
        find_op(graph, data_of(known, recipe.weights), data_of(known, recipe.bias));
    if (!op) continue;  // packed at load
    const auto size = static_cast<size_t>(constant.bytes);
    const auto buffer = std::make_shared<AlignedBuffer>(size);
    if (buffer->size() != size)
      return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of packed weights", size);
    pack(known, recipe, buffer->bytes());
    record.packed.push_back({*op, 0, constant.packing, {buffer->bytes(), buffer}});
  }
  return record;
}

}  // namespace pj
