#include "runtime/exec/model.h"

#include "kernels/registry.h"
#include "runtime/base/aligned.h"
#include "runtime/passes/passes.h"

namespace pj {
namespace {

// The address that names a tensor's data among packed weights.
const std::byte* data_of(const Graph& graph, TensorId id) {
  return id == kNoTensor ? nullptr : graph.tensor(id).data.bytes.data();
}

Status check_kernels(const Program& program, std::span<const KernelDesc> catalog) {
  const IsaSet host = host_cpu().isa;
  for (const Step& step : program.steps) {
    if (step.prepared) continue;
    for (const LoopNest& nest : step.members) {
      const KernelDesc& kernel = catalog[static_cast<size_t>(nest.kernel)];
      if (kernel_function(nest.kernel) != nullptr && host.includes(kernel.isa)) continue;
      return error(ErrorCode::kPlatformUnsupported,
                   "kernel {} needs '{}', which this CPU or this build lacks; plan for a level "
                   "that `pj doctor` lists",
                   kernel.name, to_string(kernel.isa));
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<Model>> Model::create(Graph graph, ModelOptions options,
                                             std::vector<PackedWeights> packed) {
  PJ_TRY(run_passes(graph, nullptr));
  auto model = std::shared_ptr<Model>(new Model(std::move(graph), std::move(options)));
  for (PackedWeights& p : packed)
    model->packed_[{p.weights, p.bias, std::move(p.packing)}].packed = std::move(p.data);
  return model;
}

Result<SharedBytes> Model::packed_bytes(const CompiledModel& m, size_t index, int64_t& made) {
  const PackRecipe& recipe = m.plan.recipes[index];
  const PackedConstant& constant = m.plan.program.packed[index];
  const PackedKey key{data_of(m.graph, recipe.weights), data_of(m.graph, recipe.bias),
                      constant.packing};
  const auto size = static_cast<size_t>(constant.bytes);
  if (const auto found = packed_.find(key);
      found != packed_.end() && found->second.packed.bytes.size() == size)
    return found->second.packed;
  auto buffer = std::make_shared<AlignedBuffer>(size);
  if (buffer->size() != size)
    return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of packed weights", size);
  pack(m.graph, recipe, buffer->bytes());
  made += constant.bytes;
  auto owner = [&](TensorId id) -> std::shared_ptr<const void> {
    return id == kNoTensor ? nullptr : m.graph.tensor(id).data.owner;
  };
  packed_[key] = {{buffer->bytes(), buffer}, owner(recipe.weights), owner(recipe.bias)};
  return packed_[key].packed;
}

Result<std::shared_ptr<const CompiledModel>> Model::compile(std::span<const Shape> shapes) {
  std::lock_guard lock(mutex_);
  std::erase_if(compiled_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& [known, weak] : compiled_)
    if (std::equal(known.begin(), known.end(), shapes.begin(), shapes.end()))
      if (auto alive = weak.lock()) return alive;

  auto compiled = std::make_shared<CompiledModel>();
  compiled->graph = graph_;
  Graph& graph = compiled->graph;
  bool changed = false;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    Shape& shape = graph.tensor(graph.inputs[i]).shape;
    changed = changed || shape != shapes[i];
    shape = shapes[i];
  }
  // What was unknown may now be constant.
  if (changed) PJ_TRY(run_passes(graph, nullptr));

  PlanOptions plan_options{options_.max_arena_bytes, options_.bands, {},
                           options_.prepared_before_tuned};
  if (options_.prepared != nullptr) {
    for (const Op& op : graph.ops)
      plan_options.prepared_ops.push_back(options_.prepared->offers(graph, op));
  }
  PJ_ASSIGN(compiled->plan, make_plan(graph, options_.target, options_.catalog, plan_options));
  PJ_TRY(check_kernels(compiled->plan.program, options_.catalog));
  for (size_t i = 0; i < compiled->plan.recipes.size(); ++i) {
    PJ_ASSIGN(SharedBytes bytes, packed_bytes(*compiled, i, compiled->bytes_packed_at_load));
    compiled->packed.push_back(std::move(bytes));
  }
  compiled_.emplace_back(std::vector<Shape>(shapes.begin(), shapes.end()), compiled);
  return compiled;
}

}  // namespace pj
