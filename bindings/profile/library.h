// libpicojoule_profile.so: counters, attribution and energy models, which only profiling needs.
// libpicojoule.so loads it for the first profile; on a board it may be left out.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "include/pj/pj.h"
#include "runtime/energy/energy.h"
#include "runtime/exec/session.h"

struct pj_energy {
  pj::energy::Energy energy;
  std::string text;
};

struct pj_profile {
  std::vector<pj_step_profile> steps;  // whose strings are those of `names`
  std::vector<std::pair<std::string, std::string>> names;
  double time_ms = 0;
  std::vector<pj_energy> step_energies;  // empty: unknown
  std::optional<pj_energy> total, residual;
  std::string origin;
};

namespace pj {

// What it exports, as `pj_profile_library`. Both libraries are of one version: the session is the
// other one's, and this one has its own copy of the code that runs steps.
struct ProfileLibrary {
  const char* version;
  Result<std::unique_ptr<pj_profile>> (*profile)(Session& session,
                                                 const pj_profile_options& options);
};

}  // namespace pj
