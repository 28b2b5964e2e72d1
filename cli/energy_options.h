// Options that commands about energy share.
#pragma once

#include <string>

#include "cli/errors.h"
#include "runtime/energy/energy.h"

namespace pj::cli {

inline constexpr const char* kCounterHelp =
    "the power counter to read, a domain of `pj energy list` (default: that of the CPU's package "
    "or the board, if there is just one)";
inline constexpr const char* kIdleHelp =
    "what measured joules are without: gross (nothing; default), dynamic (the resting machine), "
    "marginal (a spinning core)";

// A usage error unless it is "gross", "dynamic" or "marginal".
inline energy::IdlePolicy idle_policy_named(const std::string& name) {
  using energy::IdlePolicy;
  for (const IdlePolicy policy : {IdlePolicy::kGross, IdlePolicy::kDynamic, IdlePolicy::kMarginal})
    if (name == name_of(policy)) return policy;
  usage_error("no idle policy '{}': gross, dynamic or marginal", name);
}

}  // namespace pj::cli
