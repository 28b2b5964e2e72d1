// Profiles of sessions, and energies that keep what belongs to them.
#include <dlfcn.h>

#include <type_traits>

#include "bindings/c/handles.h"
#include "bindings/profile/library.h"

namespace pj {
namespace {

// The file beside this library's own. Errors: kPlatformUnsupported if there is none of this
// version.
Result<const ProfileLibrary*> load_profile_library() {
  Dl_info self{};
  static const char here = 0;  // unlike a function's address always in this library
  dladdr(&here, &self);
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

Result<pj_profile*> make_profile(pj_session* session, const pj_profile_options* given) {
  PJ_TRY(check_pointer(session, "session"));
  PJ_TRY(check_prepared(*session));
  const pj_profile_options defaults = PJ_PROFILE_OPTIONS_INIT;
  if (given != nullptr) PJ_TRY(check_struct(given, "pj_profile_options"));
  static const Result<const ProfileLibrary*> library = load_profile_library();
  if (!library) return tl::unexpected(library.error());
  PJ_ASSIGN(std::unique_ptr<pj_profile> profile,
            (*library)->profile(*session->session, given != nullptr ? *given : defaults));
  return profile.release();
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
  return pj::give(pj::make_profile(session, options), profile);
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
