// One measuring window: some work repeated between two readings of an accumulating counter.
//
// A counter that moves every Tu is up to Tu old when it is read, which makes a window of length L
// uncertain by Tu / (sqrt(6) L): far too much for a layer. Instead the reader spins until the
// counter moves, runs the work, spins until it moves again, and subtracts what spinning cost
// (M. Haehnel et al., Measuring energy consumption for short code paths using RAPL, 2012).
#pragma once

#include <cstdint>
#include <span>

#include "runtime/base/result.h"
#include "runtime/energy/counters/counter.h"

namespace pj::energy {

// What can be measured: the steps of a model, one by one and together. A test's clock and counter
// need not be real.
class Bench {
 public:
  virtual ~Bench() = default;
  virtual size_t steps() const = 0;
  // Brings what run(step) works on into place; called before a window.
  virtual void prepare(size_t step) = 0;
  virtual void run(size_t step, int64_t repetitions) = 0;
  virtual void run_all(int64_t repetitions) = 0;  // whole inferences
  // Whether whole inferences find what the step reads in a farther memory than repetitions do.
  virtual bool colder_in_context(size_t) const { return false; }
  // Makes what run_in_context(step) needs; called before each window.
  virtual void prepare_in_context(size_t) {}
  // Whole inferences, each with the step run `extra` times more in its place, as cold as there.
  virtual void run_in_context(size_t step, int64_t extra, int64_t inferences) {
    run_all(inferences);
    run(step, extra * inferences);
  }
  virtual void idle(int64_t ns) = 0;  // lets the machine rest
  virtual int64_t now_ns() = 0;
  // The counter: joules so far. Errors: those of Counter::read.
  virtual Result<double> joules() = 0;
};

// What is known of the counter.
struct Meter {
  CounterKind kind = CounterKind::kAccumulating;
  int64_t update_period_ns = 1'000'000;
  double gain_error = 0;  // relative standard uncertainty of the sensor itself
};

// How long work has to run between two readings.
struct WindowRule {
  bool edges;         // wait for the counter to move, before and after
  int64_t length_ns;  // at least
};

// For a relative standard error of `error` per window. Accumulating counters that move at least
// every 20 ms are waited for; then a few periods suffice, and only what edges leave open (their
// jitter, the counter's steps) is averaged away. Slower ones are read at once, over
// Tu / (sqrt(6) error). Sampled meters need 100 samples.
WindowRule window_rule(const Meter& meter, double error);
// How long the same work runs before a window of that rule.
int64_t lead_in_ns(const Meter& meter);

// Of one window.
struct WindowReading {
  double joules = 0;        // of the whole window
  double work_seconds = 0;  // of the work
  double spin_seconds = 0;  // waiting for edges after it
};

enum class WorkKind : uint8_t { kStep, kContext, kWhole, kSpin, kIdle };
struct Work {
  WorkKind kind = WorkKind::kStep;
  size_t step = 0;          // of kStep and kContext
  int64_t repetitions = 1;  // of kStep; of kContext beyond one inference
  int64_t inferences = 1;   // of kWhole
  int64_t ns = 0;           // duration of kSpin and kIdle
};

// Errors: those of the counter; kWrongState if it does not move any more.
Result<WindowReading> read_window(Bench& bench, const Meter& meter, bool edges, const Work& work);

// Duration in ns of one run, from as many as take a millisecond; `run` runs n of them.
template <typename Run>
double time_work(Bench& bench, Run run) {
  run(1);  // warms caches
  for (int64_t n = 1;; n *= 4) {
    const int64_t begin = bench.now_ns();
    run(n);
    const int64_t ns = bench.now_ns() - begin;
    if (ns >= 1'000'000 || n >= 1 << 24) return static_cast<double>(ns) / static_cast<double>(n);
  }
}

}  // namespace pj::energy
