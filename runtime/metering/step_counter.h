// Which of this machine's power counters steps are measured with, and what to say where there is
// none.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/energy/counters/counter.h"

namespace pj::energy {

// Why `counters` has none that can be read, and what mends it; one line.
std::string no_counter_message(const System& system, const Counters& counters);

// The counter that steps of a model can be measured with: `wanted`, a domain or "source:domain", or
// else the only accumulating one of a package, or else the only sampled one that is within no
// other. Errors: kPlatformUnsupported if there is none, kInvalidArgument if there are several or
// none is called `wanted`; each says what to do.
Result<Counter*> step_counter(const System& system, const Counters& counters,
                              const std::string& wanted);

}  // namespace pj::energy
