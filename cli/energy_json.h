// Energies in JSON: always five members together, all null where nothing is known.
#pragma once

#include <optional>

#include "cli/common.h"
#include "runtime/energy/energy.h"

namespace pj::cli {

// Adds energy_uj, energy_low_uj, energy_high_uj, energy_source and idle_policy.
void add_energy(Json& json, const energy::Energy* energy);
// Those members; nothing if they are null. Errors: kModelInvalid if one is missing or impossible.
Result<std::optional<energy::Energy>> parse_energy(const Json& json);

}  // namespace pj::cli
