#include "bindings/profile/library.h"

#include "runtime/metering/session_profile.h"

namespace pj {
namespace {

using namespace pj::energy;

constexpr bool same(pj_energy_source a, EnergySource b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
constexpr bool same(pj_idle_policy a, IdlePolicy b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
constexpr bool same(pj_energy_how a, EnergyHow b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(same(pj_energy_measured, EnergySource::kMeasured) &&
              same(pj_energy_calibrated, EnergySource::kCalibrated) &&
              same(pj_energy_prior, EnergySource::kPrior) &&
              same(pj_idle_gross, IdlePolicy::kGross) &&
              same(pj_idle_dynamic, IdlePolicy::kDynamic) &&
              same(pj_idle_marginal, IdlePolicy::kMarginal) &&
              same(pj_energy_auto, EnergyHow::kAuto) &&
              same(pj_energy_measure, EnergyHow::kMeasure) &&
              same(pj_energy_model, EnergyHow::kModel) && same(pj_energy_off, EnergyHow::kOff));

constexpr double kMostSeconds = 86'400;

pj_energy to_c(const Energy& energy) { return {energy, energy.text()}; }

Result<EnergyOptions> energy_options(const pj_profile_options& given) {
  const auto bad = [](const char* what, int value) {
    return error(ErrorCode::kInvalidArgument, "pj_profile_options.{} is {}: use one of pj.h", what,
                 value);
  };
  if (given.energy < pj_energy_auto || given.energy > pj_energy_off)
    return bad("energy", given.energy);
  if (given.idle_policy < pj_idle_gross || given.idle_policy > pj_idle_marginal)
    return bad("idle_policy", given.idle_policy);
  if (!(given.energy_seconds >= 0 && given.energy_seconds <= kMostSeconds) || given.runs < 0)
    return error(ErrorCode::kInvalidArgument,
                 "pj_profile_options: {} runs and {} s: neither may be negative, and a day is the "
                 "most",
                 given.runs, given.energy_seconds);
  EnergyOptions options;
  options.how = static_cast<EnergyHow>(given.energy);
  options.policy = static_cast<IdlePolicy>(given.idle_policy);
  if (given.energy_seconds > 0)
    options.budget_ns = static_cast<int64_t>(given.energy_seconds * 1e9);
  if (given.counter != nullptr) options.counter = given.counter;
  if (given.energy_model != nullptr) options.model_file = given.energy_model;
  return options;
}

void add_steps(pj_profile& profile, const Program& program, const SessionProfile& made) {
  for (const Step& step : program.steps) profile.names.emplace_back(step.name, step.op);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const auto& [name, op] = profile.names[i];
    profile.steps.push_back({sizeof(pj_step_profile), name.c_str(), op.c_str(),
                             static_cast<double>(made.times.steps[i].min_ns) * 1e-6,
                             program.steps[i].macs, made.traffic[i].l2_bytes,
                             made.traffic[i].dram_bytes});
  }
}

Result<std::unique_ptr<pj_profile>> make_profile(Session& session,
                                                 const pj_profile_options& given) {
  PJ_ASSIGN(const EnergyOptions options, energy_options(given));
  PJ_ASSIGN(const SessionProfile made, profile_session(session, given.runs, options));
  auto profile = std::make_unique<pj_profile>();
  add_steps(*profile, session.program(), made);
  profile->time_ms = static_cast<double>(made.times.min_total_ns) * 1e-6;
  const SessionEnergies& energies = made.energies;
  for (const Energy& energy : energies.steps) profile->step_energies.push_back(to_c(energy));
  if (energies.total) profile->total = to_c(*energies.total);
  if (energies.residual) profile->residual = to_c(*energies.residual);
  profile->origin = energies.origin;
  return profile;
}

}  // namespace
}  // namespace pj

extern "C" {
extern __attribute__((visibility("default"))) const pj::ProfileLibrary pj_profile_library;
const pj::ProfileLibrary pj_profile_library = {PJ_VERSION, pj::make_profile};
}
