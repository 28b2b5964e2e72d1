// What kind of CPU this is, as a word: energy models are kept by it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/energy/counters/system.h"

namespace pj::energy {

// The kinds of those cores that a process may use, for names of files: "amd-epyc-26-2",
// "arm-0xd03+arm-0xd08". `cpus` are their numbers; all cores if none of them exists. Empty if the
// system does not say.
std::string cpu_identity(const System& system, std::span<const int> cpus);

// Values of all lines "<key> : <value>" of /proc/cpuinfo: of x86 and 64-bit Arm one a core.
std::vector<std::string> cpuinfo_values(std::string_view cpuinfo, std::string_view key);

}  // namespace pj::energy
