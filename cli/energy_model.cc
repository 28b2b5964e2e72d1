#include "cli/energy_model.h"

#include <nlohmann/json.hpp>

#include "cli/errors.h"
#include "cli/table.h"

namespace pj::cli {

using namespace pj::energy;

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

std::optional<FoundModel> find_energy_model(const std::string& path) {
  const HostSystem system;
  std::optional<FoundModel> found = unwrap(find_model(system, path));
  const std::string cpu = this_cpu(system);
  if (!path.empty() && found && !found->model.cpu.empty() && !cpu.empty() &&
      found->model.cpu != cpu)
    fmt::print(stderr, "pj: {} was calibrated on '{}'; this CPU is '{}'\n", path,
               printable(found->model.cpu), cpu);
  return found;
}

}  // namespace pj::cli
