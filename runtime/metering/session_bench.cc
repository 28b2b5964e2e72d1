#include "runtime/metering/session_bench.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/metering/step_amounts.h"

namespace pj::energy {
namespace {

// Of what a step touches, at least so much has to be weights for copies of them to matter.
constexpr double kWeightShare = 0.1;

}  // namespace

SessionBench::SessionBench(Session& session, std::function<Result<double>()> joules)
    : session_(session), joules_(std::move(joules)) {
  const Program& program = session.program();
  inference_bytes_ = program.arena_bytes;
  for (size_t i = 0; i < steps(); ++i) {
    weight_bytes_.push_back(static_cast<int64_t>(session.weight_bytes(i)));
    operand_bytes_.push_back(operand_bytes(session.compiled().graph, program.steps[i]));
    inference_bytes_ += weight_bytes_.back();
  }
  for (const auto* bindings : {&program.inputs, &program.outputs})
    for (const IoBinding& binding : *bindings) inference_bytes_ += binding.bytes;
}

int64_t SessionBench::last_cache() const {
  const Target& target = session_.model().options().target;
  return std::max(target.l2_bytes, target.l3_bytes);
}

bool SessionBench::colder_in_context(size_t step) const {
  const Target& target = session_.model().options().target;
  // The memory that holds so many bytes: how many caches they are too large for.
  const auto memory_for = [&](int64_t bytes) {
    int memory = 0;
    for (int64_t cache : {target.l1_bytes, target.l2_bytes, last_cache()})
      memory += bytes > cache ? 1 : 0;
    return memory;
  };
  const auto weights = static_cast<double>(weight_bytes_[step]);
  return weights > kWeightShare * static_cast<double>(operand_bytes_[step]) &&
         memory_for(inference_bytes_) > memory_for(operand_bytes_[step]);
}

int64_t SessionBench::copies_of(size_t step) const {
  const int64_t bytes = inference_bytes_ > last_cache() ? 2 * last_cache() + 1 : inference_bytes_;
  return std::max<int64_t>(1, ceil_div(bytes, std::max<int64_t>(weight_bytes_[step], 1)));
}

void SessionBench::prepare_in_context(size_t step) {
  copies_.clear();
  next_copy_ = 0;
  const auto size = static_cast<size_t>(weight_bytes_[step]);
  const auto count = static_cast<size_t>(copies_of(step));
  if (memory_.size() < size * count) {
    memory_ = AlignedBuffer(size * count);
    if (memory_.size() == 0)
      return keep(error(ErrorCode::kOutOfMemory, "no memory for {} copies of {} bytes of weights",
                        count, size));
  }
  for (size_t i = 0; i < count; ++i) {
    Result<WeightCopy> copy = session_.copy_weights(step, memory_.bytes().subspan(i * size, size));
    if (!copy) return keep(tl::unexpected(copy.error()));
    copies_.push_back(std::move(*copy));
  }
}

void SessionBench::run_in_context(size_t step, int64_t extra, int64_t inferences) {
  if (copies_.empty()) return;
  for (int64_t n = 0; n < inferences; ++n) {
    keep(session_.run_steps(0, step + 1));
    for (int64_t i = 0; i < extra; ++i) {
      keep(session_.run_step(step, copies_[next_copy_]));
      next_copy_ = (next_copy_ + 1) % copies_.size();
    }
    keep(session_.run_steps(step + 1, steps()));
  }
}

void SessionBench::prepare(size_t step) { keep(session_.run_steps(0, step)); }

void SessionBench::run(size_t step, int64_t repetitions) {
  for (int64_t i = 0; i < repetitions; ++i) keep(session_.run_steps(step, step + 1));
}

void SessionBench::run_all(int64_t repetitions) {
  for (int64_t i = 0; i < repetitions; ++i) keep(session_.run());
}

void SessionBench::idle(int64_t ns) { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }

int64_t SessionBench::now_ns() { return pj::now_ns(); }

Result<Attribution> measure_steps(Session& session, LiveMeter& meter,
                                  const AttributionOptions& options) {
  SessionBench bench(session, [&] { return meter.joules(); });
  auto result = attribute(bench, meter.meter(), options);
  if (result) PJ_TRY(bench.status());
  return result;
}

double expected_seconds(const LiveMeter& meter, size_t steps, const AttributionOptions& options) {
  const std::vector<double> step_ns(steps, 0);
  const AttributionPlan plan = plan_attribution(meter.meter(), {step_ns, {}, 0, 0, 0}, options);
  return static_cast<double>(std::max(plan.expected_ns, options.budget_ns)) * 1e-9;
}

}  // namespace pj::energy
