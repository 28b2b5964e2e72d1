// What the steps of a model wait for, by what this CPU was measured to do at most.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "cli/peak.h"
#include "runtime/exec/session.h"
#include "runtime/plan/traffic.h"

namespace pj::cli {

struct StepBound {
  // "compute" (multiply-adds, and the operations of functions of floats), "L1", "L2", "L3" or
  // "DRAM": the one that would take longest if everything else were
  // free. "overhead" if that explains less than a third of the time: then calls, edges, and work
  // other than multiplying and moving are in the way. Empty if nothing could be measured.
  std::string name;
  double explained = 0;  // part of the time that the longest of those needs
  double needed_ms = 0;  // how long that is; at most the time
};

// The time that all steps would take if each took what its bound needs, but no longer than now.
double bound_ms(const std::vector<StepBound>& bounds);

// One a step; `ms` are their times.
std::vector<StepBound> step_bounds(const Session& session, const std::vector<double>& ms,
                                   const std::vector<Traffic>& traffic, const MachinePeak& peak);

// What the three dearest steps wait for and what would help, one sentence each.
std::vector<std::string> step_hints(const Session& session, const std::vector<double>& ms,
                                    const std::vector<Traffic>& traffic,
                                    const std::vector<StepBound>& bounds);

}  // namespace pj::cli
