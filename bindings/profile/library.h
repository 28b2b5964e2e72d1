// libpicojoule_profile.so: counters, attribution and energy models, which only profiling needs.
// libpicojoule.so loads it for the first profile; on a board it may be left out.
#pragma once

#include "runtime/metering/session_profile.h"

namespace pj {

// What it exports, as `pj_profile_library`. Both libraries are of one version: the session is the
// other one's, and this one has its own copy of the code that runs steps.
struct ProfileLibrary {
  const char* version;
  Result<energy::SessionProfile> (*profile)(Session& session, int64_t runs,
                                            const energy::EnergyOptions& options);
};

}  // namespace pj
