#include "cli/energy_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace pj::cli {
namespace {

using namespace pj::energy;

constexpr const char* kMembers[] = {"energy_uj", "energy_low_uj", "energy_high_uj", "energy_source",
                                    "idle_policy"};

// A member, whatever it is; null if it is missing.
Json member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() ? Json() : *found;
}

template <typename T>
std::optional<T> named(const Json& json, std::initializer_list<T> values) {
  for (const T value : values)
    if (json.is_string() && json.get<std::string>() == name_of(value)) return value;
  return std::nullopt;
}

}  // namespace

void add_energy(Json& json, const Energy* energy) {
  for (const char* name : kMembers) json[name] = nullptr;
  if (energy != nullptr)
    energy->visit([&](const char* name, const auto& value) { json[name] = value; });
}

Result<std::optional<Energy>> parse_energy(const Json& json) {
  if (!json.is_object()) return error(ErrorCode::kModelInvalid, "an energy that is no object");
  if (member(json, "energy_uj").is_null()) return std::optional<Energy>();
  double joules[3] = {};
  for (int i = 0; i < 3; ++i) {
    const Json value = member(json, kMembers[i]);
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      return error(ErrorCode::kModelInvalid, "\"{}\" is no number", kMembers[i]);
    joules[i] = value.get<double>() * 1e-6;
  }
  if (joules[1] > joules[0] || joules[0] > joules[2])
    return error(ErrorCode::kModelInvalid, "an energy that is not in its own interval");
  const auto source =
      named(member(json, "energy_source"),
            {EnergySource::kMeasured, EnergySource::kCalibrated, EnergySource::kPrior});
  const auto policy = named(member(json, "idle_policy"),
                            {IdlePolicy::kGross, IdlePolicy::kDynamic, IdlePolicy::kMarginal});
  if (!source)
    return error(ErrorCode::kModelInvalid, "an energy without a known \"energy_source\"");
  if (!policy) return error(ErrorCode::kModelInvalid, "an energy without a known \"idle_policy\"");
  return std::optional<Energy>(Energy(joules[0], joules[1], joules[2], *source, *policy));
}

}  // namespace pj::cli
