#include "runtime/energy/comparison.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/energy/attribution.h"
#include "runtime/energy/statistics.h"

namespace pj::energy {
namespace {

constexpr double kConfidence = 0.98;

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
    step_ns.push_back(time_step(bench, step));
  }
  // A block has two windows of each variant and one of spinning: about a round of four items.
  AttributionOptions options;
  options.budget_ns = budget_ns - (bench.now_ns() - begin);
  const AttributionPlan plan = plan_attribution(meter, step_ns, 0, options);
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

}  // namespace pj::energy
