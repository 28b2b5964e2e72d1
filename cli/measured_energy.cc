#include "cli/measured_energy.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "runtime/base/clock.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

class SessionBench final : public Bench {
 public:
  SessionBench(Session& session, LiveMeter& meter) : session_(session), meter_(meter) {}

  size_t steps() const override { return session_.program().steps.size(); }
  void prepare(size_t step) override { keep(session_.run_steps(0, step)); }
  void run(size_t step, int64_t repetitions) override {
    for (int64_t i = 0; i < repetitions; ++i) keep(session_.run_steps(step, step + 1));
  }
  void run_all(int64_t repetitions) override {
    for (int64_t i = 0; i < repetitions; ++i) keep(session_.run());
  }
  void idle(int64_t ns) override { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }
  int64_t now_ns() override { return pj::now_ns(); }
  Result<double> joules() override { return meter_.joules(); }

  const Status& status() const { return status_; }

 private:
  void keep(const Status& status) {
    if (status_ && !status) status_ = status;
  }

  Session& session_;
  LiveMeter& meter_;
  Status status_;  // the first failure of a step
};

}  // namespace

Result<Attribution> measure_steps(Session& session, LiveMeter& meter,
                                  const AttributionOptions& options) {
  SessionBench bench(session, meter);
  auto result = attribute(bench, meter.meter(), options);
  if (result) PJ_TRY(bench.status());
  return result;
}

double expected_seconds(const LiveMeter& meter, size_t steps, const AttributionOptions& options) {
  const std::vector<double> step_ns(steps, 0);
  const AttributionPlan plan = plan_attribution(meter.meter(), {step_ns, {}, 0, 0}, options);
  return static_cast<double>(std::max(plan.expected_ns, options.budget_ns)) * 1e-9;
}

Result<IdlePolicy> idle_policy_by_name(const std::string& name) {
  for (const IdlePolicy policy : {IdlePolicy::kGross, IdlePolicy::kDynamic, IdlePolicy::kMarginal})
    if (name == name_of(policy)) return policy;
  return error(ErrorCode::kInvalidArgument, "no idle policy '{}': gross, dynamic or marginal",
               name);
}

}  // namespace pj::cli
