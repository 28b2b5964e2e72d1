// The energy model that commands use, and its file.
#pragma once

#include <optional>
#include <string>

#include "cli/common.h"
#include "runtime/energy/counters/system.h"
#include "runtime/energy/model.h"

namespace pj::cli {

// {"version": 1, "source", "idle_policy", "origin", "cpu", "clock_ghz", "held_out_error",
//  "joules": {"core_seconds": {"value", "low", "high"}, ...}}; terms that are 0 are left out.
Json to_json(const energy::EnergyModel& model);
// The same as a table, for people.
std::string to_text(const energy::EnergyModel& model);
// Errors: kModelFormat for what is no such object, kModelVersion for a version that is not 1,
// kModelInvalid for impossible values; each names the field.
Result<energy::EnergyModel> parse_energy_model(const std::string& text);

// cpu_identity() of the cores that this process may use.
std::string this_cpu(const energy::System& system);

// Where a calibration of the CPU `cpu` is kept for this user:
// $XDG_DATA_HOME/picojoule/energy/<cpu>.json, by default below ~/.local/share. Empty if there is no
// home.
std::string stored_model_path(const std::string& cpu);

struct FoundModel {
  energy::EnergyModel model;
  std::string path;  // its file; empty: published figures
};
// Of `path`; or if that is empty what is stored for this CPU, by the user or else beside the
// program, in energy/<cpu>.json; or the prior of this machine. Nothing if there is none. Throws
// Failure if a file is no model. A model of another CPU is used, after a warning.
std::optional<FoundModel> find_energy_model(const std::string& path);

}  // namespace pj::cli
