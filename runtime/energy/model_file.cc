#include "runtime/energy/model_file.h"

#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "runtime/base/file.h"
#include "runtime/energy/cpu_identity.h"
#include "runtime/energy/json.h"
#include "runtime/energy/prior.h"

namespace pj::energy {
namespace {

constexpr EnergySource kSources[] = {EnergySource::kCalibrated, EnergySource::kPrior};
constexpr IdlePolicy kPolicies[] = {IdlePolicy::kGross, IdlePolicy::kDynamic,
                                    IdlePolicy::kMarginal};

std::string text_of(const JsonMembers& json, std::string_view name) {
  const auto member = json.find(name);
  return member == json.end() ? "" : member->second;
}

// A member that is a number in [0, most]; nothing otherwise.
std::optional<double> number(const JsonMembers& json, std::string_view name, double most) {
  const auto value = parse_real(text_of(json, name));
  return value && *value >= 0 && *value <= most ? value : std::nullopt;
}

template <typename T, size_t n>
Result<T> choice(const JsonMembers& json, const char* name, const T (&values)[n]) {
  const std::string wanted = text_of(json, name);
  std::string all;
  for (const T value : values) {
    if (wanted == name_of(value)) return value;
    all += fmt::format("{}'{}'", all.empty() ? "" : ", ", name_of(value));
  }
  return error(ErrorCode::kModelInvalid, "\"{}\" is '{}', not one of {}", name, wanted, all);
}

Status parse_terms(const JsonMembers& json, EnergyModel& model) {
  constexpr std::string_view kPrefix = "joules.";
  for (size_t t = 0; t < kTermCount; ++t) {
    const char* name = name_of(static_cast<Term>(t));
    const std::string path = std::string(kPrefix) + name;
    if (!json.contains(path)) continue;
    // A kilowatt, or a joule an operation, is far beyond any machine.
    const auto value = number(json, path + ".value", 1e3), low = number(json, path + ".low", 1e3),
               high = number(json, path + ".high", 1e3);
    if (!value || !low || !high || *low > *value || *value > *high)
      return error(ErrorCode::kModelInvalid,
                   "\"joules\": \"{}\" needs numbers 0 <= low <= value <= high", name);
    model.joules[t] = *value, model.low[t] = *low, model.high[t] = *high;
  }
  for (const auto& [path, ignored] : json) {
    if (!path.starts_with(kPrefix)) continue;
    const std::string name =
        path.substr(kPrefix.size(), path.find('.', kPrefix.size()) - kPrefix.size());
    bool known = false;
    for (size_t t = 0; t < kTermCount; ++t) known = known || name == name_of(static_cast<Term>(t));
    if (!known) return error(ErrorCode::kModelInvalid, "\"joules\": unknown term \"{}\"", name);
  }
  return {};
}

Result<EnergyModel> read_model(const std::string& path) {
  PJ_ASSIGN(const auto file, MappedFile::open(path));
  const auto bytes = file->bytes();
  auto model = parse_model({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!model) return error(model.error().code, "{}: {}", path, model.error().message);
  return model;
}

std::string folder_of_program() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  const std::string_view program(path, size > 0 ? static_cast<size_t>(size) : 0);
  return std::string(program.substr(0, program.rfind('/') + 1));
}

}  // namespace

Result<EnergyModel> parse_model(std::string_view text) {
  const std::optional<JsonMembers> json = parse_json_object(text);
  if (!json) return error(ErrorCode::kModelFormat, "not a JSON object");
  const auto version = number(*json, "version", 1e9);
  if (!version) return error(ErrorCode::kModelFormat, "no \"version\": not an energy model");
  if (*version != 1)
    return error(ErrorCode::kModelVersion, "version {} is not known; this pj reads version 1",
                 *version);
  EnergyModel model;
  PJ_ASSIGN(model.source, choice(*json, "source", kSources));
  PJ_ASSIGN(model.policy, choice(*json, "idle_policy", kPolicies));
  model.origin = text_of(*json, "origin");
  if (const std::string cpu = text_of(*json, "cpu"); cpu != "null") model.cpu = cpu;
  model.clock_ghz = number(*json, "clock_ghz", 100).value_or(0);
  model.held_out_error = number(*json, "held_out_error", 1e3).value_or(0);
  if (text_of(*json, "joules") != "{")
    return error(ErrorCode::kModelInvalid, "no object \"joules\"");
  PJ_TRY(parse_terms(*json, model));
  return model;
}

std::string this_cpu(const System& system) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  return cpu_identity(system, cpus);
}

std::string stored_model_path(const std::string& cpu) {
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  std::string folder;
  if (data != nullptr && *data == '/') {
    folder = data;
  } else if (home != nullptr && *home == '/') {
    folder = std::string(home) + "/.local/share";
  } else {
    return "";
  }
  return folder + "/picojoule/energy/" + cpu + ".json";
}

Result<std::optional<FoundModel>> find_model(const System& system, const std::string& path) {
  std::vector<std::string> files;
  if (!path.empty()) files.push_back(path);
  if (const std::string cpu = this_cpu(system); path.empty() && !cpu.empty())
    files = {stored_model_path(cpu), folder_of_program() + "energy/" + cpu + ".json"};
  for (const std::string& file : files) {
    if (path.empty() && (file.empty() || access(file.c_str(), F_OK) != 0)) continue;
    PJ_ASSIGN(EnergyModel model, read_model(file));
    return FoundModel{std::move(model), file};
  }
  if (auto prior = prior_model(system)) return FoundModel{std::move(*prior), ""};
  return std::optional<FoundModel>();
}

}  // namespace pj::energy
