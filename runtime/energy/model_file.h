// Energy models in files, and which of them is this CPU's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/energy/counters/system.h"
#include "runtime/energy/model.h"

namespace pj::energy {

// {"version": 1, "source", "idle_policy", "origin", "cpu", "clock_ghz", "held_out_error",
//  "joules": {"core_seconds": {"value", "low", "high"}, ...}}; terms that are absent are 0.
// Errors: kModelFormat for what is no such object, kModelVersion for a version that is not 1,
// kModelInvalid for impossible values; each names the field.
Result<EnergyModel> parse_model(std::string_view text);

// cpu_identity() of the cores that this process may use.
std::string this_cpu(const System& system);

// Where a calibration of the CPU `cpu` is kept for this user:
// $XDG_DATA_HOME/picojoule/energy/<cpu>.json, by default below ~/.local/share. Empty if there is no
// home.
std::string stored_model_path(const std::string& cpu);

struct FoundModel {
  EnergyModel model;
  std::string path;  // its file; empty: published figures
};
// Of `path`; or if that is empty what is stored for this CPU, by the user or else beside the
// program, in energy/<cpu>.json; or the prior of this machine. Nothing if there is none. Errors:
// those of reading the file, and of parse_model with the file's name.
Result<std::optional<FoundModel>> find_model(const System& system, const std::string& path);

}  // namespace pj::energy
