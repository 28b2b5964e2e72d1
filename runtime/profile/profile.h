// What happened in a run, as plain records. `exec` fills times; later bytes and energy join them.
#pragma once

#include <cstdint>
#include <vector>

namespace pj {

struct StepTime {
  int64_t ns = 0;              // sum over the runs
  int64_t min_ns = INT64_MAX;  // the fastest run of this step
  int64_t ticks = 0;           // of the last run (runtime/base/ticks.h)
};

struct Profile {
  std::vector<StepTime> steps;  // one for each step of the program
  int64_t runs = 0;
  // Of whole runs, steps and what is between them.
  int64_t total_ns = 0;
  int64_t min_total_ns = INT64_MAX;
};

}  // namespace pj
