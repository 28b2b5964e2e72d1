// Where the time and the energy of a session go, step by step.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/energy/counters/counter.h"
#include "runtime/energy/energy.h"
#include "runtime/exec/session.h"
#include "runtime/plan/traffic.h"
#include "runtime/profile/profile.h"

namespace pj::energy {

// Runs the session `runs` times, 0 being as many as fit into a second but at least 5, after three
// to warm up. Errors: those of the session.
Result<Profile> take_profile(Session& session, int64_t runs);

// The bytes of each step, in the caches that the model was planned for.
std::vector<Traffic> session_traffic(const Session& session);

enum class EnergyHow : uint8_t {
  kAuto,     // measured if there is a counter that needs no more than the time given, else computed
  kMeasure,  // with slower counters too
  kModel,
  kOff,
};

struct EnergyOptions {
  EnergyHow how = EnergyHow::kAuto;
  std::string counter;                     // its domain; empty: that of the package or the board
  IdlePolicy policy = IdlePolicy::kGross;  // of what is measured
  int64_t budget_ns = 5'000'000'000;
  std::string model_file;  // empty: the calibration of this CPU, else published figures
  // Told what a person who waits should know. May be empty.
  std::function<void(const std::string&)> tell;
};

// What each step and a run cost, and where that comes from. Empty if nothing is known.
struct SessionEnergies {
  std::vector<Energy> steps;
  std::vector<std::optional<Energy>> repeated;  // of steps measured in context: by themselves
  std::optional<Energy> total, residual;        // a residual only where it was measured
  std::string origin;

  const Energy* step(size_t i) const { return steps.empty() ? nullptr : &steps[i]; }
  const Energy* repeated_step(size_t i) const {
    return i < repeated.size() && repeated[i] ? &*repeated[i] : nullptr;
  }
};

// The session has run; `seconds` and `traffic` are those of its steps. Errors: if it should be
// measured and cannot be; those of find_model and step_counter.
Result<SessionEnergies> session_energies(Session& session, std::span<const double> seconds,
                                         std::span<const Traffic> traffic, const System& system,
                                         const Counters& counters, const EnergyOptions& options);

// All of it, of this machine's counters.
struct SessionProfile {
  Profile times;
  std::vector<Traffic> traffic;
  SessionEnergies energies;
};
Result<SessionProfile> profile_session(Session& session, int64_t runs,
                                       const EnergyOptions& options);

// In seconds, the fastest runs of each step: what disturbs a run only ever adds.
std::vector<double> step_seconds(const Profile& profile);

}  // namespace pj::energy
