#include "runtime/exec/session.h"

#include <algorithm>
#include <atomic>

#include "kernels/registry.h"
#include "runtime/base/clock.h"
#include "runtime/base/ticks.h"

namespace pj {
namespace {

// A nest's parts. Each slot has a share of neighbours, the same in every step, so that a thread
// finds most of what it reads in its own cache: it wrote it in the step before. Who is done takes
// from the shares of others, in small runs; shares of one part are all that their slots do.
class SharedParts {
 public:
  SharedParts(const BoundNest& nest, std::vector<Workspace>& workspaces, int slots)
      : nest_(nest), workspaces_(workspaces), count_(std::min(slots, kMostShares)) {
    const int64_t parts = part_count(*nest.nest);
    single_ = parts == slots;
    if (single_) return;
    // About eight turns a slot even out differences without many atomic operations.
    run_ = std::max<int64_t>(1, parts / (slots * 8));
    for (int i = 0; i < count_; ++i) {
      shares_[i].next.store(parts * i / count_, std::memory_order_relaxed);
      shares_[i].end = parts * (i + 1) / count_;
    }
  }
  void work(int slot) {
    Workspace& ws = workspaces_[static_cast<size_t>(slot)];
    if (single_) return run_parts(nest_, slot, slot + 1, ws);
    for (int i = 0; i < count_; ++i) {
      Share& share = shares_[(slot + i) % count_];
      // To look is cheaper than to take: the line stays with the share's owner.
      if (i > 0 && share.next.load(std::memory_order_relaxed) >= share.end) continue;
      for (int64_t first; (first = share.next.fetch_add(run_)) < share.end;)
        run_parts(nest_, first, std::min(first + run_, share.end), ws);
    }
  }

 private:
  static constexpr int kMostShares = 16;
  struct alignas(kCacheLine) Share {
    std::atomic<int64_t> next;
    int64_t end;
  };
  const BoundNest& nest_;
  std::vector<Workspace>& workspaces_;
  int count_;
  bool single_ = false;
  int64_t run_ = 0;
  Share shares_[kMostShares];
};

// With room for readers of whole vectors; a tensor of no bytes gets none.
Result<AlignedBuffer> allocate(int64_t bytes, const char* what) {
  const size_t size = bytes > 0 ? static_cast<size_t>(bytes) + kReadSlack : 0;
  AlignedBuffer memory(size);
  if (memory.size() != size)
    return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of {}", bytes, what);
  return memory;
}

Result<std::vector<AlignedBuffer>> allocate(const std::vector<IoBinding>& bindings) {
  std::vector<AlignedBuffer> memory;
  for (const IoBinding& b : bindings) {
    PJ_ASSIGN(AlignedBuffer buffer, allocate(b.bytes, "inputs and outputs"));
    memory.push_back(std::move(buffer));
  }
  return memory;
}

// The tensors themselves in memory that allocate() gave.
std::vector<std::span<std::byte>> tensors_in(std::vector<AlignedBuffer>& memory,
                                             const std::vector<IoBinding>& bindings) {
  std::vector<std::span<std::byte>> tensors;
  for (size_t i = 0; i < memory.size(); ++i)
    tensors.push_back(memory[i].bytes().first(static_cast<size_t>(bindings[i].bytes)));
  return tensors;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<Model> model,
                                                 const SessionOptions& options) {
  std::unique_ptr<Session> s(new Session());
  s->model_ = std::move(model);
  s->pool_ = options.pool;
  if (s->pool_ == nullptr) {
    const bool prepared = s->model_->options().prepared != nullptr;
    const PoolKind kind = prepared ? PoolKind::kPthreadpool : options.pool_kind;
    PJ_ASSIGN(s->own_pool_, make_pool(kind, options.threads));
    s->pool_ = s->own_pool_.get();
  }
  const Graph& graph = s->model_->graph();
  for (TensorId id : graph.inputs)
    s->input_shapes_.push_back(default_shape(graph.tensor(id).shape));
  if (std::all_of(s->input_shapes_.begin(), s->input_shapes_.end(), is_static))
    PJ_TRY(s->prepare(s->input_shapes_));
  return s;
}

Status Session::prepare(std::span<const Shape> shapes) {
  // Everything is made aside and moved in at the end, so that an error changes nothing.
  PJ_ASSIGN(auto compiled, model_->compile(shapes));
  const Program& program = compiled->plan.program;
  PJ_ASSIGN(AlignedBuffer arena, allocate(program.arena_bytes, "activations"));
  PJ_ASSIGN(auto input_memory, allocate(program.inputs));
  PJ_ASSIGN(auto output_memory, allocate(program.outputs));
  std::vector<Workspace> workspaces(static_cast<size_t>(pool_->threads()));
  std::vector<BoundStep> steps;
  for (const Step& step : program.steps) {
    BoundStep& bound = steps.emplace_back();
    if (step.prepared) {
      const Op& op = compiled->graph.ops[static_cast<size_t>(step.op_indices[0])];
      PJ_ASSIGN(bound.prepared, model_->options().prepared->make(compiled->graph, op));
      bound.prepared_in.resize(step.members[0].in.size());
    }
    for (const LoopNest& nest : step.members)
      for (Workspace& ws : workspaces) ws.reserve(nest);
  }
  for (Workspace& ws : workspaces) {
    ws.reserve_rings(program.ring_bytes);
    if (!ws.allocate())
      return error(ErrorCode::kOutOfMemory, "no memory for kernels' scratch and rings");
  }

  input_shapes_.assign(shapes.begin(), shapes.end());
  compiled_ = std::move(compiled);
  arena_ = std::move(arena);
  input_memory_ = std::move(input_memory);
  output_memory_ = std::move(output_memory);
  workspaces_ = std::move(workspaces);
  steps_ = std::move(steps);
  inputs_ = tensors_in(input_memory_, compiled_->plan.program.inputs);
  outputs_ = tensors_in(output_memory_, compiled_->plan.program.outputs);
  assign_threads();
  for (size_t i = 0; i < steps_.size(); ++i) bind_members(this->program().steps[i], steps_[i]);
  return bind_operands();
}

// The nests that each thread works with: all share those of a layer; a band's rings are a thread's
// own.
void Session::bind_members(const Step& step, BoundStep& bound) {
  for (int slot = 0; slot < (step.band() ? bound.slots : 1); ++slot) {
    for (const LoopNest& nest : step.members) {
      const KernelFn kernel = step.prepared ? nullptr : kernel_function(nest.kernel);
      bound.members.push_back({.nest = &nest,
                               .kernel = kernel,
                               .in = std::vector<std::byte*>(nest.in.size()),
                               .out = std::vector<std::byte*>(nest.out.size())});
      if (kernel != nullptr && !step.band()) reserve_tile(bound.members.back());
    }
  }
}

void Session::assign_threads() {
  BoundStep* last_parallel = nullptr;
  has_prepared_ = false;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = program().steps[i];
    BoundStep& bound = steps_[i];
    if (step.prepared) {
      has_prepared_ = true;
      if (pool_->threads() > 1 && pool_->pthreadpool() != nullptr) last_parallel = &bound;
      continue;
    }
    // A band is shared by ranges of rows, each a step long at least: the rows that two ranges need
    // are computed by both.
    const int64_t parts = step.band() ? step.members.back().extent[kRow] / step.steps.rows
                                      : part_count(step.members.back());
    const int wanted = step.threads > 0 ? step.threads : pool_->threads();
    bound.slots =
        static_cast<int>(std::clamp<int64_t>(parts, 1, std::min(wanted, pool_->threads())));
    if (bound.slots > 1) last_parallel = &bound;
  }
  if (last_parallel != nullptr) last_parallel->last_parallel = true;
}

std::span<const std::byte> Session::constant(const BufferRef& ref) const {
  const auto i = static_cast<size_t>(ref.index);
  if (ref.space == Space::kConstant) return compiled_->graph.tensors[i].data.bytes;
  if (ref.space == Space::kPacked) return compiled_->packed[i].bytes;
  return {};
}

std::byte* Session::address(const BufferRef& ref, int slot) {
  const auto i = static_cast<size_t>(ref.index);
  // Constants are only ever read; operands share one pointer type with what is written.
  auto readable = [](std::span<const std::byte> bytes) {
    return const_cast<std::byte*>(bytes.data());
  };
  switch (ref.space) {
    case Space::kArena:
      return arena_.data() + ref.offset;
    case Space::kInput:
      return inputs_[i].data() + ref.offset;
    case Space::kOutput:
      return outputs_[i].data() + ref.offset;
    case Space::kConstant:
    case Space::kPacked:
      return readable(constant(ref)) + ref.offset;
    case Space::kRing:
      return workspaces_[static_cast<size_t>(slot)].rings() + ref.offset;
    case Space::kNone:
      break;
  }
  return nullptr;
}

bool Session::readable_beyond(const BufferRef& ref) const {
  const auto i = static_cast<size_t>(ref.index);
  switch (ref.space) {
    case Space::kArena:
      return true;
    case Space::kInput:
      return inputs_[i].data() == input_memory_[i].data();
    case Space::kOutput:
      return outputs_[i].data() == output_memory_[i].data();
    default:
      return false;
  }
}

Status Session::bind_operands() {
  bound_ = false;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const size_t count = program().steps[s].members.size();
    for (size_t m = 0; m < steps_[s].members.size(); ++m) {
      BoundNest& b = steps_[s].members[m];
      const auto slot = static_cast<int>(m / count);
      for (size_t i = 0; i < b.in.size(); ++i) b.in[i] = address(b.nest->in[i].buffer, slot);
      for (size_t i = 0; i < b.out.size(); ++i) b.out[i] = address(b.nest->out[i].buffer, slot);
      bind_tile(b, workspaces_[static_cast<size_t>(slot)]);
    }
    BoundStep& step = steps_[s];
    if (step.prepared == nullptr) continue;
    const BoundNest& b = step.members[0];
    for (size_t i = 0; i < b.in.size(); ++i)
      step.prepared_in[i] = {b.in[i], readable_beyond(b.nest->in[i].buffer)};
    PJ_TRY(step.prepared->bind(step.prepared_in, b.out, *pool_));
  }
  bound_ = true;
  return {};
}

const Tensor& Session::input(size_t i) const {
  const Graph& graph = compiled_ ? compiled_->graph : model_->graph();
  return graph.tensor(graph.inputs[i]);
}

const Tensor& Session::output(size_t i) const {
  const Graph& graph = compiled_ ? compiled_->graph : model_->graph();
  return graph.tensor(graph.outputs[i]);
}

std::span<std::byte> Session::input_data(size_t i) {
  return prepared() ? inputs_[i] : std::span<std::byte>{};
}

std::span<const std::byte> Session::output_data(size_t i) const {
  return prepared() ? outputs_[i] : std::span<const std::byte>{};
}

namespace {

Status check_binding(const char* what, const Tensor& t, size_t needed, size_t given) {
  if (needed == given) return {};
  return error(ErrorCode::kInvalidArgument, "{} '{}' has {} bytes ({} of {}), {} were given", what,
               t.name, needed, to_string(t.shape), name_of(t.dtype), given);
}

Status not_prepared() {
  return error(ErrorCode::kWrongState,
               "an input's shape has unknown dimensions: set it before running");
}

}  // namespace

Status Session::bind_input(size_t i, std::span<std::byte> memory) {
  if (!prepared()) return not_prepared();
  PJ_TRY(check_binding("input", input(i), inputs_[i].size(), memory.size()));
  inputs_[i] = memory;
  bound_ = false;
  // Prepared operators may allocate for it, which run() must not.
  return has_prepared_ ? bind_operands() : Status{};
}

Status Session::bind_output(size_t i, std::span<std::byte> memory) {
  if (!prepared()) return not_prepared();
  PJ_TRY(check_binding("output", output(i), outputs_[i].size(), memory.size()));
  outputs_[i] = memory;
  bound_ = false;
  return has_prepared_ ? bind_operands() : Status{};
}

Status Session::check_replacement(size_t i, const Shape& shape) const {
  const Tensor& declared = model_->graph().tensor(model_->graph().inputs[i]);
  if (is_static(shape) && shape.rank() == declared.shape.rank()) return {};
  return error(ErrorCode::kInvalidArgument, "input '{}' is {}: {} cannot replace it", declared.name,
               to_string(declared.shape), to_string(shape));
}

Status Session::resize_input(size_t i, const Shape& shape) {
  PJ_TRY(check_replacement(i, shape));
  std::vector<Shape> shapes = input_shapes_;
  shapes[i] = shape;
  if (!std::all_of(shapes.begin(), shapes.end(), is_static)) {
    input_shapes_ = std::move(shapes);
    return {};
  }
  return prepare(shapes);
}

Status Session::resize_inputs(std::span<const Shape> shapes) {
  if (shapes.size() != input_count()) {
    return error(ErrorCode::kInvalidArgument, "the model has {} inputs, {} shapes were given",
                 input_count(), shapes.size());
  }
  for (size_t i = 0; i < shapes.size(); ++i) PJ_TRY(check_replacement(i, shapes[i]));
  return prepare(shapes);
}

// The slot's share of a band: a range of rows of its last member.
void Session::run_band_slot(size_t index, int slot) {
  const Step& step = program().steps[index];
  const BoundStep& bound = steps_[index];
  const size_t count = step.members.size();
  const int64_t rows = step.members.back().extent[kRow];
  run_band({bound.members.data() + static_cast<size_t>(slot) * count, count}, step.steps,
           static_cast<int32_t>(rows * slot / bound.slots),
           static_cast<int32_t>(rows * (slot + 1) / bound.slots),
           workspaces_[static_cast<size_t>(slot)]);
}

void Session::run_members(const BoundStep& step) {
  for (const BoundNest& nest : step.members) {
    if (step.slots <= 1) {
      run_whole(nest, workspaces_[0]);
      continue;
    }
    SharedParts shared(nest, workspaces_, step.slots);
    pool_->run(
        step.slots, [](void* s, int slot) { static_cast<SharedParts*>(s)->work(slot); }, &shared,
        step.last_parallel && &nest == &step.members.back());
  }
}

Status Session::run_step(size_t index) {
  const Step& step = program().steps[index];
  BoundStep& bound = steps_[index];
  if (step.prepared) {
    PJ_TRY(bound.prepared->run(*pool_));
    // Others' parallel regions do not say that they are the last one: an empty one that does.
    if (bound.last_parallel)
      pool_->run(
          pool_->threads(), [](void*, int) {}, nullptr, true);
    return {};
  }
  if (!step.band()) {
    run_members(bound);
    return {};
  }
  struct Shared {
    Session& session;
    size_t index;
  } shared{*this, index};
  auto work = [](void* s, int slot) {
    auto& [session, i] = *static_cast<Shared*>(s);
    session.run_band_slot(i, slot);
  };
  if (bound.slots <= 1) {
    work(&shared, 0);
  } else {
    pool_->run(bound.slots, work, &shared, bound.last_parallel);
  }
  return {};
}

Status Session::run() { return run_steps(0, steps_.size()); }

Status Session::run_steps(size_t first, size_t last) {
  if (!prepared()) return not_prepared();
  if (!bound_) PJ_TRY(bind_operands());
  for (size_t i = first; i < last; ++i) PJ_TRY(run_step(i));
  return model_->check_file();
}

Profile Session::make_profile() const {
  Profile p;
  if (prepared()) p.steps.resize(steps_.size());
  return p;
}

Status Session::run(Profile& profile) {
  if (!prepared()) return not_prepared();
  if (!bound_) PJ_TRY(bind_operands());
  const int64_t start = now_ns(), first = ticks();
  int64_t before = first;
  for (size_t i = 0; i < steps_.size(); ++i) {
    PJ_TRY(run_step(i));
    const int64_t after = ticks();
    profile.steps[i].ticks = after - before;
    before = after;
  }
  const int64_t total = now_ns() - start;
  // What a tick is: the time was read around all of them.
  const double ns_per_tick =
      before > first ? static_cast<double>(total) / static_cast<double>(before - first) : 0;
  for (StepTime& step : profile.steps) {
    const auto ns = static_cast<int64_t>(static_cast<double>(step.ticks) * ns_per_tick);
    step.ns += ns;
    step.min_ns = std::min(step.min_ns, ns);
  }
  profile.total_ns += total;
  profile.min_total_ns = std::min(profile.min_total_ns, total);
  ++profile.runs;
  return model_->check_file();
}

Status Session::run(Observer observe, void* context) {
  if (!prepared()) return not_prepared();
  if (!bound_) PJ_TRY(bind_operands());
  for (size_t i = 0; i < steps_.size(); ++i) {
    PJ_TRY(run_step(i));
    observe(context, i);
  }
  return model_->check_file();
}

std::span<const std::byte> Session::step_output(size_t step, size_t output) const {
  const BoundNest& nest = steps_[step].members.back();
  return {nest.out[output], static_cast<size_t>(nest.nest->out[output].bytes)};
}

}  // namespace pj
