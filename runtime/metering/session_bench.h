// A model's steps as what a counter measures.
#pragma once

#include <functional>
#include <vector>

#include "runtime/energy/attribution.h"
#include "runtime/energy/meter.h"
#include "runtime/exec/session.h"

namespace pj::energy {

// A step is repeated on what the steps before it left. By itself it finds its weights in the cache
// that holds its operands; in a whole inference in the one that holds all that the inference
// touches. Where that is a farther one, repetitions in context take copies of the weights in turn:
// of as many bytes as an inference touches, or of twice the last cache where that is memory.
class SessionBench final : public Bench {
 public:
  // The session has run and outlives the bench; `joules` reads the counter.
  SessionBench(Session& session, std::function<Result<double>()> joules);

  size_t steps() const override { return session_.program().steps.size(); }
  void prepare(size_t step) override;
  void run(size_t step, int64_t repetitions) override;
  void run_all(int64_t repetitions) override;
  bool colder_in_context(size_t step) const override;
  void prepare_in_context(size_t step) override;
  void run_in_context(size_t step, int64_t extra, int64_t inferences) override;
  void idle(int64_t ns) override;
  int64_t now_ns() override;
  Result<double> joules() override { return joules_(); }

  // How many copies of its weights a step in context needs.
  int64_t copies_of(size_t step) const;
  // The first failure of a step or for lack of memory.
  const Status& status() const { return status_; }

 private:
  void keep(const Status& status) {
    if (status_ && !status) status_ = status;
  }
  int64_t last_cache() const;

  Session& session_;
  std::function<Result<double>()> joules_;
  std::vector<int64_t> operand_bytes_, weight_bytes_;  // one a step
  int64_t inference_bytes_ = 0;                        // that an inference touches
  AlignedBuffer memory_;                               // of all copies of the step at hand
  std::vector<WeightCopy> copies_;
  size_t next_copy_ = 0;
  Status status_;
};

// Joules of the session's steps, measured. Errors: those of attribute() and of the steps.
Result<Attribution> measure_steps(Session& session, LiveMeter& meter,
                                  const AttributionOptions& options);

// Seconds that measuring takes, about: the budget, or what a slow meter needs for so many steps.
double expected_seconds(const LiveMeter& meter, size_t steps, const AttributionOptions& options);

}  // namespace pj::energy
