// Joules per step of a model, with intervals.
//
// Steps are measured in rounds, each of them once a round, forwards and backwards in turn
// (A B C C B A), so that a machine that warms up treats all alike. Rounds repeat until the time is
// used; what they scatter around a smooth drift is the interval. Every round also spins, rests and
// runs the whole model: the first two are what the idle policy subtracts, the last shows what the
// steps do not explain.
#pragma once

#include <vector>

#include "runtime/energy/energy.h"
#include "runtime/energy/window.h"

namespace pj::energy {

struct AttributionOptions {
  int64_t budget_ns = 5'000'000'000;  // kept unless the counter is too slow for the least rounds
  IdlePolicy policy = IdlePolicy::kGross;
};

// Repetitions of a window and number of rounds that suit counter, steps and time.
struct AttributionPlan {
  bool edges = true;
  int rounds = 0;  // even
  std::vector<int64_t> repetitions;
  int64_t whole_repetitions = 1;
  int64_t baseline_ns = 0;  // of spinning, and of resting
  int64_t expected_ns = 0;  // of everything
};
// `round_extra_ns`: what a round needs beyond its windows.
AttributionPlan plan_attribution(const Meter& meter, std::span<const double> step_ns,
                                 double round_extra_ns, const AttributionOptions& options);

// Measured joules of one repetition, on average over the time of measuring.
struct Attribution {
  AttributionPlan plan;
  int64_t measuring_ns = 0;  // from the first round to the last
  std::vector<Energy> steps;
  std::vector<double> step_seconds;  // of one repetition, in the same windows
  Energy whole;                      // one inference
  Energy residual;  // whole less all steps; its interval tells whether something is missing
};

// Runs every step a few times to learn its duration, plans and measures. Errors: those of
// read_window.
Result<Attribution> attribute(Bench& bench, const Meter& meter, const AttributionOptions& options);

}  // namespace pj::energy
