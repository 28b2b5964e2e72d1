// The energy model: fitting, what it says of networks that it has not seen, priors. All joules
// here are made up.
#include "runtime/energy/model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "runtime/energy/attribution.h"
#include "runtime/energy/calibration.h"
#include "runtime/energy/cpu_identity.h"
#include "runtime/energy/prior.h"
#include "tests/energy/boards.h"
#include "tests/energy/figures.h"
#include "tests/energy/simulated_bench.h"

namespace pj::energy {
namespace {

using ::testing::HasSubstr;

// A machine with coefficients that the fit does not know, measured with 3 % noise.
class HiddenMachine {
 public:
  explicit HiddenMachine(unsigned seed) : random_(seed) {
    hidden_[Term::kSeconds] = 0.3;
    hidden_[Term::kCoreSeconds] = 0.5;
    hidden_[Term::kMacInt8] = 3e-12;
    hidden_[Term::kMacF32] = 12e-12;
    hidden_[Term::kByteL1] = 1.5e-12;
    hidden_[Term::kByteL2] = 4e-12;
    hidden_[Term::kByteDram] = 130e-12;
  }

  // `networks` networks of different character, and 15 micro-kernels.
  std::vector<CalibrationSample> samples(int networks) {
    std::vector<CalibrationSample> all;
    for (int network = 0; network < networks; ++network) {
      const Term type = network % 2 == 0 ? Term::kMacInt8 : Term::kMacF32;
      // From networks that stream their weights to those that reuse what they load: 2 to 300
      // operations a byte.
      const double reuse = 2 * std::pow(150.0, network / (networks - 1.0 + 1e-9));
      const int steps = 10 + network % 20;
      for (int i = 0; i < steps; ++i) {
        const double macs = std::pow(10.0, between(5, 8));
        const double bytes = macs / (reuse * between(0.7, 1.4));
        all.push_back(sample(layer(type, macs, bytes), network));
      }
    }
    for (int i = 0; i < 15; ++i) all.push_back(sample(micro_kernel(i), kMicroKernel));
    return all;
  }
  // The same, each network and the micro-kernels measured through a counter, with its intervals.
  std::vector<CalibrationSample> measured_samples(int networks) {
    std::vector<CalibrationSample> all = samples(networks);
    for (int group = kMicroKernel; group < networks; ++group) {
      SimulatedMachine machine;
      std::vector<CalibrationSample*> steps;
      for (CalibrationSample& s : all) {
        if (s.group != group) continue;
        steps.push_back(&s);
        const double seconds = s.amounts[Term::kSeconds];
        machine.steps.push_back({seconds, figures(s.measured).joules / seconds});
      }
      SimulatedBench bench(machine, static_cast<unsigned>(group + 1));
      const Result<Attribution> result = attribute(bench, Meter{}, {});
      EXPECT_TRUE(result);
      for (size_t i = 0; i < steps.size(); ++i) {
        steps[i]->measured = result->steps[i];
        EXPECT_NEAR(result->step_seconds[i], machine.steps[i].seconds,
                    machine.steps[i].seconds * 0.01);
      }
    }
    return all;
  }

 private:
  double between(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  Terms layer(Term type, double macs, double bytes) {
    Terms t;
    t[type] = macs;
    t[Term::kByteL1] = macs * between(0.1, 0.4) + bytes;
    t[Term::kByteL2] = macs * between(0.02, 0.3) + bytes;
    t[Term::kByteDram] = bytes;
    t[Term::kSeconds] = macs / 40e9 * between(1, 3) + bytes / 15e9;
    t[Term::kCoreSeconds] = t[Term::kSeconds] * (between(0, 1) < 0.5 ? 1 : 2);
    return t;
  }
  Terms micro_kernel(int i) {
    Terms t;
    t[Term::kSeconds] = 1e-3 * between(1, 2);
    t[Term::kCoreSeconds] = t[Term::kSeconds] * (1 + i % 2);
    constexpr Term kAlone[] = {Term::kMacInt8, Term::kMacF32, Term::kByteL1, Term::kByteL2,
                               Term::kByteDram};
    constexpr double kPerSecond[] = {100e9, 30e9, 200e9, 80e9, 10e9};
    if (i >= 3) t[kAlone[i % 5]] = t[Term::kSeconds] * kPerSecond[i % 5];
    return t;
  }
  CalibrationSample sample(const Terms& amounts, int group) {
    double joules = 0;
    for (size_t t = 0; t < kTermCount; ++t) joules += amounts[t] * hidden_[t];
    std::normal_distribution<double> noise(0, 0.03);
    joules *= 1 + noise(random_);
    return {amounts,
            {joules, joules * 0.94, joules * 1.06, EnergySource::kMeasured, IdlePolicy::kGross},
            group};
  }

  Terms hidden_;
  std::mt19937_64 random_;
};

TEST(Calibration, PredictsNetworksThatItHasNotSeen) {
  double worst = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    HiddenMachine machine(seed);
    const Result<EnergyModel> model = calibrate(machine.samples(12));
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_LE(model->held_out_error, 0.03) << seed;
    EXPECT_GT(model->held_out_error, 0) << seed;
    EXPECT_EQ(model->source, EnergySource::kCalibrated);
    worst = std::max(worst, model->held_out_error);
  }
  fmt::print("simulated: held-out error at most {:.1f} %\n", worst * 100);
}

// The way of pj calibrate: the joules come from a counter that moves every millisecond, late and in
// steps, on a machine that warms up.
TEST(Calibration, PredictsFromWhatACounterSays) {
  double worst = 0, least = 1;
  for (unsigned seed = 0; seed < 5; ++seed) {
    HiddenMachine machine(seed);
    const std::vector<CalibrationSample> samples = machine.measured_samples(12);
    const Result<EnergyModel> model = calibrate(samples);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_LE(model->held_out_error, 0.03) << seed;
    worst = std::max(worst, model->held_out_error);
    std::array<bool, kTermCount> used = kAllTerms;
    used[static_cast<size_t>(Term::kByteDram)] = false;
    const Result<EnergyModel> without = calibrate(samples, used);
    ASSERT_TRUE(without);
    EXPECT_GT(without->held_out_error, 0.10) << seed;
    least = std::min(least, without->held_out_error);
  }
  fmt::print(
      "simulated, through a counter: at most {:.1f} %, without bytes from memory at least "
      "{:.1f} %\n",
      worst * 100, least * 100);
}

TEST(Calibration, AMissingTermShowsInTheHeldOutError) {
  double least = 1;
  for (unsigned seed = 0; seed < 20; ++seed) {
    HiddenMachine machine(seed);
    std::array<bool, kTermCount> used = kAllTerms;
    used[static_cast<size_t>(Term::kByteDram)] = false;
    const Result<EnergyModel> model = calibrate(machine.samples(12), used);
    ASSERT_TRUE(model);
    EXPECT_EQ(model->joules[Term::kByteDram], 0);
    EXPECT_GT(model->held_out_error, 0.10) << seed;
    least = std::min(least, model->held_out_error);
  }
  fmt::print("simulated: without bytes from memory at least {:.1f} %\n", least * 100);
}

TEST(Calibration, IntervalsHoldForNewSteps) {
  HiddenMachine machine(99);
  const Result<EnergyModel> model = calibrate(machine.samples(12));
  ASSERT_TRUE(model);
  int inside = 0, all = 0;
  for (const CalibrationSample& s : machine.samples(30)) {
    const LabelledFigures f = labelled(model->estimate(s.amounts));
    EXPECT_EQ(f.source, "calibrated");
    EXPECT_EQ(f.policy, "gross");
    const double joules = figures(s.measured).joules;
    inside += f.low <= joules && joules <= f.high ? 1 : 0;
    ++all;
  }
  EXPECT_GE(inside, all * 90 / 100);
}

TEST(Calibration, RefusesWhatCannotBeJudged) {
  HiddenMachine machine(1);
  EXPECT_THAT(calibrate(machine.samples(1)).error().message, HasSubstr("at least two are needed"));
  EXPECT_THAT(calibrate({}).error().message, HasSubstr("of 0 network(s)"));
  std::vector<CalibrationSample> samples = machine.samples(3);
  const auto replace = [&](Energy energy) {
    std::vector<CalibrationSample> changed = samples;
    changed[4].measured = energy;
    return calibrate(changed);
  };
  using enum EnergySource;
  using enum IdlePolicy;
  EXPECT_THAT(replace({1, 1, 1, kPrior, kGross}).error().message, HasSubstr("prior, not measured"));
  EXPECT_THAT(replace({1, 1, 1, kMeasured, kMarginal}).error().message,
              HasSubstr("gross and marginal"));
  // A step that may have cost nothing is no reason to give up, and none to believe anything.
  const auto without = replace({1e6, -1, 2e6, kMeasured, kGross});
  ASSERT_TRUE(without);
  EXPECT_LE(without->held_out_error, 0.05);
}

TEST(Calibration, WhatIsSureWeighsMore) {
  HiddenMachine machine(5);
  const std::vector<CalibrationSample> samples = machine.samples(12);
  // The held-out error if every third micro-kernel seems to need twice its energy, give or take
  // `uncertainty` of it.
  const auto with_outliers = [&](double uncertainty) {
    std::vector<CalibrationSample> changed = samples;
    for (size_t i = 0; i < changed.size(); i += 3) {
      if (changed[i].group != kMicroKernel) continue;
      const double joules = figures(changed[i].measured).joules * 2;
      changed[i].measured = {joules, joules * (1 - uncertainty), joules * (1 + uncertainty),
                             EnergySource::kMeasured, IdlePolicy::kGross};
    }
    return calibrate(changed)->held_out_error;
  };
  EXPECT_LE(with_outliers(0.99), 0.03);
  EXPECT_GT(with_outliers(0.001), with_outliers(0.99));
}

// At the minimum no unknown that is 0 would lower the error by growing, and the others have slope
// 0.
TEST(Nnls, SatisfiesTheConditionsOfTheMinimum) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> factor(0, 1);
  std::normal_distribution<double> value(0.5, 1);
  int zeros = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<Equation> equations(20);
    for (Equation& e : equations) {
      for (double& f : e.factors.values) f = factor(random);
      e.value = value(random);
      e.weight = 0.5 + factor(random);
    }
    const Terms x = solve_nonnegative(equations, kAllTerms);
    for (size_t t = 0; t < kTermCount; ++t) {
      double slope = 0;
      for (const Equation& e : equations) {
        double rest = e.value;
        for (size_t u = 0; u < kTermCount; ++u) rest -= e.factors[u] * x[u];
        slope += e.weight * e.weight * e.factors[t] * rest;
      }
      ASSERT_GE(x[t], 0);
      ASSERT_LE(slope, 1e-6) << trial;
      if (x[t] > 0) {
        ASSERT_GE(slope, -1e-6) << trial;
      } else {
        ++zeros;
      }
    }
  }
  EXPECT_GT(zeros, 200);
}

TEST(Nnls, TermsThatCannotBeToldApartAreCountedOnce) {
  std::vector<Equation> equations(5);
  for (size_t i = 0; i < equations.size(); ++i) {
    const double seconds = 1 + static_cast<double>(i);
    equations[i].factors[Term::kSeconds] = seconds;
    equations[i].factors[Term::kCoreSeconds] = seconds;
    equations[i].value = 3 * seconds;
  }
  const Terms x = solve_nonnegative(equations, kAllTerms);
  EXPECT_NEAR(x[Term::kSeconds] + x[Term::kCoreSeconds], 3, 1e-9);
  EXPECT_EQ(x[Term::kMacF32], 0);
}

TEST(Prior, ArmFromDeviceTreesAndTheClock) {
  FakeSystem system;
  system.files["/proc/cpuinfo"] =
      "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n\n"
      "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n";
  system.files["/sys/devices/system/cpu/cpu1/cpufreq/cpuinfo_max_freq"] = "2400000\n";
  const std::optional<EnergyModel> model = prior_model(system);
  ASSERT_TRUE(model);
  EXPECT_THAT(model->origin, HasSubstr("Cortex-A76 at 2400 MHz"));
  Terms second;
  second[Term::kCoreSeconds] = 1;
  const LabelledFigures f = labelled(model->estimate(second));
  EXPECT_NEAR(f.joules, 416e-12 * 2.4e9 * 0.81, 1e-9);
  EXPECT_NEAR(f.low, 416e-12 * 2.4e9 * 0.49, 1e-9);
  EXPECT_NEAR(f.high, 416e-12 * 2.4e9 * 1.21, 1e-9);
  EXPECT_EQ(f.source, "prior");
  EXPECT_EQ(f.policy, "dynamic");
}

TEST(Prior, X86FromThermalDesignPower) {
  FakeSystem system;
  system.files["/proc/cpuinfo"] = "vendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n";
  const std::optional<EnergyModel> model = prior_model(system);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->policy, IdlePolicy::kGross);
  EXPECT_EQ(model->source, EnergySource::kPrior);
}

TEST(Prior, NoneForAnUnknownCpu) {
  FakeSystem system;
  EXPECT_FALSE(prior_model(system));
  system.files["/proc/cpuinfo"] = "model name\t: Some Other CPU\nCPU part\t: 0xfff\n";
  EXPECT_FALSE(prior_model(system));
  // A clock that is not known leaves nothing to multiply with.
  system.files["/proc/cpuinfo"] = "CPU part\t: 0xd08\n";
  EXPECT_FALSE(prior_model(system));
}

TEST(CpuIdentity, IsOfTheCoresThatAreUsed) {
  FakeSystem system;
  EXPECT_EQ(cpu_identity(system, {}), "");
  system.files["/proc/cpuinfo"] =
      "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n\n"
      "processor\t: 1\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n";
  const int little[] = {0}, absent[] = {7};
  EXPECT_EQ(cpu_identity(system, little), "arm-0xd05");
  EXPECT_EQ(cpu_identity(system, absent), "arm-0xd05+arm-0xd0b");
  system.files["/proc/cpuinfo"] =
      "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC/..\\ 9\n";
  EXPECT_EQ(cpu_identity(system, {}), "amd-epyc-9-26-2");
}

}  // namespace
}  // namespace pj::energy
