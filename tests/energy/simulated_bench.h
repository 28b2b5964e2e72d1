// A machine whose steps cost known joules, and a counter as bad as real ones: it moves every
// millisecond, in steps, late, at uneven times, on a machine that warms up and whose power
// flutters. Or a meter that shows the mean power since its last conversion, read by a thread with a
// pace of its own. Time is the simulation's own.
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <vector>

#include "runtime/energy/window.h"

namespace pj::energy {

struct SimulatedStep {
  double seconds = 0, watts = 0;
  double colder = 1;  // in whole inferences it takes so many times as long
};

struct SimulatedMachine {
  std::vector<SimulatedStep> steps;
  double whole_extra_joules = 0;  // of a whole run, beyond its steps
  double spin_watts = 5, idle_watts = 2;
  double update_period = 1e-3, lag = 300e-6, lag_jitter = 20e-6;  // seconds
  double quantum = 61e-6;                                         // joules
  double noise = 1e-3;  // relative error of the energy of one second of work
  double duration_jitter = 0.003;
  double warm_up = 0.06, warm_up_seconds = 1.5;
  double read_seconds = 5e-6;  // of one reading
  double prepare_seconds = 0;  // before a window of a step
  bool stopped = false;        // the counter does not move
  bool sampled = false;        // it shows power; `quantum` is of watts then
};

class SimulatedBench final : public Bench {
 public:
  SimulatedBench(SimulatedMachine machine, unsigned seed)
      : machine_(std::move(machine)), random_(seed) {
    // The counter's clock is not ours.
    next_sample_ = std::uniform_real_distribution<double>(0, machine_.update_period)(random_);
    next_read_ = machine_.sampled ? machine_.update_period : INFINITY;
  }

  size_t steps() const override { return machine_.steps.size(); }
  void prepare(size_t step) override {
    prepared_ = step;
    advance(machine_.prepare_seconds, machine_.spin_watts);
  }
  void run(size_t step, int64_t repetitions) override {
    if (prepared_ != step) ++unprepared_runs;
    work(step, repetitions);
  }
  int unprepared_runs = 0;

 private:
  void work(size_t step, int64_t repetitions, double factor = 1) {
    const SimulatedStep& s = machine_.steps[step];
    const double jitter = 1 + machine_.duration_jitter * normal_(random_);
    advance(s.seconds * factor * static_cast<double>(repetitions) * jitter, s.watts);
  }

 public:
  void run_all(int64_t repetitions) override {
    for (int64_t r = 0; r < repetitions; ++r) {
      for (size_t i = 0; i < steps(); ++i) work(i, 1, machine_.steps[i].colder);
      joules_ += machine_.whole_extra_joules * warmth_;
    }
  }
  bool colder_in_context(size_t step) const override { return machine_.steps[step].colder != 1; }
  void run_in_context(size_t step, int64_t extra, int64_t inferences) override {
    run_all(inferences);
    work(step, extra * inferences, machine_.steps[step].colder);
  }
  void idle(int64_t ns) override { advance(static_cast<double>(ns) * 1e-9, machine_.idle_watts); }
  int64_t now_ns() override { return static_cast<int64_t>(time_ * 1e9); }
  Result<double> joules() override {
    advance(machine_.read_seconds, machine_.spin_watts);
    if (machine_.sampled) return integral_;
    while (!pending_.empty() && pending_.front().visible_at <= time_) {
      shown_ = pending_.front().joules;
      pending_.pop_front();
    }
    return shown_;
  }

  // How much more than a cold machine's the power was on average, over the last `ns`.
  double mean_warmth(int64_t ns) const {
    const double tau = machine_.warm_up_seconds, span = static_cast<double>(ns) * 1e-9;
    const double missing = tau / span * (std::exp(-(time_ - span) / tau) - std::exp(-time_ / tau));
    return 1 + machine_.warm_up * (1 - missing);
  }
  double seconds() const { return time_; }

 private:
  struct Sample {
    double visible_at, joules;
  };
  void add(double seconds, double watts) {
    joules_ += watts * warmth_ * seconds;
    variance_ += watts * watts * seconds;
    time_ += seconds;
  }
  void advance(double seconds, double watts) {
    const double end = time_ + seconds;
    while (std::min(next_sample_, next_read_) <= end) {
      add(std::max(0.0, std::min(next_sample_, next_read_) - time_), watts);
      if (next_read_ < next_sample_) {
        take_reading();
      } else {
        renew_counter();
      }
    }
    add(std::max(0.0, end - time_), watts);
  }
  void renew_counter() {
    joules_ += machine_.noise * std::sqrt(variance_) * normal_(random_);
    variance_ = 0;
    warmth_ = 1 + machine_.warm_up * (1 - std::exp(-time_ / machine_.warm_up_seconds));
    next_sample_ += machine_.update_period;
    if (machine_.stopped) return;
    if (machine_.sampled) {
      shown_ = round_down((joules_ - converted_) / machine_.update_period + machine_.quantum / 2);
      converted_ = joules_;
      return;
    }
    const double late = machine_.lag + std::abs(machine_.lag_jitter * normal_(random_));
    pending_.push_back({time_ + late, round_down(joules_)});
  }
  double round_down(double value) const {
    return std::floor(value / machine_.quantum) * machine_.quantum;
  }
  // What the sampling thread does.
  void take_reading() {
    integral_ += shown_ * (time_ - last_read_);
    last_read_ = time_;
    const double uneven = 0.02 * machine_.update_period * std::abs(normal_(random_));
    next_read_ = time_ + machine_.update_period + uneven;
  }

  SimulatedMachine machine_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  double warmth_ = 1, variance_ = 0;  // since the last sample
  double time_ = 0, joules_ = 0, shown_ = 0, next_sample_ = 0;
  double next_read_ = 0, last_read_ = 0, integral_ = 0, converted_ = 0;  // of a sampled meter
  size_t prepared_ = SIZE_MAX;
  std::deque<Sample> pending_;
};

}  // namespace pj::energy
