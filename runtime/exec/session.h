// Session: one user's run of a model, with its own activations and threads.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/base/aligned.h"
#include "runtime/exec/model.h"
#include "runtime/exec/nest.h"
#include "runtime/exec/thread_pool.h"
#include "runtime/profile/profile.h"

namespace pj {

// A step whose weights are at other addresses, see Session::copy_weights().
using WeightCopy = std::vector<BoundNest>;

struct SessionOptions {
  int threads = 1;
  // With ModelOptions::prepared always a pthreadpool, the only one that prepared operators can use.
  PoolKind pool_kind = PoolKind::kBuiltin;
  // The caller's own pool, used instead if set. Outlives the session.
  ThreadPool* pool = nullptr;
};

// Not thread-safe: a session belongs to one thread at a time. Sessions of one model are independent
// and share its weights.
class Session {
 public:
  // An unknown first dimension, the batch, starts as 1. If an input has other unknown dimensions,
  // the session starts unprepared: resize_input() until none is unknown. Errors: those of
  // Model::compile and make_pool, kOutOfMemory.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<Model> model,
                                                 const SessionOptions& options = {});

  size_t input_count() const { return model_->graph().inputs.size(); }
  size_t output_count() const { return model_->graph().outputs.size(); }
  // Name, type, quantisation; shapes are those of this session.
  const Tensor& input(size_t i) const;
  const Tensor& output(size_t i) const;

  // Memory of an input or output: the session's own, or what was bound. Empty while unprepared.
  // Inputs keep their values from run to run.
  std::span<std::byte> input_data(size_t i);
  std::span<const std::byte> output_data(size_t i) const;
  // Uses the caller's memory instead, from the next run on. Errors: kInvalidArgument if its size is
  // not that of the tensor, kWrongState while unprepared; those of prepared ops.
  Status bind_input(size_t i, std::span<std::byte> memory);
  Status bind_output(size_t i, std::span<std::byte> memory);

  // Gives an input another shape; all inputs' values, outputs and bindings are lost. On an error
  // the session stays as it was. With several unknown inputs, prepared only after the last one.
  Status resize_input(size_t i, const Shape& shape);
  // The same for all inputs at once, for inputs whose shapes must agree: one shape for each.
  Status resize_inputs(std::span<const Shape> shapes);
  bool prepared() const { return compiled_ != nullptr; }

  // One inference. Allocates nothing. Errors: kWrongState while unprepared; those of prepared ops
  // and of Model::check_file().
  Status run();
  // The same, adding the time of each step to `profile`, which reset_profile() sized.
  Status run(Profile& profile);
  Profile make_profile() const;
  // Runs and calls observe(context, step) after each step, when its outputs are as it left them.
  using Observer = void (*)(void* context, size_t step);
  Status run(Observer observe, void* context);
  // Steps [first, last) alone, for measuring. The steps before `first` have just run, or these same
  // steps: then what they read is still in place. Errors: as run().
  Status run_steps(size_t first, size_t last);
  // For measuring a step the way whole inferences find it, whose other steps drive its weights out
  // of the caches: repetitions take copies of them in turn. `memory` is aligned to a cache line, has
  // weight_bytes(step) and outlives the copy, which holds until an input is resized or memory is
  // bound. Errors: kWrongState while unprepared.
  Result<WeightCopy> copy_weights(size_t step, std::span<std::byte> memory);
  // 0 if it has none, or if another library keeps them.
  size_t weight_bytes(size_t step) const;
  // run_steps(step, step + 1) with such a copy.
  Status run_step(size_t step, WeightCopy& weights);

  const Model& model() const { return *model_; }
  // Of the current shapes; requires prepared().
  const CompiledModel& compiled() const { return *compiled_; }
  const Program& program() const { return compiled_->plan.program; }
  // Where the `output`-th result of a step's last member is; valid after that step has run.
  std::span<const std::byte> step_output(size_t step, size_t output) const;
  int threads() const { return pool_->threads(); }

 private:
  struct BoundStep {
    std::vector<BoundNest> members;  // of the step; of a band those of slot 0, of slot 1, ...
    std::unique_ptr<PreparedOp> prepared;
    int slots = 1;               // threads to use
    bool last_parallel = false;  // no later step uses more than one thread
    std::vector<PreparedInput> prepared_in;
  };
  Session() = default;
  Status prepare(std::span<const Shape> shapes);
  Status check_replacement(size_t i, const Shape& shape) const;
  Status bind_operands();
  bool readable_beyond(const BufferRef& ref) const;
  std::byte* address(const BufferRef& ref, int slot);
  // The constant behind an operand; empty if it is none.
  std::span<const std::byte> constant(const BufferRef& ref) const;
  void bind_members(const Step& step, BoundStep& bound);
  void run_band_slot(size_t index, int slot);
  void run_members(const BoundStep& step);
  void assign_threads();
  Status run_step(size_t index);

  std::shared_ptr<Model> model_;
  std::vector<Shape> input_shapes_;
  std::shared_ptr<const CompiledModel> compiled_;
  std::unique_ptr<ThreadPool> own_pool_;
  ThreadPool* pool_ = nullptr;
  AlignedBuffer arena_;
  std::vector<AlignedBuffer> input_memory_, output_memory_;
  std::vector<std::span<std::byte>> inputs_, outputs_;
  std::vector<BoundStep> steps_;
  bool has_prepared_ = false;
  std::vector<Workspace> workspaces_;  // one a thread
  bool bound_ = false;                 // operands' addresses are up to date
};

}  // namespace pj
