#include "runtime/energy/attribution.h"

#include <algorithm>
#include <cmath>

#include "runtime/energy/drift.h"

namespace pj::energy {
namespace {

constexpr int kRounds[] = {24, 20, 16, 12, 8};  // preferred first; a drift takes three of them
constexpr double kWindowError = 0.01;

// Repetitions that fill `window_ns`.
int64_t repetitions_for(double window_ns, double step_ns) {
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(window_ns / std::max(step_ns, 1.0))));
}

// Duration of a round whose windows are at least `window_ns` long.
double round_ns(std::span<const double> step_ns, double whole_ns, double window_ns, double edges_ns,
                double extra_ns) {
  double sum = extra_ns + 2 * (window_ns + edges_ns);  // spinning and resting
  for (double ns : step_ns) sum += std::max(ns, window_ns) + edges_ns;
  return sum + std::max(whole_ns, window_ns) + edges_ns;
}

// Joules per repetition, one row a round: the steps, then the whole, then the residual.
class Rounds {
 public:
  Rounds(Bench& bench, const Meter& meter, const AttributionPlan& plan, IdlePolicy policy)
      : bench_(bench),
        meter_(meter),
        plan_(plan),
        policy_(policy),
        series_(bench.steps() + 2),
        seconds_(bench.steps() + 1) {}

  Status run() {
    for (int r = 0; r < plan_.rounds; ++r) PJ_TRY(run_round(r % 2 == 1));
    return {};
  }
  Energy energy(size_t item) const {
    return drift_free_mean(series_[item], meter_.gain_error).energy(policy_);
  }
  double seconds(size_t item) const { return seconds_[item] / plan_.rounds; }
  size_t whole() const { return bench_.steps(); }
  size_t residual() const { return bench_.steps() + 1; }

 private:
  Status run_round(bool backwards) {
    PJ_ASSIGN(spin_watts_, baseline_watts(WorkKind::kSpin));
    double baseline = policy_ == IdlePolicy::kMarginal ? spin_watts_ : 0;
    if (policy_ == IdlePolicy::kDynamic) {
      PJ_ASSIGN(baseline, baseline_watts(WorkKind::kIdle));
    }
    double steps = 0;
    const size_t items = bench_.steps() + 1;
    for (size_t i = 0; i < items; ++i) {
      const size_t item = backwards ? items - 1 - i : i;
      PJ_ASSIGN(const double joules, measure(item, baseline));
      series_[item].push_back(joules);
      if (item != whole()) steps += joules;
    }
    series_[residual()].push_back(series_[whole()].back() - steps);
    return {};
  }

  Result<double> baseline_watts(WorkKind kind) {
    Work work;
    work.kind = kind;
    work.ns = plan_.baseline_ns;
    PJ_ASSIGN(const WindowReading w, read_window(bench_, meter_, plan_.edges, work));
    if (kind == WorkKind::kSpin) return w.joules / (w.work_seconds + w.spin_seconds);
    return (w.joules - spin_watts_ * w.spin_seconds) / w.work_seconds;
  }

  Result<double> measure(size_t item, double baseline_watts) {
    Work work;
    work.kind = item == whole() ? WorkKind::kWhole : WorkKind::kStep;
    work.step = item;
    work.repetitions = item == whole() ? plan_.whole_repetitions : plan_.repetitions[item];
    PJ_ASSIGN(const WindowReading w, read_window(bench_, meter_, plan_.edges, work));
    const double joules = w.joules - spin_watts_ * w.spin_seconds - baseline_watts * w.work_seconds;
    const auto repetitions = static_cast<double>(work.repetitions);
    seconds_[item] += w.work_seconds / repetitions;
    return joules / repetitions;
  }

  Bench& bench_;
  const Meter& meter_;
  const AttributionPlan& plan_;
  IdlePolicy policy_;
  double spin_watts_ = 0;
  std::vector<std::vector<double>> series_;
  std::vector<double> seconds_;  // of one repetition, summed over the rounds
};

}  // namespace

AttributionPlan plan_attribution(const Meter& meter, std::span<const double> step_ns,
                                 double round_extra_ns, const AttributionOptions& options) {
  const WindowRule rule = window_rule(meter, kWindowError);
  // Half a period before the window and one and a half after it, on average.
  // Sampled meters work a little before it.
  const double edges_ns = rule.edges ? 2.1 * static_cast<double>(meter.update_period_ns)
                                     : static_cast<double>(lead_in_ns(meter));
  double whole_ns = 0;
  for (double ns : step_ns) whole_ns += ns;
  AttributionPlan plan;
  plan.edges = rule.edges;
  auto window = static_cast<double>(rule.length_ns);
  for (int rounds : kRounds) {
    plan.rounds = rounds;
    if (round_ns(step_ns, whole_ns, window, edges_ns, round_extra_ns) * rounds <=
        static_cast<double>(options.budget_ns))
      break;
  }
  // What time is left makes the windows longer.
  for (double longer = window * 1.05;
       round_ns(step_ns, whole_ns, longer, edges_ns, round_extra_ns) * plan.rounds <=
       static_cast<double>(options.budget_ns);
       longer *= 1.05)
    window = longer;
  for (double ns : step_ns) plan.repetitions.push_back(repetitions_for(window, ns));
  plan.whole_repetitions = repetitions_for(window, whole_ns);
  plan.baseline_ns = static_cast<int64_t>(window);
  plan.expected_ns =
      static_cast<int64_t>(round_ns(step_ns, whole_ns, window, edges_ns, round_extra_ns)) *
      plan.rounds;
  return plan;
}

Result<Attribution> attribute(Bench& bench, const Meter& meter, const AttributionOptions& options) {
  std::vector<double> step_ns;
  int64_t preparing_ns = 0;
  const int64_t begin = bench.now_ns();
  for (size_t i = 0; i < bench.steps(); ++i) {
    const int64_t unprepared = bench.now_ns();
    bench.prepare(i);
    preparing_ns += bench.now_ns() - unprepared;
    step_ns.push_back(time_step(bench, i));
  }
  AttributionOptions rest = options;
  rest.budget_ns -= bench.now_ns() - begin;
  const AttributionPlan plan =
      plan_attribution(meter, step_ns, static_cast<double>(preparing_ns), rest);
  const int64_t first_round = bench.now_ns();
  Rounds rounds(bench, meter, plan, options.policy);
  PJ_TRY(rounds.run());
  Attribution result{plan, bench.now_ns() - first_round,  {},
                     {},   rounds.energy(rounds.whole()), rounds.energy(rounds.residual())};
  for (size_t i = 0; i < bench.steps(); ++i) {
    result.steps.push_back(rounds.energy(i));
    result.step_seconds.push_back(rounds.seconds(i));
  }
  return result;
}

}  // namespace pj::energy
