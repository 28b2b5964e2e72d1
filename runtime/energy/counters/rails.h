// Current and power monitors on the supply rails of a board: what INA3221 and hwmon share.
#pragma once

#include "runtime/energy/counters/file_counters.h"

namespace pj::energy {

// Resolution in watts of a monitor whose converter has steps of `shunt_volts` over a shunt of
// `micro_ohms` at `millivolts`; 0 if one is unknown.
double rail_resolution(double shunt_volts, std::optional<uint64_t> micro_ohms,
                       std::optional<uint64_t> millivolts);

// A rail with voltage in mV and current in mA. `info` has all but the problem.
void add_rail(const System& system, CounterInfo info, const std::string& voltage,
              const std::string& current, Counters& out);

}  // namespace pj::energy
