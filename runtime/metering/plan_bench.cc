#include "runtime/metering/plan_bench.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/base/clock.h"
#include "runtime/metering/session_profile.h"
#include "runtime/metering/step_amounts.h"

namespace pj::energy {
namespace {

constexpr int kLeastRounds = 4;
constexpr int64_t kTurnNs = 2'000'000;  // of one plan in a round, at least one run

}  // namespace

double MeteredPlan::latency() const {
  std::vector<double> sorted = runs;
  std::sort(sorted.begin(), sorted.end());
  return sorted[(sorted.size() - 1) * 95 / 100];
}

double MeteredPlan::fastest() const { return *std::min_element(runs.begin(), runs.end()); }

Status time_plans(std::vector<MeteredPlan>& plans, int64_t budget_ns) {
  std::vector<Profile> profiles;
  for (MeteredPlan& plan : plans) {
    plan.runs.clear();
    PJ_TRY(plan.session->run());
    profiles.push_back(plan.session->make_profile());
  }
  const int64_t end = now_ns() + budget_ns;
  for (int round = 0; round < kLeastRounds || now_ns() < end; ++round) {
    for (size_t turn = 0; turn < plans.size(); ++turn) {
      const size_t i = round % 2 == 0 ? turn : plans.size() - 1 - turn;
      const int64_t turn_end = now_ns() + kTurnNs;
      do {
        const int64_t before = profiles[i].total_ns;
        PJ_TRY(plans[i].session->run(profiles[i]));
        plans[i].runs.push_back(static_cast<double>(profiles[i].total_ns - before) * 1e-9);
      } while (now_ns() < turn_end);
    }
  }
  for (size_t i = 0; i < plans.size(); ++i) plans[i].steps = step_seconds(profiles[i]);
  return {};
}

Terms plan_amounts(const MeteredPlan& plan, double period) {
  const std::vector<Traffic> traffic = session_traffic(*plan.session);
  Terms sum;
  for (size_t i = 0; i < traffic.size(); ++i) {
    const Terms step =
        step_amounts(*plan.session, plan.session->program().steps[i], plan.steps[i], traffic[i]);
    for (size_t t = 0; t < kTermCount; ++t) sum[t] += step[t];
  }
  sum[Term::kSeconds] = std::max(sum[Term::kSeconds], period);
  return sum;
}

void PlanBench::run_once(size_t step) {
  const Status done = plans_[step].session->run();
  if (status_ && !done) status_ = done;
}

void PlanBench::run(size_t step, int64_t repetitions) {
  for (; repetitions > 0; --repetitions) {
    const int64_t end = now_ns() + period_ns_;
    run_once(step);
    if (period_ns_ > 0) idle(end - now_ns());
  }
}

void PlanBench::run_all(int64_t repetitions) {
  for (; repetitions > 0; --repetitions)
    for (size_t step = 0; step < steps(); ++step) run(step, 1);
}

void PlanBench::idle(int64_t ns) {
  if (ns > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(ns));
}

int64_t PlanBench::now_ns() { return pj::now_ns(); }

}  // namespace pj::energy
