// Profiles of sessions, and energies that keep what belongs to them.
#include <dlfcn.h>

#include <type_traits>

#include "bindings/c/handles.h"
#include "bindings/profile/library.h"

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

// The file beside this library's own. Errors: kPlatformUnsupported if there is none of this
// version.
Result<const ProfileLibrary*> load_profile_library() {
  Dl_info self{};
  dladdr(reinterpret_cast<const void*>(&pj_session_profile), &self);
  const std::string_view own = self.dli_fname != nullptr ? self.dli_fname : "";
  const std::string path =
      std::string(own.substr(0, own.rfind('/') + 1)) + "libpicojoule_profile.so.0";
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto* library =
      handle != nullptr ? static_cast<const ProfileLibrary*>(dlsym(handle, "pj_profile_library"))
                        : nullptr;
  if (library == nullptr)
    return error(ErrorCode::kPlatformUnsupported,
                 "profiling needs libpicojoule_profile.so beside libpicojoule.so: {}", dlerror());
  if (std::string_view(library->version) != pj_version())
    return error(ErrorCode::kPlatformUnsupported, "{} is of version {}, this library of version {}",
                 path, library->version, pj_version());
  return library;
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

Result<std::unique_ptr<pj_profile>> make_profile(pj_session* session,
                                                 const pj_profile_options* given) {
  PJ_TRY(check_pointer(session, "session"));
  PJ_TRY(check_prepared(*session));
  const pj_profile_options defaults = PJ_PROFILE_OPTIONS_INIT;
  if (given != nullptr) PJ_TRY(check_struct(given, "pj_profile_options"));
  const pj_profile_options& chosen = given != nullptr ? *given : defaults;
  PJ_ASSIGN(const EnergyOptions options, energy_options(chosen));
  static const Result<const ProfileLibrary*> library = load_profile_library();
  if (!library) return tl::unexpected(library.error());
  Session& s = *session->session;
  PJ_ASSIGN(const SessionProfile made, (*library)->profile(s, chosen.runs, options));
  auto profile = std::make_unique<pj_profile>();
  add_steps(*profile, s.program(), made);
  profile->time_ms = static_cast<double>(made.times.min_total_ns) * 1e-6;
  const SessionEnergies& energies = made.energies;
  for (const Energy& energy : energies.steps) profile->step_energies.push_back(to_c(energy));
  if (energies.total) profile->total = to_c(*energies.total);
  if (energies.residual) profile->residual = to_c(*energies.residual);
  profile->origin = energies.origin;
  return profile;
}

Status check_step(const pj_profile* profile, size_t index) {
  PJ_TRY(check_pointer(profile, "profile"));
  if (index < profile->steps.size()) return {};
  return error(ErrorCode::kInvalidArgument, "there is no step {}: the model has {}, counted from 0",
               index, profile->steps.size());
}

Status fill_step(const pj_profile* profile, size_t index, pj_step_profile* step) {
  PJ_TRY(check_step(profile, index));
  PJ_TRY(check_pointer(step, "step"));
  PJ_TRY(check_struct(step, "pj_step_profile"));
  *step = profile->steps[index];
  return {};
}

Status fill_values(const pj_energy* energy, double* uj, double* low, double* high,
                   pj_energy_source* source, pj_idle_policy* policy) {
  for (const auto& [pointer, name] : {std::pair<const void*, const char*>(energy, "energy"),
                                      {uj, "uj"},
                                      {low, "low_uj"},
                                      {high, "high_uj"},
                                      {source, "source"},
                                      {policy, "idle_policy"}})
    PJ_TRY(check_pointer(pointer, name));
  energy->energy.visit([&]<typename T>(std::string_view name, const T& value) {
    if constexpr (std::is_same_v<T, double>)
      *(name == "energy_uj" ? uj : (name == "energy_low_uj" ? low : high)) = value;
  });
  *source = static_cast<pj_energy_source>(energy->energy.source());
  *policy = static_cast<pj_idle_policy>(energy->energy.policy());
  return {};
}

// The profile's, after a check; null if there is none.
template <typename Get>
const pj_energy* find(const Status& ok, Get get) {
  if (!ok) report(ok);
  return ok ? get() : nullptr;
}

const pj_energy* address(const std::optional<pj_energy>& energy) {
  return energy ? &*energy : nullptr;
}

}  // namespace
}  // namespace pj

extern "C" {

pj_status pj_session_profile(pj_session* session, const pj_profile_options* options,
                             pj_profile** profile) noexcept {
  if (auto ok = pj::check_pointer(profile, "profile"); !ok) return pj::report(ok);
  auto made = pj::make_profile(session, options);
  *profile = made ? made->release() : nullptr;
  return made ? pj_ok : pj::report(made.error());
}

void pj_profile_free(pj_profile* profile) noexcept { delete profile; }

size_t pj_profile_step_count(const pj_profile* profile) noexcept {
  const auto ok = pj::check_pointer(profile, "profile");
  if (!ok) pj::report(ok);
  return ok ? profile->steps.size() : 0;
}

pj_status pj_profile_step(const pj_profile* profile, size_t index, pj_step_profile* step) noexcept {
  return pj::report(pj::fill_step(profile, index, step));
}

double pj_profile_time_ms(const pj_profile* profile) noexcept {
  const auto ok = pj::check_pointer(profile, "profile");
  if (!ok) pj::report(ok);
  return ok ? profile->time_ms : 0;
}

const pj_energy* pj_profile_energy(const pj_profile* profile) noexcept {
  return pj::find(pj::check_pointer(profile, "profile"),
                  [&] { return pj::address(profile->total); });
}

const pj_energy* pj_profile_step_energy(const pj_profile* profile, size_t index) noexcept {
  return pj::find(pj::check_step(profile, index), [&] {
    return profile->step_energies.empty() ? nullptr : &profile->step_energies[index];
  });
}

const pj_energy* pj_profile_residual(const pj_profile* profile) noexcept {
  return pj::find(pj::check_pointer(profile, "profile"),
                  [&] { return pj::address(profile->residual); });
}

const char* pj_profile_energy_origin(const pj_profile* profile) noexcept {
  const auto ok = pj::check_pointer(profile, "profile");
  if (!ok) pj::report(ok);
  return ok ? profile->origin.c_str() : "";
}

const char* pj_energy_text(const pj_energy* energy) noexcept {
  return energy != nullptr ? energy->text.c_str() : "unknown";
}

pj_status pj_energy_values(const pj_energy* energy, double* uj, double* low_uj, double* high_uj,
                           pj_energy_source* source, pj_idle_policy* idle_policy) noexcept {
  return pj::report(pj::fill_values(energy, uj, low_uj, high_uj, source, idle_policy));
}

}  // extern "C"
