// From readings to energy with an interval, in the foreground and in the background.
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <random>
#include <thread>
#include <type_traits>

#include "runtime/base/clock.h"
#include "runtime/energy/counters/sampler.h"
#include "runtime/energy/meter.h"
#include "runtime/energy/statistics.h"
#include "tests/energy/boards.h"
#include "tests/energy/figures.h"

namespace pj::energy {
namespace {

using ::testing::HasSubstr;

CounterInfo meter(CounterKind kind, int64_t period_ns) {
  CounterInfo info;
  info.kind = kind;
  info.update_period_ns = period_ns;
  return info;
}

Reading at(double seconds, double value) { return {static_cast<int64_t>(seconds * 1e9), value}; }

static_assert(!std::is_convertible_v<Energy, double> && !std::is_constructible_v<Energy, double>);
static_assert(!fmt::is_formattable<Energy>::value);

TEST(EnergyText, SaysAllThatBelongsToAFigure) {
  const Energy e(1.234e-3, 1.2e-3, 1.3e-3, EnergySource::kPrior, IdlePolicy::kDynamic);
  EXPECT_EQ(e.text(), "1.234 mJ [1.2, 1.3] prior, dynamic");
  EXPECT_EQ(e.watts_text(0.001), "1.234 W [1.2, 1.3] prior, dynamic");
  EXPECT_EQ(Energy(0, 0, 0, EnergySource::kMeasured, IdlePolicy::kGross).text(),
            "0 J [0, 0] measured, gross");
}

TEST(EnergyText, ASumIsAsGoodAsItsWorstPart) {
  const Energy a(1, 0.5, 2, EnergySource::kMeasured, IdlePolicy::kGross);
  const Energy b(2, 1, 3, EnergySource::kCalibrated, IdlePolicy::kGross);
  EXPECT_EQ((a + b).text(), "3 J [1.5, 5] calibrated, gross");
  EXPECT_EQ(a.scaled(2).text(), "2 J [1, 4] measured, gross");
}

TEST(Statistics, StudentT) {
  // Published tables.
  EXPECT_NEAR(student_t(1, 0.95), 12.706, 2e-3);
  EXPECT_NEAR(student_t(5, 0.95), 2.571, 1e-3);
  EXPECT_NEAR(student_t(10, 0.99), 3.169, 1e-3);
  EXPECT_NEAR(student_t(1000, 0.95), 1.962, 1e-3);
  EXPECT_NEAR(student_t(6.5, 0.95), 2.402, 2e-3);  // between 2.447 of 6 and 2.365 of 7
}

TEST(Integrator, AccumulatedEnergyWithItsInterval) {
  const CounterInfo info = meter(CounterKind::kAccumulating, 1'000'000);
  Integrator integrator(info);
  for (int i = 0; i <= 10; ++i) integrator.add(at(i * 0.01, i * 0.1));
  const Usage usage = integrator.usage();
  ASSERT_TRUE(usage.energy) << usage.problem;
  const LabelledFigures f = labelled(*usage.energy);
  EXPECT_NEAR(f.joules, 1.0, 1e-12);
  EXPECT_NEAR(f.high - f.low, 2 * 0.776 * 0.001 * 10, 1e-9);
  EXPECT_EQ(f.source, "measured");
}

TEST(Integrator, ACounterThatStopsGivesNoFigure) {
  const CounterInfo info = meter(CounterKind::kAccumulating, 1'000'000);
  Integrator integrator(info);
  for (int i = 0; i <= 40; ++i) integrator.add(at(i * 0.1, std::min(i, 20)));
  EXPECT_FALSE(integrator.usage().energy);
  EXPECT_THAT(integrator.usage().problem, HasSubstr("did not move for 2 s"));
}

TEST(Integrator, TooShortForTheCounter) {
  const CounterInfo info = meter(CounterKind::kAccumulating, 1'000'000);
  Integrator integrator(info);
  integrator.add(at(0, 0));
  integrator.add(at(0.0015, 0.1));
  EXPECT_THAT(integrator.usage().problem, HasSubstr("too short"));
  const CounterInfo rail = meter(CounterKind::kSampled, 6'600'000);
  Integrator samples(rail);
  for (int i = 0; i < 9; ++i) samples.add(at(i * 0.0066, 1));
  EXPECT_THAT(samples.usage().problem, HasSubstr("at least 10 samples"));
}

TEST(Integrator, ContradictionsAreFatalAndFewFailuresAreNot) {
  const CounterInfo info = meter(CounterKind::kAccumulating, 1'000'000);
  Integrator integrator(info);
  for (int i = 0; i <= 20; ++i) integrator.add(at(i * 0.1, i));
  integrator.add(error(ErrorCode::kFileUnreadable, "no data"));
  EXPECT_TRUE(integrator.usage().energy);
  EXPECT_EQ(integrator.usage().note, "1 of 22 readings failed");
  integrator.add(error(ErrorCode::kWrongState, "it jumped"));
  EXPECT_EQ(integrator.usage().problem, "it jumped");
  EXPECT_FALSE(integrator.usage().energy);
}

TEST(Integrator, SamplesIntegrateWithoutTheFirstInBoundedMemory) {
  const CounterInfo info = meter(CounterKind::kSampled, 10'000'000);
  Integrator integrator(info);
  integrator.add(at(0, 1000));  // averages what was before
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 0.2);
  for (int i = 1; i <= 5000; ++i) integrator.add(at(i * 0.01, 4 + noise(random)));
  const LabelledFigures f = labelled(*integrator.usage().energy);
  EXPECT_NEAR(f.joules, 200, 0.3);
  EXPECT_LT(f.low, 200);
  EXPECT_GT(f.high, 200);
  EXPECT_LT(f.high - f.low, 1);
  EXPECT_EQ(f.source, "measured");
}

TEST(Integrator, WhatAFitSaysIsNotMeasured) {
  const FakeSystem system("pi5");
  const Counters counters = find_counters(system);
  for (const auto& [domain, source] :
       {std::pair("rails", "measured"), std::pair("board (fit)", "prior")}) {
    Integrator integrator(find(counters, "pmic", domain).info());
    for (int i = 0; i <= 20; ++i) integrator.add(at(i * 0.1, 3));
    EXPECT_EQ(labelled(*integrator.usage().energy).source, source) << domain;
  }
}

// A meter of 2 W that follows the real clock.
class SteadyMeter : public Counter {
 public:
  explicit SteadyMeter(CounterInfo info) : Counter(std::move(info)) {}
  Result<Reading> read() override {
    const int64_t now = system_.now_ns();
    const bool sampled = info().kind == CounterKind::kSampled;
    ++reads;
    return Reading{now, sampled ? 2 : 2 * static_cast<double>(now - start_) * 1e-9};
  }
  std::atomic<int> reads{0};

 private:
  HostSystem system_;
  int64_t start_ = system_.now_ns();
};

TEST(Sampler, ReadsEachCounterAtItsOwnPace) {
  SteadyMeter fast(meter(CounterKind::kSampled, 5'000'000));
  SteadyMeter slow(meter(CounterKind::kAccumulating, 1'000'000));
  Sampler sampler({&fast, &slow});
  sampler.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  const std::vector<Usage> usages = sampler.stop();
  for (const Usage& usage : usages) {
    ASSERT_TRUE(usage.energy) << usage.problem;
    EXPECT_NEAR(figures(*usage.energy).joules, 2 * usage.seconds, 1e-6);
  }
  EXPECT_GT(fast.reads, slow.reads);
  EXPECT_LE(slow.reads, 6);
}

TEST(LiveMeter, MakesEveryCounterAccumulate) {
  for (const CounterKind kind : {CounterKind::kSampled, CounterKind::kAccumulating}) {
    SteadyMeter counter(meter(kind, 5'000'000));
    LiveMeter live(counter);
    EXPECT_EQ(live.meter().kind, kind);
    EXPECT_EQ(live.meter().update_period_ns, 5'000'000);
    const int64_t begin = now_ns();
    const double before = *live.joules();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    const double joules = *live.joules() - before;
    const double seconds = static_cast<double>(now_ns() - begin) * 1e-9;
    EXPECT_GT(joules, 2 * seconds * 0.7);
    EXPECT_LE(joules, 2 * (seconds + 0.1));
  }
}

// A counter that always fails.
class BrokenMeter : public Counter {
 public:
  using Counter::Counter;
  Result<Reading> read() override { return error(ErrorCode::kFileUnreadable, "the bus is gone"); }
};

TEST(LiveMeter, AFailureLasts) {
  BrokenMeter counter(meter(CounterKind::kSampled, 5'000'000));
  LiveMeter live(counter);
  EXPECT_EQ(live.joules().error().message, "the bus is gone");
}

TEST(Sampler, WithoutCountersThereIsNothingToDo) {
  Sampler sampler({});
  sampler.start();
  EXPECT_TRUE(sampler.stop().empty());
}

}  // namespace
}  // namespace pj::energy
