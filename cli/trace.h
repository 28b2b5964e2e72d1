// When the threads of a session worked on which step, and what the machine drew meanwhile.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "runtime/energy/counters/counter.h"

namespace pj::cli {

struct Trace {
  struct Span {
    int thread;  // 0: the one that runs the session
    size_t step;
    int64_t begin_ns, end_ns;  // since the beginning of the trace
  };
  // Of a piece of time; of the counter's domain.
  struct Power {
    int64_t begin_ns, end_ns;
    energy::Energy energy;
  };
  int threads = 1;
  std::vector<std::pair<int64_t, int64_t>> runs;  // beginnings and ends
  std::vector<Span> spans;                        // in the order in which they ended, a thread
  std::vector<Power> power;
  std::string meter;  // "powercap package-0"; empty: none
};

// Runs the model some times, with as many threads as its session; unknown dimensions are 1, inputs
// made up. With a counter it runs long enough for some samples. Throws Failure if it does not run.
Trace take_trace(const OpenModel& open, energy::Counter* counter);

}  // namespace pj::cli
