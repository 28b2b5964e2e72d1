// Energy of a model's steps, from their times, their bytes and an energy model.
#pragma once

#include <span>
#include <vector>

#include "runtime/energy/model.h"
#include "runtime/exec/session.h"
#include "runtime/plan/traffic.h"

namespace pj::energy {

// How many threads a step uses at most.
int step_threads(const Session& session, const Step& step);
// Of all that a step reads and writes. Operands that pass between the members of a band stay
// inside.
int64_t operand_bytes(const Graph& graph, const Step& step);
// What the step's kernels multiply.
Term mac_term(const Graph& graph, const Step& step);

// What one run of a step does in `seconds`.
Terms step_amounts(const Session& session, const Step& step, double seconds,
                   const Traffic& traffic);
// Traffic of a step that is repeated alone: memories behind the one that holds all its operands
// have nothing to do.
Traffic repeated_traffic(const Session& session, const Step& step, Traffic traffic);

// One a step; `seconds` and `traffic` of one run of each. The session is prepared.
std::vector<Energy> step_energies(const Session& session, std::span<const double> seconds,
                                  std::span<const Traffic> traffic, const EnergyModel& model);

}  // namespace pj::energy
