#include "runtime/energy/comparison.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/energy/attribution.h"
#include "runtime/energy/figures.h"
#include "runtime/energy/statistics.h"

namespace pj::energy {
namespace {

constexpr double kConfidence = 0.98;
constexpr double kDegrees = 5;  // of freedom, behind an interval of the fewest rounds

Result<double> spin_power(Bench& bench, const Meter& meter, const AttributionPlan& plan) {
  Work work;
  work.kind = WorkKind::kSpin;
  work.ns = plan.baseline_ns;
  PJ_ASSIGN(const WindowReading w, read_window(bench, meter, plan.edges, work));
  return w.joules / (w.work_seconds + w.spin_seconds);
}

}  // namespace

Result<Comparison> compare(Bench& bench, const Meter& meter, size_t a, size_t b,
                           int64_t budget_ns) {
  const int64_t begin = bench.now_ns();
  const size_t steps[2] = {a, b};
  std::vector<double> step_ns;
  for (size_t step : steps) {
    bench.prepare(step);
    step_ns.push_back(time_work(bench, [&](int64_t n) { bench.run(step, n); }));
  }
  // A block has two windows of each variant and one of spinning: about a round of four items.
  AttributionOptions options;
  options.budget_ns = budget_ns - (bench.now_ns() - begin);
  const AttributionPlan plan =
      plan_attribution(meter, {step_ns, {}, step_ns[0] + step_ns[1], 0, 0}, options);
  std::vector<double> ratios;
  for (int block = 0; block < plan.rounds; ++block) {
    PJ_ASSIGN(const double spin_watts, spin_power(bench, meter, plan));
    double sums[2] = {0, 0};
    for (size_t which : {0, 1, 1, 0}) {
      Work work;
      work.step = steps[which];
      work.repetitions = plan.repetitions[which];
      PJ_ASSIGN(const WindowReading w, read_window(bench, meter, plan.edges, work));
      sums[which] +=
          (w.joules - spin_watts * w.spin_seconds) / static_cast<double>(work.repetitions);
    }
    ratios.push_back((sums[0] - sums[1]) / sums[1]);
  }
  const auto n = static_cast<double>(ratios.size());
  double mean = 0, squares = 0;
  for (double r : ratios) mean += r / n;
  for (double r : ratios) squares += (r - mean) * (r - mean);
  const double half = student_t(n - 1, kConfidence) * std::sqrt(squares / (n - 1) / n);
  return Comparison{mean, mean - half, mean + half, kConfidence, plan.rounds};
}

std::optional<Comparison> compare(const Energy& a, const Energy& b, int families) {
  if (a.source() != b.source() || a.policy() != b.policy()) return std::nullopt;
  const Figures x = figures(a), y = figures(b);
  if (y.low <= 0) return std::nullopt;
  const double confidence = 1 - 0.05 / families;
  const double wider = student_t(kDegrees, confidence) / student_t(kDegrees, 0.95);
  const double relative = (x.joules - y.joules) / y.joules;
  // What the quotient x / y is off by if x and y are off by the ends of their intervals.
  const double ratio = x.joules / y.joules;
  const double down = std::hypot(x.joules - x.low, ratio * (y.high - y.joules)) / y.joules;
  const double up = std::hypot(x.high - x.joules, ratio * (y.joules - y.low)) / y.joules;
  return Comparison{relative, relative - down * wider, relative + up * wider, confidence, 0};
}

}  // namespace pj::energy
