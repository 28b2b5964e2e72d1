// Energy of a model's steps, from their times and an energy model.
#pragma once

#include <span>
#include <vector>

#include "runtime/energy/model.h"
#include "runtime/exec/session.h"

namespace pj::cli {

// What one run of a step does. Bytes are those of its operands, each counted once: no step can move
// fewer. They come from the nearest memory that holds `reuse_bytes`, all that is touched until they
// are needed again.
energy::Terms step_amounts(const Session& session, const Step& step, double seconds,
                           int64_t reuse_bytes);
// For steps that are repeated alone: the bytes of a step's own operands.
int64_t operand_bytes(const Graph& graph, const Step& step);
// For whole inferences: weights, activations, inputs and outputs.
int64_t inference_bytes(const Session& session);

// One a step; `seconds` of one run of each. The session is prepared.
std::vector<energy::Energy> step_energies(const Session& session, std::span<const double> seconds,
                                          const energy::EnergyModel& model);

}  // namespace pj::cli
