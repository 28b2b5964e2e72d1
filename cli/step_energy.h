// Energy of a model's steps, from their times and an energy model.
#pragma once

#include <span>
#include <vector>

#include "runtime/energy/model.h"
#include "runtime/exec/session.h"

namespace pj::cli {

// What one run of a step does. Bytes are those of its operands, each counted once and as if it came
// from memory: no step can move fewer, and what a cache keeps is not known here.
energy::Terms step_amounts(const Session& session, const Step& step, double seconds);

// One a step; `seconds` of one run of each. The session is prepared.
std::vector<energy::Energy> step_energies(const Session& session, std::span<const double> seconds,
                                          const energy::EnergyModel& model);

}  // namespace pj::cli
