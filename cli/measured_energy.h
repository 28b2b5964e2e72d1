// Energy of a model's steps, measured with a counter of this machine.
#pragma once

#include "runtime/energy/attribution.h"
#include "runtime/energy/meter.h"
#include "runtime/exec/session.h"

namespace pj::cli {

// Steps are repeated one at a time, so their operands are as warm as repetition makes them; what
// that hides is in the residual. The session has run. Errors: those of attribute() and of the
// session's steps.
Result<energy::Attribution> measure_steps(Session& session, energy::LiveMeter& meter,
                                          const energy::AttributionOptions& options);

// Seconds that measuring takes, about: the budget, or what a slow meter needs for so many steps.
double expected_seconds(const energy::LiveMeter& meter, size_t steps,
                        const energy::AttributionOptions& options);

// Errors: kInvalidArgument unless it is "gross", "dynamic" or "marginal".
Result<energy::IdlePolicy> idle_policy_by_name(const std::string& name);

}  // namespace pj::cli
