#include "runtime/energy/attribution.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "runtime/energy/drift.h"

namespace pj::energy {
namespace {

constexpr int kRounds[] = {24, 20, 16, 12, 8};  // preferred first
constexpr double kWindowError = 0.01;

// Repetitions that fill `window_ns`.
int64_t repetitions_for(double window_ns, double step_ns) {
  return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(window_ns / std::max(step_ns, 1.0))));
}

// How long a round is.
struct RoundTime {
  const BenchTimes& times;
  double edges_ns;  // beside each window
  size_t contexts;  // steps that are measured in context

  // A step's share of a window in context: as long as the inference around it at least, since what
  // that scatters is in the difference.
  double context_ns(double window_ns) const { return std::max(window_ns, times.whole_ns); }
  double with_windows_of(double window_ns) const {
    double sum = times.extra_ns + 2 * (window_ns + edges_ns);  // spinning and resting
    for (double ns : times.step_ns) sum += std::max(ns, window_ns) + edges_ns;
    sum += static_cast<double>(contexts) *
           (times.context_extra_ns + times.whole_ns + context_ns(window_ns) + edges_ns);
    return sum + std::max(times.whole_ns, window_ns) + edges_ns;
  }
};

// What an inference takes beyond its steps by themselves is the colder ones', as far as is known.
double colder_factor(const BenchTimes& times) {
  const double sum = std::accumulate(times.step_ns.begin(), times.step_ns.end(), 0.0);
  double colder = 0;
  for (size_t i : times.colder) colder += times.step_ns[i];
  return colder > 0 ? std::max(1.0, 1 + (times.whole_ns - sum) / colder) : 1;
}

// Joules of one run, a row for each item and a value in it for each round.
class Rounds {
 public:
  Rounds(Bench& bench, const Meter& meter, const AttributionPlan& plan, IdlePolicy policy)
      : bench_(bench), meter_(meter), plan_(plan), policy_(policy) {
    for (size_t i = 0; i < bench.steps(); ++i) {
      add({WorkKind::kStep, i, plan.repetitions[i]});
      if (plan.context_repetitions[i] > 0)
        add({WorkKind::kContext, i, plan.context_repetitions[i]});
    }
    add({WorkKind::kWhole, 0, 1, plan.inferences});
  }

  Status run() {
    const double begin = now();
    for (int r = 0; r < plan_.rounds; ++r) PJ_TRY(run_round(r % 2 == 1));
    conclude(begin, now());
    return {};
  }
  // Nothing that was not measured.
  std::optional<Energy> energy(WorkKind kind, size_t step = 0) const {
    for (const Item& item : items_)
      if (item.work.kind == kind && item.work.step == step) return mean(item.joules);
    return std::nullopt;
  }
  Energy residual() const { return mean(residual_); }
  double seconds(size_t step) const {
    for (const Item& item : items_)
      if (item.work.kind == WorkKind::kStep && item.work.step == step)
        return item.seconds / plan_.rounds;
    return 0;
  }

 private:
  struct Item {
    Work work;
    Series windows;              // joules of one run; in context of all that the window did
    std::vector<double> joules;  // of one run, without the drift, as residuals are
    double seconds = 0;          // of one run, summed over the rounds
  };

  void add(const Work& work) { items_.push_back({work, {}, {}}); }
  double now() { return static_cast<double>(bench_.now_ns()) * 1e-9; }
  Energy mean(const std::vector<double>& joules) const {
    return mean_of(joules, meter_.gain_error, drift_degrees_).energy(policy_);
  }

  Status run_round(bool backwards) {
    PJ_ASSIGN(spin_watts_, baseline_watts(WorkKind::kSpin));
    double baseline = policy_ == IdlePolicy::kMarginal ? spin_watts_ : 0;
    if (policy_ == IdlePolicy::kDynamic) {
      PJ_ASSIGN(baseline, baseline_watts(WorkKind::kIdle));
    }
    for (size_t i = 0; i < items_.size(); ++i)
      PJ_TRY(measure(items_[backwards ? items_.size() - 1 - i : i], baseline));
    return {};
  }

  // Windows in context less an inference are the repetitions; the whole less all steps is what they
  // do not explain.
  void conclude(double begin, double end) {
    std::vector<Series> series;
    for (const Item& item : items_) series.push_back(item.windows);
    const CommonDrift drift(series, begin, end);
    drift_degrees_ = drift.degrees();
    for (Item& item : items_) item.joules = drift.removed_from(item.windows);
    const std::vector<double>& whole = items_.back().joules;
    residual_ = whole;
    for (size_t i = 0; i + 1 < items_.size(); ++i) {
      Item& item = items_[i];
      // Of a step measured in both ways, the second counts.
      const bool counts = items_[i + 1].work.kind != WorkKind::kContext;
      for (size_t r = 0; r < whole.size(); ++r) {
        if (item.work.kind == WorkKind::kContext)
          item.joules[r] = (item.joules[r] - whole[r]) / static_cast<double>(item.work.repetitions);
        if (counts) residual_[r] -= item.joules[r];
      }
    }
  }

  Result<double> baseline_watts(WorkKind kind) {
    Work work;
    work.kind = kind;
    work.ns = plan_.baseline_ns;
    PJ_ASSIGN(const WindowReading w, read_window(bench_, meter_, plan_.edges, work));
    if (kind == WorkKind::kSpin) return w.joules / (w.work_seconds + w.spin_seconds);
    return (w.joules - spin_watts_ * w.spin_seconds) / w.work_seconds;
  }

  Status measure(Item& item, double baseline_watts) {
    const Work& work = item.work;
    PJ_ASSIGN(const WindowReading w, read_window(bench_, meter_, plan_.edges, work));
    const double joules = w.joules - spin_watts_ * w.spin_seconds - baseline_watts * w.work_seconds;
    const double runs = work.kind == WorkKind::kStep ? static_cast<double>(work.repetitions)
                                                     : static_cast<double>(work.inferences);
    item.seconds += w.work_seconds / runs;
    item.windows.values.push_back(joules / runs);
    item.windows.times.push_back(now() - w.spin_seconds - w.work_seconds / 2);
    return {};
  }

  Bench& bench_;
  const Meter& meter_;
  const AttributionPlan& plan_;
  IdlePolicy policy_;
  double spin_watts_ = 0, drift_degrees_ = 0;
  std::vector<Item> items_;  // in the order of a round; the whole is the last one
  std::vector<double> residual_;
};

}  // namespace

AttributionPlan plan_attribution(const Meter& meter, const BenchTimes& times,
                                 const AttributionOptions& options) {
  const WindowRule rule = window_rule(meter, kWindowError);
  // Half a period before the window and one and a half after it, on average.
  // Sampled meters work a little before it.
  const double edges_ns = rule.edges ? 2.1 * static_cast<double>(meter.update_period_ns)
                                     : static_cast<double>(lead_in_ns(meter));
  RoundTime round{times, edges_ns, 0};
  AttributionPlan plan;
  plan.edges = rule.edges;
  auto window = static_cast<double>(rule.length_ns);
  const auto fits = [&](double window_ns) {
    return round.with_windows_of(window_ns) * plan.rounds <= static_cast<double>(options.budget_ns);
  };
  // The least rounds for steps in context rather than more of them for fewer steps.
  plan.rounds = *std::rbegin(kRounds);
  for (; round.contexts < times.colder.size() && fits(window); ++round.contexts) {
  }
  if (!fits(window) && round.contexts > 0) --round.contexts;
  for (int rounds : kRounds) {
    plan.rounds = rounds;
    if (fits(window)) break;
  }
  // What time is left makes the windows longer.
  for (double longer = window * 1.05; fits(longer); longer *= 1.05) window = longer;
  for (double ns : times.step_ns) plan.repetitions.push_back(repetitions_for(window, ns));
  std::vector<size_t> longest(times.colder.begin(), times.colder.end());
  std::stable_sort(longest.begin(), longest.end(),
                   [&](size_t a, size_t b) { return times.step_ns[a] > times.step_ns[b]; });
  plan.context_repetitions.resize(times.step_ns.size());
  for (size_t i = 0; i < round.contexts; ++i)
    plan.context_repetitions[longest[i]] =
        repetitions_for(round.context_ns(window), times.step_ns[longest[i]] * colder_factor(times));
  plan.inferences = repetitions_for(window, times.whole_ns);
  plan.baseline_ns = static_cast<int64_t>(window);
  plan.expected_ns = static_cast<int64_t>(round.with_windows_of(window)) * plan.rounds;
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
    step_ns.push_back(time_work(bench, [&](int64_t n) { bench.run(i, n); }));
  }
  std::vector<size_t> colder;
  for (size_t i = 0; i < bench.steps(); ++i)
    if (options.in_context && bench.colder_in_context(i)) colder.push_back(i);
  const int64_t unprepared = bench.now_ns();
  if (!colder.empty()) bench.prepare_in_context(colder.front());
  const auto context_ns = static_cast<double>(bench.now_ns() - unprepared);
  const double whole_ns = time_work(bench, [&](int64_t n) { bench.run_all(n); });
  AttributionOptions rest = options;
  rest.budget_ns -= bench.now_ns() - begin;
  const BenchTimes times{step_ns, colder, whole_ns, static_cast<double>(preparing_ns), context_ns};
  const AttributionPlan plan = plan_attribution(meter, times, rest);
  const int64_t first_round = bench.now_ns();
  Rounds rounds(bench, meter, plan, options.policy);
  PJ_TRY(rounds.run());
  Attribution result{plan,
                     bench.now_ns() - first_round,
                     {},
                     {},
                     {},
                     *rounds.energy(WorkKind::kWhole),
                     rounds.residual()};
  for (size_t i = 0; i < bench.steps(); ++i) {
    const std::optional<Energy> in_context = rounds.energy(WorkKind::kContext, i);
    const Energy repeated = *rounds.energy(WorkKind::kStep, i);
    result.steps.push_back(in_context ? *in_context : repeated);
    result.repeated.push_back(in_context ? std::optional(repeated) : std::nullopt);
    result.step_seconds.push_back(rounds.seconds(i));
  }
  return result;
}

}  // namespace pj::energy
