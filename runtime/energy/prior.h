// What a machine's energy would be by published figures of its kind of CPU: wide, and labelled so.
#pragma once

#include <optional>

#include "runtime/energy/counters/system.h"
#include "runtime/energy/model.h"

namespace pj::energy {

// Nothing for a CPU of which no figure is known.
std::optional<EnergyModel> prior_model(const System& system);

}  // namespace pj::energy
