// pj profile --json.
#include <nlohmann/json.hpp>

#include "cli/energy_json.h"
#include "cli/profile_report.h"
#include "cli/step_traffic.h"

namespace pj::cli {
namespace {

Json shapes_json(const Graph& graph, const Step& step) {
  Json inputs = Json::array(), outputs = Json::array();
  for (TensorId id : step_tensors(graph, step, true))
    inputs.push_back(shape_json(graph.tensor(id).shape));
  for (TensorId id : step_tensors(graph, step, false))
    outputs.push_back(shape_json(graph.tensor(id).shape));
  return Json{{"inputs", inputs}, {"outputs", outputs}};
}

Json members_json(const Graph& graph, const Step& step) {
  Json members = Json::array();
  for (size_t m = 0; m < step.op_indices.size(); ++m) {
    const Op& op = graph.ops[static_cast<size_t>(step.op_indices[m])];
    members.push_back(Json{{"op_index", step.op_indices[m]},
                           {"name", op.name},
                           {"op", op.display_name()},
                           {"kernel", step.prepared ? Json() : Json(member_kernel(step, m))}});
  }
  return members;
}

Json step_json(const ProfileReport& report, size_t i) {
  const Session& session = report.session();
  const Step& step = report.step(i);
  const Graph& graph = session.compiled().graph;
  const double ms = report.times.steps[i];
  Json json{{"index", i},
            {"name", step.name},
            {"op", step.op},
            {"kernel", kernel_name(session, step)},
            {"members", members_json(graph, step)},
            {"shapes", shapes_json(graph, step)},
            {"macs", step.macs}};
  add_traffic(json, report.traffic[i]);
  const StepBound& bound = report.bounds[i];
  json["bound"] = bound.name.empty() ? Json() : Json(bound.name);
  json["bound_share"] = bound.name.empty() ? Json() : Json(bound.explained);
  json["time_ms"] = ms;
  json["share"] = report.times.share(i);
  json["gmacs"] = step.macs > 0 ? Json(gmacs(step.macs, ms)) : Json();
  add_energy(json, report.energies.step(i));
  // Only of a step that was measured in context: by itself it finds its weights warmer.
  if (const energy::Energy* repeated = report.energies.repeated_step(i)) {
    json["repeated"] = Json::object();
    add_energy(json["repeated"], repeated);
  }
  return json;
}

Json totals_json(const ProfileReport& report) {
  const Times& times = report.times;
  const int64_t macs = total_macs(report.session().program());
  const double bound = bound_ms(report.bounds);
  Json totals{{"steps", times.steps.size()},
              {"macs", macs},
              {"steps_ms", times.sum},
              {"time_ms", times.whole},
              {"bound_ms", bound > 0 ? Json(bound) : Json()},
              {"overhead_ms", times.whole - times.sum},
              {"mean_ms", times.mean},
              {"gmacs", macs > 0 ? Json(gmacs(macs, times.whole)) : Json()}};
  const Traffic moved = total_of(report.traffic);
  add_traffic(totals, moved);
  totals["l1_misses"] = moved.l1_misses;
  totals["last_cache_misses"] = moved.last_misses;
  const energy::SessionEnergies& energies = report.energies;
  add_energy(totals, energies.total ? &*energies.total : nullptr);
  Json residual;
  if (energies.residual) add_energy(residual, &*energies.residual);
  totals["residual"] = residual;
  totals["energy_origin"] = energies.origin.empty() ? Json() : Json(energies.origin);
  return totals;
}

}  // namespace

Json to_json(const ProfileReport& report) {
  Json steps = Json::array();
  for (size_t i = 0; i < report.times.steps.size(); ++i) steps.push_back(step_json(report, i));
  return Json{{"model", report.open.name},
              {"threads", report.session().threads()},
              {"isa", level_name(report.open.model->options().target.isa)},
              {"runs", report.runs},
              {"steps", steps},
              {"totals", totals_json(report)},
              {"hints", report.hints}};
}

}  // namespace pj::cli
