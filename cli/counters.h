// Which of this machine's power counters a command uses, and what to say where there is none.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/energy/counters/counter.h"

namespace pj::cli {

// Why `counters` has none that can be read, and what mends it; one line.
std::string no_counter_message(const energy::System& system, const energy::Counters& counters);

// The counter that steps of a model can be measured with: `wanted`, a domain or "source:domain", or
// else the only accumulating one of a package, or else the only sampled one that is within no
// other. Errors: kPlatformUnsupported if there is none, kInvalidArgument if there are several or
// none is called `wanted`; each says what to do.
Result<energy::Counter*> step_counter(const energy::System& system,
                                      const energy::Counters& counters, const std::string& wanted);

// The help of --counter.
extern const char* const kCounterHelp;

}  // namespace pj::cli
