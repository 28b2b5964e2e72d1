// Runs a session at a fixed rate, as a camera or a control loop asks for it, and counts what that
// costs.
#pragma once

#include <cstdint>

#include "runtime/exec/session.h"

namespace pj {

struct PeriodicStats {
  int64_t frames = 0;
  // Frames that were not done when the next one was due; the frames due meanwhile are left out, so
  // that the schedule never drifts and never runs behind.
  int64_t missed = 0;
  double mean_latency_ms = 0, max_latency_ms = 0;  // from the start of a run to its end
  double max_wakeup_ms = 0;                        // how late a frame began, at worst
  // Of the whole process, all threads, for each frame: user and system time, and how often the
  // scheduler took a thread off its core, voluntarily or not.
  double cpu_ms = 0, context_switches = 0;
};

// Called after each frame, when outputs are valid and inputs may be written for the next one.
// Return false to end.
using FrameFn = bool (*)(void* context, int64_t frame, int64_t latency_ns);

// Runs until `on_frame` returns false. Frame n begins no earlier than n periods after the first
// one; between frames the calling thread and the pool's workers sleep. Allocates nothing. Errors:
// kInvalidArgument if the period is not positive; those of Session::run().
Result<PeriodicStats> run_periodic(Session& session, int64_t period_ns, FrameFn on_frame,
                                   void* context);

}  // namespace pj
