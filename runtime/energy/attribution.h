// Joules per step of a model, with intervals.
//
// Steps are measured in rounds, each of them once a round, forwards and backwards in turn
// (A B C C B A), so that a machine that warms up treats all alike. Rounds repeat until the time is
// used; what they scatter around the drift that all share is the interval. Every round also spins,
// rests and runs the whole model: the first two are what the idle policy subtracts, the last shows
// what the steps do not explain.
//
// Repeating a step by itself warms its weights. Where the bench says that whole inferences find
// them colder, and there is time, the step is measured in context too: inferences with many more
// runs of it in its place, less inferences without.
#pragma once

#include <optional>
#include <vector>

#include "runtime/energy/energy.h"
#include "runtime/energy/window.h"

namespace pj::energy {

struct AttributionOptions {
  int64_t budget_ns = 5'000'000'000;  // kept unless the counter is too slow for the least rounds
  IdlePolicy policy = IdlePolicy::kGross;
  bool in_context = true;  // false: all steps by themselves alone
};

// Repetitions of a window and number of rounds that suit counter, steps and time.
struct AttributionPlan {
  bool edges = true;
  int rounds = 0;  // even
  std::vector<int64_t> repetitions;
  // Runs of a step beyond those of an inference, in context; 0: it is not measured so.
  std::vector<int64_t> context_repetitions;
  int64_t inferences = 1;
  int64_t baseline_ns = 0;  // of spinning, and of resting
  int64_t expected_ns = 0;  // of everything
};
// What is known before.
struct BenchTimes {
  std::span<const double> step_ns;  // of one run of each step by itself
  std::span<const size_t> colder;  // steps to be measured in context; the longest, if time is short
  double whole_ns = 0;             // of an inference
  double extra_ns = 0;             // of a round, beyond its windows
  double context_extra_ns = 0;     // beside each window in context
};
AttributionPlan plan_attribution(const Meter& meter, const BenchTimes& times,
                                 const AttributionOptions& options);

// Measured joules of one run, on average over the time of measuring.
struct Attribution {
  AttributionPlan plan;
  int64_t measuring_ns = 0;                     // from the first round to the last
  std::vector<Energy> steps;                    // in context where they were measured so
  std::vector<std::optional<Energy>> repeated;  // those steps by themselves
  std::vector<double> step_seconds;             // of one repetition by itself
  Energy whole;                                 // one inference
  Energy residual;  // whole less all steps; its interval tells whether something is missing
};

// Runs every step a few times to learn its duration, plans and measures. Errors: those of
// read_window.
Result<Attribution> attribute(Bench& bench, const Meter& meter, const AttributionOptions& options);

}  // namespace pj::energy
