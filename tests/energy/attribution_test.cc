// Attribution against a machine whose joules are known. All figures here are of a simulation.
#include "runtime/energy/attribution.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "runtime/energy/comparison.h"
#include "runtime/energy/drift.h"
#include "tests/energy/figures.h"
#include "tests/energy/simulated_bench.h"

namespace pj::energy {
namespace {

constexpr int kTrials = 1000;
constexpr Meter kMeter{};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<long>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Ten steps from 20 us to 20 ms, each of another power.
SimulatedMachine ladder() {
  SimulatedMachine machine;
  for (int i = 0; i < 10; ++i)
    machine.steps.push_back({20e-6 * std::pow(1000.0, i / 9.0), 3 + (i * 7) % 10 * 0.5});
  return machine;
}

// What a reader gets who reads before and after one run.
double naive_joules(SimulatedBench& bench, size_t step) {
  const double before = *bench.joules();
  bench.prepare(step);
  bench.run(step, 1);
  return *bench.joules() - before;
}

struct Errors {
  std::vector<double> relative, absolute, naive;
  int covered = 0;

  void add(const Figures& f, double truth, double naive_value) {
    relative.push_back(f.joules / truth - 1);
    absolute.push_back(std::abs(f.joules / truth - 1));
    naive.push_back(std::abs(naive_value / truth - 1));
    covered += f.low <= truth && truth <= f.high ? 1 : 0;
  }
  double bias() const {
    double sum = 0;
    for (double r : relative) sum += r;
    return sum / static_cast<double>(relative.size());
  }
  double coverage() const { return covered / static_cast<double>(relative.size()); }
};

struct Coverage {
  double least, most;
};

// `trials` measurements of the ladder, each figure within the bounds that users are promised;
// `coverage` is of each step, which chance keeps from being that of all. Returns the mean time that
// one took, in seconds.
double expect_right(const SimulatedMachine& machine, const Meter& meter, int trials,
                    Coverage coverage) {
  std::vector<Errors> errors(machine.steps.size());
  double seconds = 0;
  for (int trial = 0; trial < trials; ++trial) {
    SimulatedBench bench(machine, static_cast<unsigned>(trial));
    const Result<Attribution> result = attribute(bench, meter, {});
    EXPECT_TRUE(result) << result.error().message;
    if (!result) return 0;
    seconds += bench.seconds() / trials;
    const double warmth = bench.mean_warmth(result->measuring_ns);
    for (size_t i = 0; i < errors.size(); ++i) {
      const double truth = machine.steps[i].watts * machine.steps[i].seconds * warmth;
      errors[i].add(figures(result->steps[i]), truth, naive_joules(bench, i));
    }
  }
  fmt::print("simulated   bias  median error  coverage  naive median error  ({:.1f} s)\n", seconds);
  for (size_t i = 0; i < errors.size(); ++i) {
    const Errors& e = errors[i];
    fmt::print("{:6.0f} us {:+5.2f} %  {:9.2f} %  {:6.1f} %  {:16.1f} %\n",
               machine.steps[i].seconds * 1e6, e.bias() * 100, median(e.absolute) * 100,
               e.coverage() * 100, median(e.naive) * 100);
    EXPECT_LE(std::abs(e.bias()), 0.02) << i;
    EXPECT_LE(median(e.absolute), 0.05) << i;
    EXPECT_GE(e.coverage(), coverage.least) << i;
    EXPECT_LE(e.coverage(), coverage.most) << i;
  }
  double covered = 0;
  for (const Errors& e : errors) covered += e.coverage() / static_cast<double>(errors.size());
  fmt::print("all steps: coverage {:.1f} %\n", covered * 100);
  EXPECT_GE(covered, 0.93);
  EXPECT_LE(covered, 0.97);
  // The reader that this replaces: useless below the counter's period.
  EXPECT_GE(median(errors[0].naive), 0.5);
  return seconds;
}

TEST(Attribution, IsRightWithinItsIntervals) {
  EXPECT_LE(expect_right(ladder(), kMeter, kTrials, {0.93, 0.97}), 5.1);
}

// INA3221 of a Jetson (three channels of 2.2 ms), and a monitor that averages for 10 ms.
// PJ_TRIALS is the number of trials, 200 if it is not set.
TEST(Attribution, IsRightWithASampledMeterGivenMoreTime) {
  const char* const given = std::getenv("PJ_TRIALS");
  const int trials = given != nullptr ? std::atoi(given) : 200;
  for (const int64_t period_ns : {6'600'000, 10'000'000}) {
    SimulatedMachine machine = ladder();
    machine.sampled = true;
    machine.update_period = static_cast<double>(period_ns) * 1e-9;
    machine.quantum = 0.04;         // watts
    machine.read_seconds = 200e-6;  // over I2C
    machine.warm_up_seconds = 20;
    const double seconds =
        expect_right(machine, {CounterKind::kSampled, period_ns, 0}, trials, {0.90, 0.99});
    EXPECT_LE(seconds, 8 * 13.5 * 100 * machine.update_period);
  }
}

TEST(Attribution, HoldsWithAWorseCounter) {
  SimulatedMachine machine = ladder();
  machine.lag = 900e-6;
  machine.lag_jitter = 150e-6;
  machine.quantum = 1e-3;
  machine.noise = 3e-3;
  Errors errors;
  for (int trial = 0; trial < 100; ++trial) {
    SimulatedBench bench(machine, static_cast<unsigned>(trial));
    const Result<Attribution> result = attribute(bench, kMeter, {});
    ASSERT_TRUE(result) << result.error().message;
    const double warmth = bench.mean_warmth(result->measuring_ns);
    for (size_t i = 0; i < machine.steps.size(); ++i)
      errors.add(figures(result->steps[i]),
                 machine.steps[i].watts * machine.steps[i].seconds * warmth, 0);
  }
  EXPECT_LE(std::abs(errors.bias()), 0.02);
  EXPECT_LE(median(errors.absolute), 0.05);
  EXPECT_GE(errors.coverage(), 0.93);
  EXPECT_LE(errors.coverage(), 0.97);
}

TEST(Attribution, ShowsWhatTheStepsDoNotExplain) {
  SimulatedMachine machine = ladder();
  SimulatedBench complete(machine, 1);
  const Result<Attribution> none = attribute(complete, kMeter, {});
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->residual.excludes_zero()) << none->residual.text();
  machine.whole_extra_joules = 10e-3;
  SimulatedBench missing(machine, 1);
  const Result<Attribution> some = attribute(missing, kMeter, {});
  ASSERT_TRUE(some);
  EXPECT_TRUE(some->residual.excludes_zero()) << some->residual.text();
  EXPECT_NEAR(figures(some->residual).joules, 10e-3 * missing.mean_warmth(some->measuring_ns),
              3e-3);
}

// Three steps whose weights other layers drive out of the caches: by themselves they need 30 %
// less.
TEST(Attribution, MeasuresInContextWhatRepetitionWouldWarm) {
  SimulatedMachine machine = ladder();
  const size_t cold[] = {2, 6, 8};
  for (size_t i : cold) machine.steps[i].colder = 1 / 0.7;
  Errors errors;
  int unexplained = 0;
  for (int trial = 0; trial < 200; ++trial) {
    SimulatedBench bench(machine, static_cast<unsigned>(trial));
    const Result<Attribution> result = attribute(bench, kMeter, {});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_LE(bench.seconds(), 5.2);
    const double warmth = bench.mean_warmth(result->measuring_ns);
    for (size_t i : cold) {
      const double warm = machine.steps[i].watts * machine.steps[i].seconds * warmth;
      errors.add(figures(result->steps[i]), warm / 0.7, 0);
      ASSERT_TRUE(result->repeated[i]);
      EXPECT_NEAR(figures(*result->repeated[i]).joules, warm, warm * 0.02);
    }
    EXPECT_FALSE(result->repeated[0]);
    unexplained += result->residual.excludes_zero() ? 1 : 0;
  }
  fmt::print("simulated, in context: bias {:+.2f} %, median error {:.2f} %, coverage {:.1f} %\n",
             errors.bias() * 100, median(errors.absolute) * 100, errors.coverage() * 100);
  EXPECT_LE(std::abs(errors.bias()), 0.02);
  EXPECT_LE(median(errors.absolute), 0.05);
  EXPECT_GE(errors.coverage(), 0.93);
  EXPECT_LE(errors.coverage(), 0.99);
  EXPECT_LE(unexplained, 200 * 10 / 100);
  // By themselves alone, what they need more in context is in the residual.
  SimulatedBench bench(machine, 1);
  AttributionOptions options;
  options.in_context = false;
  const Result<Attribution> repeated = attribute(bench, kMeter, options);
  ASSERT_TRUE(repeated);
  EXPECT_TRUE(repeated->residual.excludes_zero()) << repeated->residual.text();
}

TEST(AttributionPlan, MeasuresTheLongestStepsInContextIfThereIsNotTimeForAll) {
  const double step_ns[] = {20e3, 40e6, 30e6, 1e6};
  const size_t colder[] = {0, 1, 2, 3};
  const BenchTimes times{step_ns, colder, 75e6, 0, 0};
  AttributionOptions options;
  options.budget_ns = 4'500'000'000;
  const AttributionPlan some = plan_attribution(kMeter, times, options);
  EXPECT_EQ(some.context_repetitions[0], 0);
  EXPECT_EQ(some.context_repetitions[3], 0);
  EXPECT_GE(some.context_repetitions[1], 2);
  EXPECT_GE(some.context_repetitions[2], 3);
  EXPECT_LE(some.expected_ns, options.budget_ns);
  options.budget_ns *= 4;
  const AttributionPlan all = plan_attribution(kMeter, times, options);
  for (int64_t repetitions : all.context_repetitions) EXPECT_GT(repetitions, 0);
  // Sampled meters need more time than that for steps by themselves.
  const Meter sampled{CounterKind::kSampled, 6'600'000, 0};
  for (int64_t repetitions : plan_attribution(sampled, times, {}).context_repetitions)
    EXPECT_EQ(repetitions, 0);
}

TEST(Attribution, KeepsItsTimeWherePreparingTakesLong) {
  SimulatedMachine machine = ladder();
  machine.prepare_seconds = 10e-3;
  SimulatedBench bench(machine, 1);
  ASSERT_TRUE(attribute(bench, kMeter, {}));
  EXPECT_LE(bench.seconds(), 5.2);
  EXPECT_EQ(bench.unprepared_runs, 0);
}

TEST(Attribution, SubtractsWhatTheIdlePolicySays) {
  const SimulatedMachine machine = ladder();
  for (const auto& [policy, watts] :
       {std::pair(IdlePolicy::kGross, 0.0), std::pair(IdlePolicy::kDynamic, machine.idle_watts),
        std::pair(IdlePolicy::kMarginal, machine.spin_watts)}) {
    SimulatedBench bench(machine, 3);
    AttributionOptions options;
    options.policy = policy;
    const Result<Attribution> result = attribute(bench, kMeter, options);
    ASSERT_TRUE(result);
    const double warmth = bench.mean_warmth(result->measuring_ns);
    for (size_t i = 0; i < machine.steps.size(); ++i) {
      const SimulatedStep& s = machine.steps[i];
      const LabelledFigures f = labelled(result->steps[i]);
      EXPECT_NEAR(f.joules, (s.watts - watts) * s.seconds * warmth, s.watts * s.seconds * 0.03);
      EXPECT_EQ(f.policy, name_of(policy));
    }
  }
}

TEST(Attribution, TheSensorsErrorIsInTheInterval) {
  const double values[] = {10, 10.01, 9.99, 10, 10.01, 9.99};
  EXPECT_LT(mean_of(values, 0).half_width, 0.05);
  EXPECT_NEAR(mean_of(values, 0.02).half_width, 1.96 * 0.02 * 10, 0.01);
}

// Two things in turn, forwards and backwards, while the machine warms up by `warm_up`.
std::vector<Series> warming(double warm_up) {
  std::vector<Series> series(2);
  for (int i = 0; i < 24; ++i) {
    const size_t which = i / 2 % 2 == 0 ? i % 2 : 1 - i % 2;
    const double time = 5 + i * 0.1;
    series[which].times.push_back(time);
    series[which].values.push_back((which == 0 ? 3 : 70) *
                                   (1 - warm_up * std::exp(-(time - 5) / 0.7)));
  }
  return series;
}

TEST(CommonDrift, ADriftIsNoScatter) {
  const std::vector<Series> series = warming(0.06);
  const CommonDrift drift(series, 4.95, 7.35);
  double mean = 0;
  for (double t = 4.955; t < 7.35; t += 0.01) mean += drift.at(t) / 240;
  EXPECT_NEAR(mean, 1, 1e-4);
  EXPECT_LT(drift.at(5), drift.at(7));
  const double warmth = 1 - 0.06 * 0.7 / 2.4 * (std::exp(0.05 / 0.7) - std::exp(-2.35 / 0.7));
  for (const auto& [which, value] : {std::pair(0, 3.0), std::pair(1, 70.0)}) {
    const Mean m = mean_of(drift.removed_from(series[static_cast<size_t>(which)]), 0);
    EXPECT_NEAR(m.value, value * warmth, value * 3e-4);
    EXPECT_LT(m.half_width, value * 1e-3);
  }
}

TEST(CommonDrift, WhatSaysNothingIsLeftOut) {
  std::vector<Series> series = warming(0.06);
  for (size_t i = 0; i < 12; ++i) series[0].values[i] = i % 2 == 0 ? 1 : 5;
  series[1].values[3] = -1;
  const CommonDrift none(series, 4.95, 7.35);
  EXPECT_EQ(none.at(5), 1);
  EXPECT_EQ(none.at(7), 1);
}

TEST(Attribution, AStoppedCounterIsAnError) {
  SimulatedMachine machine = ladder();
  machine.stopped = true;
  SimulatedBench bench(machine, 1);
  const Result<Attribution> result = attribute(bench, kMeter, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("did not move"));
}

TEST(AttributionPlan, SuitsTheCounter) {
  EXPECT_TRUE(window_rule(kMeter, 0.01).edges);
  const Meter slow{CounterKind::kAccumulating, 100'000'000, 0};
  EXPECT_FALSE(window_rule(slow, 0.01).edges);
  EXPECT_NEAR(static_cast<double>(window_rule(slow, 0.01).length_ns), 1e8 / (2.4495 * 0.01), 1e5);
  const Meter sampled{CounterKind::kSampled, 6'600'000, 0};
  EXPECT_FALSE(window_rule(sampled, 0.01).edges);
  EXPECT_EQ(window_rule(sampled, 0.01).length_ns, 660'000'000);

  const double step_ns[] = {20e3, 1e6, 20e6};
  const BenchTimes times{step_ns, {}, 22e6, 0, 0};
  const AttributionPlan plan = plan_attribution(kMeter, times, {});
  EXPECT_EQ(plan.rounds % 2, 0);
  EXPECT_GT(plan.repetitions[0], plan.repetitions[1]);
  EXPECT_LE(plan.expected_ns, 5'000'000'000);
  EXPECT_GE(plan.expected_ns, 4'000'000'000);
  EXPECT_GT(plan_attribution(sampled, times, {}).expected_ns, 5'000'000'000);
}

// Share of trials in which a variant that needs `difference` more is told from the other.
double share_decided(double difference, Comparison::Verdict verdict) {
  int decided = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    SimulatedMachine machine;
    machine.steps = {{2e-3, 4}, {2e-3, 4 * (1 + difference)}};
    SimulatedBench bench(machine, static_cast<unsigned>(trial));
    const Result<Comparison> result = compare(bench, kMeter, 0, 1, 2'000'000'000);
    EXPECT_TRUE(result);
    decided += result && result->verdict() == verdict ? 1 : 0;
  }
  return static_cast<double>(decided) / kTrials;
}

TEST(Comparison, FindsTwoPercentUnderDriftAndNothingWhereNothingIs) {
  const double found = share_decided(0.02, Comparison::Verdict::kFirstNeedsLess);
  const double undecided = share_decided(0, Comparison::Verdict::kUndecided);
  fmt::print("simulated: 2 % found in {:.1f} % of trials, 0 % called a difference in {:.1f} %\n",
             found * 100, (1 - undecided) * 100);
  EXPECT_GE(found, 0.9);
  EXPECT_GE(undecided, 0.95);
}

Energy measured(double joules, double half_width) {
  return {joules, joules - half_width, joules + half_width, EnergySource::kMeasured,
          IdlePolicy::kGross};
}

TEST(Comparison, OfTwoEnergiesNeedsAnIntervalWithoutZero) {
  using Verdict = Comparison::Verdict;
  EXPECT_EQ(compare(measured(1.05, 0.01), measured(1, 0.01))->verdict(), Verdict::kSecondNeedsLess);
  EXPECT_EQ(compare(measured(1.01, 0.01), measured(1, 0.01))->verdict(), Verdict::kUndecided);
  // Looked at together with many others, the same difference proves less.
  EXPECT_EQ(compare(measured(1.02, 0.01), measured(1, 0.01))->verdict(), Verdict::kSecondNeedsLess);
  EXPECT_EQ(compare(measured(1.02, 0.01), measured(1, 0.01), 50)->verdict(), Verdict::kUndecided);
  EXPECT_FALSE(compare(measured(1, 0.1), measured(1, 1.5)));
  EXPECT_FALSE(compare(measured(1, 0.1), {1, 1, 1, EnergySource::kPrior, IdlePolicy::kGross}));
  EXPECT_FALSE(compare(measured(1, 0.1), {1, 1, 1, EnergySource::kMeasured, IdlePolicy::kDynamic}));
}

// Two runs of a model that did not change, each with errors that its intervals state.
TEST(Comparison, OfTwoEnergiesSeldomErrs) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 0.01);
  int wrong = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    const auto c =
        compare(measured(1 + noise(random), 0.0196), measured(1 + noise(random), 0.0196));
    wrong += c->verdict() != Comparison::Verdict::kUndecided ? 1 : 0;
  }
  EXPECT_LE(wrong, 2000 * 7 / 100);
  EXPECT_GE(wrong, 2000 * 3 / 100);
}

}  // namespace
}  // namespace pj::energy
