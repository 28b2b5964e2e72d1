// The energy model that commands use, and its file.
#pragma once

#include <optional>
#include <string>

#include "cli/common.h"
#include "runtime/energy/model.h"

namespace pj::cli {

// {"version": 1, "source", "idle_policy", "origin", "held_out_error",
//  "joules": {"core_seconds": {"value", "low", "high"}, ...}}; terms that are 0 are left out.
Json to_json(const energy::EnergyModel& model);
// Errors: kModelFormat for what is no such object, kModelVersion for a version that is not 1,
// kModelInvalid for impossible values; each names the field.
Result<energy::EnergyModel> parse_energy_model(const std::string& text);

// Of `path`, or the prior of this machine if that is empty; nothing if there is none. Throws
// Failure if the file is none.
std::optional<energy::EnergyModel> open_energy_model(const std::string& path);

}  // namespace pj::cli
