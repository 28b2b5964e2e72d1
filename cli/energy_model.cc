#include "cli/energy_model.h"

#include <cmath>

#include "cli/errors.h"
#include "runtime/base/file.h"
#include "runtime/energy/prior.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

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
              {"held_out_error",
               model.source == EnergySource::kCalibrated ? Json(model.held_out_error) : Json()},
              {"joules", terms}};
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
  model.held_out_error = number(json, "held_out_error", 1e3).value_or(0);
  const auto terms = json.find("joules");
  if (terms == json.end() || !terms->is_object())
    return error(ErrorCode::kModelInvalid, "no object \"joules\"");
  PJ_TRY(parse_terms(*terms, model));
  return model;
}

std::optional<EnergyModel> open_energy_model(const std::string& path) {
  if (path.empty()) return prior_model(HostSystem());
  const auto file = unwrap(MappedFile::open(path));
  const auto bytes = file->bytes();
  auto model =
      parse_energy_model(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  if (!model) fail("{}: {}", path, model.error().message);
  return *model;
}

}  // namespace pj::cli
