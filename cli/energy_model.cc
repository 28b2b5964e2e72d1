#include "cli/energy_model.h"

#include <sched.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/errors.h"
#include "cli/table.h"
#include "runtime/base/file.h"
#include "runtime/energy/cpu_identity.h"
#include "runtime/energy/prior.h"

namespace pj::cli {
namespace {

using namespace pj::energy;
namespace fs = std::filesystem;

constexpr EnergySource kSources[] = {EnergySource::kCalibrated, EnergySource::kPrior};
constexpr IdlePolicy kPolicies[] = {IdlePolicy::kGross, IdlePolicy::kDynamic,
                                    IdlePolicy::kMarginal};

// A member that is a number in [0, most]; nothing otherwise.
std::optional<double> number(const Json& object, const char* name, double most) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number()) return std::nullopt;
  const double value = member->get<double>();
  return std::isfinite(value) && value >= 0 && value <= most ? std::optional(value) : std::nullopt;
}

std::string text(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

template <typename T, size_t n>
Result<T> choice(const Json& object, const char* name, const T (&values)[n]) {
  const std::string wanted = text(object, name);
  std::string all;
  for (const T value : values) {
    if (wanted == name_of(value)) return value;
    all += fmt::format("{}'{}'", all.empty() ? "" : ", ", name_of(value));
  }
  return error(ErrorCode::kModelInvalid, "\"{}\" is '{}', not one of {}", name, wanted, all);
}

Status parse_terms(const Json& terms, EnergyModel& model) {
  for (size_t t = 0; t < kTermCount; ++t) {
    const char* name = name_of(static_cast<Term>(t));
    const auto term = terms.find(name);
    if (term == terms.end()) continue;
    // A kilowatt, or a joule an operation, is far beyond any machine.
    const auto value = number(*term, "value", 1e3), low = number(*term, "low", 1e3),
               high = number(*term, "high", 1e3);
    if (!value || !low || !high || *low > *value || *value > *high)
      return error(ErrorCode::kModelInvalid,
                   "\"joules\": \"{}\" needs numbers 0 <= low <= value <= high", name);
    model.joules[t] = *value, model.low[t] = *low, model.high[t] = *high;
  }
  for (const auto& [name, ignored] : terms.items()) {
    bool known = false;
    for (size_t t = 0; t < kTermCount; ++t) known = known || name == name_of(static_cast<Term>(t));
    if (!known) return error(ErrorCode::kModelInvalid, "\"joules\": unknown term \"{}\"", name);
  }
  return {};
}

EnergyModel read_model(const std::string& path) {
  const auto file = unwrap(MappedFile::open(path));
  const auto bytes = file->bytes();
  auto model =
      parse_energy_model(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  if (!model) fail("{}: {}", path, model.error().message);
  return *model;
}

}  // namespace

Json to_json(const EnergyModel& model) {
  Json terms = Json::object();
  for (size_t t = 0; t < kTermCount; ++t) {
    if (model.high[t] == 0) continue;
    terms[name_of(static_cast<Term>(t))] =
        Json{{"value", model.joules[t]}, {"low", model.low[t]}, {"high", model.high[t]}};
  }
  return Json{{"version", 1},
              {"source", name_of(model.source)},
              {"idle_policy", name_of(model.policy)},
              {"origin", model.origin},
              {"cpu", model.cpu.empty() ? Json() : Json(model.cpu)},
              {"clock_ghz", model.clock_ghz > 0 ? Json(model.clock_ghz) : Json()},
              {"held_out_error",
               model.source == EnergySource::kCalibrated ? Json(model.held_out_error) : Json()},
              {"joules", terms}};
}

std::string to_text(const EnergyModel& model) {
  std::string text = fmt::format("{}, {}: {}\n", name_of(model.source), name_of(model.policy),
                                 printable(model.origin));
  if (model.source == EnergySource::kCalibrated)
    text += fmt::format("mean error on networks that it has not seen: {:.1f} %\n",
                        model.held_out_error * 100);
  Table table({{"term", false}, {"joules a unit", true}, {"low", true}, {"high", true}});
  for (size_t t = 0; t < kTermCount; ++t) {
    if (model.high[t] == 0) continue;
    table.add({name_of(static_cast<Term>(t)), fmt::format("{:.3g}", model.joules[t]),
               fmt::format("{:.3g}", model.low[t]), fmt::format("{:.3g}", model.high[t])});
  }
  return text + "\n" + table.to_string();
}

Result<EnergyModel> parse_energy_model(const std::string& text_of_file) {
  const Json json = Json::parse(text_of_file, nullptr, false);
  if (!json.is_object()) return error(ErrorCode::kModelFormat, "not a JSON object");
  const auto version = number(json, "version", 1e9);
  if (!version) return error(ErrorCode::kModelFormat, "no \"version\": not an energy model");
  if (*version != 1)
    return error(ErrorCode::kModelVersion, "version {} is not known; this pj reads version 1",
                 *version);
  EnergyModel model;
  PJ_ASSIGN(model.source, choice(json, "source", kSources));
  PJ_ASSIGN(model.policy, choice(json, "idle_policy", kPolicies));
  model.origin = text(json, "origin");
  model.cpu = text(json, "cpu");
  model.clock_ghz = number(json, "clock_ghz", 100).value_or(0);
  model.held_out_error = number(json, "held_out_error", 1e3).value_or(0);
  const auto terms = json.find("joules");
  if (terms == json.end() || !terms->is_object())
    return error(ErrorCode::kModelInvalid, "no object \"joules\"");
  PJ_TRY(parse_terms(*terms, model));
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
  fs::path folder;
  if (data != nullptr && *data == '/') {
    folder = data;
  } else if (home != nullptr && *home == '/') {
    folder = fs::path(home) / ".local" / "share";
  } else {
    return "";
  }
  return (folder / "picojoule" / "energy" / (cpu + ".json")).string();
}

std::optional<FoundModel> find_energy_model(const std::string& path) {
  const HostSystem system;
  const std::string cpu = this_cpu(system);
  if (!path.empty()) {
    EnergyModel model = read_model(path);
    if (!model.cpu.empty() && !cpu.empty() && model.cpu != cpu)
      fmt::print(stderr, "pj: {} was calibrated on '{}'; this CPU is '{}'\n", path,
                 printable(model.cpu), cpu);
    return FoundModel{std::move(model), path};
  }
  std::error_code ignored;
  if (!cpu.empty()) {
    const fs::path beside = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (const std::string& file :
         {stored_model_path(cpu), (beside / "energy" / (cpu + ".json")).string()})
      if (!file.empty() && fs::exists(file, ignored)) return FoundModel{read_model(file), file};
  }
  if (auto prior = prior_model(system)) return FoundModel{std::move(*prior), ""};
  return std::nullopt;
}

}  // namespace pj::cli
