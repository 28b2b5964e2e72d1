// The energy model that commands use, as they show it.
#pragma once

#include <optional>
#include <string>

#include "cli/common.h"
#include "runtime/energy/model_file.h"

namespace pj::cli {

// What parse_model() reads; terms that are 0 are left out.
Json to_json(const energy::EnergyModel& model);
// The same as a table, for people.
std::string to_text(const energy::EnergyModel& model);

// find_model() of this machine. Throws Failure if a file is no model. A model of another CPU is
// used, after a warning.
std::optional<energy::FoundModel> find_energy_model(const std::string& path);

}  // namespace pj::cli
