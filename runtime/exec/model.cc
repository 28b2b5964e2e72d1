#include "runtime/exec/model.h"

#include <algorithm>

#include "kernels/registry.h"
#include "runtime/base/aligned.h"
#include "runtime/passes/passes.h"
#include "runtime/plan/fuse.h"
#include "runtime/plan/half.h"

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

// What the graph becomes for the target, unless another library may take operators: it knows no
// epilogues.
Status fuse(Graph& graph, const ModelOptions& options) {
  if (options.prepared != nullptr) return {};
  PJ_TRY(fuse_for_target(graph, options.target, options.catalog));
  return {};
}

}  // namespace

std::vector<PackedWeights> packed_weights_of(const CompiledModel& model) {
  std::vector<PackedWeights> all;
  for (size_t i = 0; i < model.packed.size(); ++i) {
    const PackRecipe& recipe = model.plan.recipes[i];
    all.push_back({data_of(model.graph, recipe.weights), data_of(model.graph, recipe.bias),
                   model.plan.program.packed[i].packing, model.packed[i]});
  }
  return all;
}

Result<std::shared_ptr<Model>> Model::create(Graph graph, ModelOptions options,
                                             std::vector<PackedWeights> packed) {
  PJ_TRY(options.validated ? run_passes_on_valid(graph) : run_passes(graph));
  options.f16 = options.f16 && computes_in_half(options.target) && options.prepared == nullptr;
  if (options.f16) narrow_weights(graph);
  PJ_TRY(fuse(graph, options));
  auto model = std::shared_ptr<Model>(new Model(std::move(graph), std::move(options)));
  for (PackedWeights& p : packed)
    model->packed_[{p.weights, p.bias, std::move(p.packing)}].packed = std::move(p.data);
  return model;
}

int Model::tuned_threads() const {
  if (!options_.chosen || options_.chosen->threads < 1) return 0;
  return std::min(options_.chosen->threads, granted_cpu().default_threads);
}

std::string Model::ignored_choices(const CompiledModel& compiled) const {
  const std::string& unfollowed = compiled.plan.unfollowed;
  if (options_.unread_choices.empty() && unfollowed.empty()) return {};
  return "ignoring what a tuner chose: " +
         (options_.unread_choices.empty() ? "it names " + unfollowed : options_.unread_choices);
}

Model::PackedKey Model::packed_key(const CompiledModel& m, size_t index) {
  const PackRecipe& recipe = m.plan.recipes[index];
  return {data_of(m.graph, recipe.weights), data_of(m.graph, recipe.bias),
          m.plan.program.packed[index].packing};
}

Status Model::pack_missing(CompiledModel& m) {
  const std::vector<PackedConstant>& constants = m.plan.program.packed;
  auto size_of = [&](size_t i) { return static_cast<size_t>(constants[i].bytes); };
  // What is not there yet, or not of that size, gets one block of memory.
  size_t total = 0;
  std::vector<CachedWeights*> entries(constants.size());
  for (size_t i = 0; i < constants.size(); ++i) {
    entries[i] = &packed_[packed_key(m, i)];
    if (entries[i]->packed.bytes.size() != size_of(i)) total += round_up(size_of(i), kCacheLine);
  }
  auto buffer = std::make_shared<AlignedBuffer>(total);
  if (buffer->size() != total)
    return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of packed weights", total);
  size_t used = 0;
  auto owner = [&](TensorId id) -> std::shared_ptr<const void> {
    return id == kNoTensor ? nullptr : m.graph.tensor(id).data.owner;
  };
  m.packed.reserve(constants.size());
  for (size_t i = 0; i < constants.size(); ++i) {
    if (entries[i]->packed.bytes.size() != size_of(i)) {
      const std::span<std::byte> bytes = buffer->bytes().subspan(used, size_of(i));
      used += round_up(size_of(i), kCacheLine);
      const PackRecipe& recipe = m.plan.recipes[i];
      pack(m.graph, recipe, bytes);
      m.bytes_packed_at_load += constants[i].bytes;
      *entries[i] = {{bytes, buffer}, owner(recipe.weights), owner(recipe.bias)};
    }
    m.packed.push_back(entries[i]->packed);
  }
  return {};
}

Result<std::shared_ptr<const Graph>> Model::graph_with(std::span<const Shape> shapes) const {
  bool same = true;
  for (size_t i = 0; i < graph_->inputs.size(); ++i)
    same = same && graph_->tensor(graph_->inputs[i]).shape == shapes[i];
  if (same) return graph_;
  auto graph = std::make_shared<Graph>(*graph_);
  for (size_t i = 0; i < graph->inputs.size(); ++i)
    graph->tensor(graph->inputs[i]).shape = shapes[i];
  // What was unknown may now be constant.
  PJ_TRY(run_passes(*graph));
  PJ_TRY(fuse(*graph, options_));
  return graph;
}

Result<std::shared_ptr<const CompiledModel>> Model::compile(std::span<const Shape> shapes) {
  std::lock_guard lock(mutex_);
  std::erase_if(compiled_, [](const auto& entry) { return entry.second.expired(); });
  for (const auto& [known, weak] : compiled_)
    if (std::equal(known.begin(), known.end(), shapes.begin(), shapes.end()))
      if (auto alive = weak.lock()) return alive;

  PJ_ASSIGN(auto shared, graph_with(shapes));
  if (options_.f16) {
    auto half = std::make_shared<Graph>(*shared);
    narrow_for_target(*half, options_.target, options_.catalog);
    shared = std::move(half);
  }
  auto compiled = std::make_shared<CompiledModel>(std::move(shared));
  const Graph& graph = compiled->graph;
  PlanOptions plan_options;
  plan_options.max_arena_bytes = options_.max_arena_bytes;
  plan_options.bands = options_.bands;
  plan_options.prepared_before_tuned = options_.prepared_before_tuned;
  // What was chosen was chosen for the shapes that the model has.
  if (compiled->owner == graph_) plan_options.chosen = options_.chosen;
  if (options_.prepared != nullptr) {
    for (const Op& op : graph.ops)
      plan_options.prepared_ops.push_back(options_.prepared->offers(graph, op));
  }
  PJ_ASSIGN(compiled->plan, make_plan(graph, options_.target, options_.catalog, plan_options));
  PJ_TRY(check_kernels(compiled->plan.program, options_.catalog));
  PJ_TRY(pack_missing(*compiled));
  PJ_TRY(check_file());
  compiled_.emplace_back(std::vector<Shape>(shapes.begin(), shapes.end()), compiled);
  return compiled;
}

}  // namespace pj
