// Several plans of one model as what a counter measures, and as what an energy model computes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/energy/model.h"
#include "runtime/energy/window.h"
#include "runtime/exec/session.h"

namespace pj::energy {

// A way to run the model, and its times in seconds.
struct MeteredPlan {
  std::unique_ptr<Session> session;  // that has run
  std::vector<double> runs;          // whole ones
  std::vector<double> steps;         // the fastest of each

  // What 95 of 100 runs keep; the fastest.
  double latency() const;
  double fastest() const;
};

// Runs all plans in turn, forwards and backwards, for about `budget_ns`, and fills their times in.
// Errors: those of the sessions.
Status time_plans(std::vector<MeteredPlan>& plans, int64_t budget_ns);

// What a run does, or a period of `period` seconds that begins with it, the machine resting after
// it; 0: no period.
Terms plan_amounts(const MeteredPlan& plan, double period);

// The plans as steps. A run of one waits until its period is over, as a program would that is
// given its inputs at a fixed rate: whether it pays to hurry and then rest is in the joules.
class PlanBench final : public Bench {
 public:
  // All outlive the bench.
  PlanBench(std::vector<MeteredPlan>& plans, double period, std::function<Result<double>()> joules)
      : plans_(plans), period_ns_(static_cast<int64_t>(period * 1e9)), joules_(std::move(joules)) {}

  size_t steps() const override { return plans_.size(); }
  void prepare(size_t step) override { run_once(step); }
  void run(size_t step, int64_t repetitions) override;
  void run_all(int64_t repetitions) override;
  void idle(int64_t ns) override;
  int64_t now_ns() override;
  Result<double> joules() override { return joules_(); }

  const Status& status() const { return status_; }

 private:
  void run_once(size_t step);

  std::vector<MeteredPlan>& plans_;
  int64_t period_ns_;
  std::function<Result<double>()> joules_;
  Status status_;  // the first failure
};

}  // namespace pj::energy
