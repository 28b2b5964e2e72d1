// Energy of a model's steps, measured with a counter of this machine.
#pragma once

#include <vector>

#include "runtime/energy/attribution.h"
#include "runtime/exec/session.h"

namespace pj::cli {

// The counter that can be attributed to steps: the one accumulating counter of a package that can
// be read. Null if there is none, or if there are several packages.
energy::Counter* step_counter(const energy::Counters& counters);

// Steps are repeated one at a time, so their operands are as warm as repetition makes them; what
// that hides is in the residual. Takes about 5 s. The session has run. Errors: those of attribute()
// and of the session's steps.
Result<energy::Attribution> measure_steps(Session& session, energy::Counter& counter);

}  // namespace pj::cli
