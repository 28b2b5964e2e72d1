#include "runtime/metering/session_profile.h"

#include "runtime/base/clock.h"
#include "runtime/energy/model_file.h"
#include "runtime/metering/session_bench.h"
#include "runtime/metering/step_amounts.h"
#include "runtime/metering/step_counter.h"

namespace pj::energy {
namespace {

constexpr int kWarmup = 3;
constexpr int kLeastRuns = 5;
constexpr double kPatience = 10;  // seconds that nobody needs to be warned of

SessionEnergies computed(const Session& session, std::span<const double> seconds,
                         std::span<const Traffic> traffic, const EnergyModel& model) {
  SessionEnergies energies;
  energies.steps = step_energies(session, seconds, traffic, model);
  for (const Energy& step : energies.steps)
    energies.total = energies.total ? *energies.total + step : step;
  energies.origin = model.origin;
  return energies;
}

Result<SessionEnergies> measured(Session& session, Counter& counter, const EnergyOptions& options) {
  LiveMeter meter(counter);
  AttributionOptions attribution;
  attribution.policy = options.policy;
  attribution.budget_ns = options.budget_ns;
  const double seconds = expected_seconds(meter, session.program().steps.size(), attribution);
  if (seconds > kPatience && options.tell)
    options.tell(fmt::format("measuring with this counter takes about {:.0f} s", seconds));
  PJ_ASSIGN(Attribution result, measure_steps(session, meter, attribution));
  return SessionEnergies{std::move(result.steps), std::move(result.repeated), result.whole,
                         result.residual,
                         fmt::format("{} {}, {} rounds", counter.info().source,
                                     counter.info().domain, result.plan.rounds)};
}

// The counter to measure with; null if energy is to be computed.
Result<Counter*> choose_counter(const System& system, const Counters& counters,
                                const EnergyOptions& o) {
  const bool asked = o.how == EnergyHow::kMeasure || !o.counter.empty();
  if (!asked && (o.how != EnergyHow::kAuto || !o.model_file.empty())) return nullptr;
  const Result<Counter*> counter = step_counter(system, counters, o.counter);
  if (asked) return counter;
  return counter && (*counter)->info().kind == CounterKind::kAccumulating ? *counter : nullptr;
}

}  // namespace

Result<Profile> take_profile(Session& session, int64_t runs) {
  for (int i = 0; i < kWarmup; ++i) PJ_TRY(session.run());
  Profile profile = session.make_profile();
  const int64_t end = now_ns() + 1'000'000'000;
  while (runs > 0 ? profile.runs < runs : profile.runs < kLeastRuns || now_ns() < end)
    PJ_TRY(session.run(profile));
  return profile;
}

std::vector<Traffic> session_traffic(const Session& session) {
  const ModelOptions& options = session.model().options();
  return traffic_of(session.program(), options.catalog, options.target);
}

std::vector<double> step_seconds(const Profile& profile) {
  std::vector<double> seconds;
  for (const StepTime& step : profile.steps)
    seconds.push_back(static_cast<double>(step.min_ns) * 1e-9);
  return seconds;
}

Result<SessionEnergies> session_energies(Session& session, std::span<const double> seconds,
                                         std::span<const Traffic> traffic, const System& system,
                                         const Counters& counters, const EnergyOptions& options) {
  if (options.how == EnergyHow::kOff) return SessionEnergies{};
  PJ_ASSIGN(Counter* const counter, choose_counter(system, counters, options));
  if (counter != nullptr) {
    auto energies = measured(session, *counter, options);
    if (energies || options.how == EnergyHow::kMeasure) return energies;
    if (options.tell)
      options.tell(fmt::format("energy is not measured: {}", energies.error().message));
  }
  PJ_ASSIGN(const std::optional<FoundModel> found, find_model(system, options.model_file));
  return found ? computed(session, seconds, traffic, found->model) : SessionEnergies{};
}

Result<SessionProfile> profile_session(Session& session, int64_t runs,
                                       const EnergyOptions& options) {
  SessionProfile profile;
  PJ_ASSIGN(profile.times, take_profile(session, runs));
  profile.traffic = session_traffic(session);
  const HostSystem system;
  const Counters counters = find_counters(system);
  PJ_ASSIGN(profile.energies, session_energies(session, step_seconds(profile.times),
                                               profile.traffic, system, counters, options));
  return profile;
}

}  // namespace pj::energy
