#include "runtime/plan/plan.h"

#include <algorithm>

#include "runtime/graph/op_checks.h"
#include "runtime/plan/arena.h"
#include "runtime/plan/bands.h"
#include "runtime/plan/buffers.h"
#include "runtime/plan/lower.h"
#include "runtime/plan/shares.h"

namespace pj {
namespace {

Status check_plannable(const Graph& graph) {
  for (TensorId id : graph.inputs) {
    const Tensor& t = graph.tensor(id);
    if (!is_static(t.shape)) {
      return error(ErrorCode::kWrongState,
                   "input '{}' has the shape {}: set its unknown dimensions first", t.name,
                   to_string(t.shape));
    }
  }
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const auto index = static_cast<int32_t>(i);
    for (size_t k = 0; k < op.inputs.size(); ++k) {
      if (op.inputs[k] == kNoTensor || !is_parameter_input(op.kind, k)) continue;
      return error(ErrorCode::kModelUnsupported,
                   "{}: its parameter '{}' is computed while the model runs; export the model "
                   "with fixed shapes",
                   describe(graph, index), graph.tensor(op.inputs[k]).name);
    }
    for (TensorId id : op.outputs) {
      const Tensor& t = graph.tensor(id);
      if (is_static(t.shape)) continue;
      return error(ErrorCode::kModelUnsupported,
                   "{}: the shape {} of its output '{}' depends on data; export the model with "
                   "fixed shapes",
                   describe(graph, index), to_string(t.shape), t.name);
    }
  }
  return {};
}

std::vector<IoBinding> bind_io(const Graph& graph, const std::vector<TensorId>& ids) {
  std::vector<IoBinding> bindings;
  for (TensorId id : ids) bindings.push_back({id, byte_size(graph.tensor(id))});
  return bindings;
}

// Calls f on every operand of the program.
template <typename F>
void for_each_operand(Program& program, F&& f) {
  for (size_t s = 0; s < program.steps.size(); ++s) {
    for (LoopNest& nest : program.steps[s].members) {
      for (Operand& o : nest.in) f(static_cast<int32_t>(s), o);
      for (Operand& o : nest.out) f(static_cast<int32_t>(s), o);
    }
  }
}

// Gives every arena tensor (named by its id in BufferRef::index) an offset.
Status assign_arena(const Graph& graph, Program& program, int64_t limit) {
  constexpr int32_t kUnused = -1;
  std::vector<int32_t> slot_of(graph.tensors.size(), kUnused);
  std::vector<Lifetime> lifetimes;
  for_each_operand(program, [&](int32_t step, Operand& o) {
    if (o.buffer.space != Space::kArena) return;
    int32_t& slot = slot_of[static_cast<size_t>(o.buffer.index)];
    if (slot == kUnused) {
      slot = static_cast<int32_t>(lifetimes.size());
      lifetimes.push_back({byte_size(graph.tensor(o.buffer.index)), step, step});
    }
    lifetimes[static_cast<size_t>(slot)].last = step;
  });
  const ArenaLayout layout = layout_arena(lifetimes);
  for_each_operand(program, [&](int32_t, Operand& o) {
    if (o.buffer.space != Space::kArena) return;
    const int32_t slot = slot_of[static_cast<size_t>(o.buffer.index)];
    o.buffer = {Space::kArena, 0, layout.offsets[static_cast<size_t>(slot)] + o.buffer.offset};
  });
  program.arena_bytes = layout.bytes;
  program.arena_lower_bound = layout.lower_bound;
  if (layout.bytes > limit) {
    return error(ErrorCode::kLimitExceeded,
                 "the model needs {} bytes for its activations, more than the limit of {}",
                 layout.bytes, limit);
  }
  return {};
}

void set_unfollowed(Plan& plan, std::string what) {
  if (plan.unfollowed.empty()) plan.unfollowed = std::move(what);
}

// Threads of steps as somebody chose them.
void choose_threads(const PlanChoices& chosen, Program& program) {
  for (Step& step : program.steps) {
    const LayerChoice* layer = step.op_indices.empty() ? nullptr : chosen.layer(step.op_indices[0]);
    if (layer != nullptr && layer->threads > 0) step.threads = layer->threads;
  }
}

}  // namespace

Result<Plan> make_plan(const Graph& graph, const Target& target,
                       std::span<const KernelDesc> catalog, const PlanOptions& options) {
  PJ_TRY(check_plannable(graph));
  Plan plan;
  plan.program.inputs = bind_io(graph, graph.inputs);
  plan.program.outputs = bind_io(graph, graph.outputs);

  const BufferMap map = map_buffers(graph);
  const PlanChoices* chosen = options.chosen ? &*options.chosen : nullptr;
  LowerContext context{graph,   target,
                       catalog, [&](TensorId id) { return map.buffer[static_cast<size_t>(id)]; },
                       plan,    chosen};
  plan.program.steps.reserve(graph.ops.size() + map.copies.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    if (map.view_op[i]) continue;
    const auto index = static_cast<int32_t>(i);
    Step step;
    step.prepared = i < options.prepared_ops.size() && options.prepared_ops[i] &&
                    (options.prepared_before_tuned || !has_tuned_kernel(context, index));
    if (Status s = lower(context, index, step); !s)
      return in_context(describe(graph, index), s.error());
    if (const LayerChoice* layer = context.chosen_for(index);
        layer != nullptr && layer->kernel >= 0 && step.members[0].kernel != layer->kernel)
      set_unfollowed(plan, "a kernel that does not fit " + describe(graph, index));
    plan.program.steps.push_back(std::move(step));
  }
  for (const BufferMap::Copy& copy : map.copies) {
    Step step;
    step.name = graph.tensor(copy.from).name.str();
    step.op = "copy";
    step.threads = 1;
    step.members.push_back(copy_nest(context, copy.from, {Space::kOutput, copy.output, 0}));
    plan.program.steps.push_back(std::move(step));
  }
  share_like_producers(catalog, plan.program);
  if (chosen != nullptr) choose_threads(*chosen, plan.program);
  if (options.bands && !form_bands(graph, target, catalog, plan.program,
                                   chosen != nullptr ? &chosen->bands : nullptr))
    set_unfollowed(plan, "bands of other operators");
  PJ_TRY(assign_arena(graph, plan.program, options.max_arena_bytes));
  return plan;
}

}  // namespace pj
