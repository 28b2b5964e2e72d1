// pj profile: where the time and the energy of a model go, step by step.
#include "runtime/profile/profile.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>

#include "cli/commands.h"
#include "cli/counters.h"
#include "cli/energy_json.h"
#include "cli/energy_model.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/measured_energy.h"
#include "cli/step_energy.h"
#include "cli/step_traffic.h"
#include "cli/table.h"
#include "runtime/base/clock.h"
#include "runtime/graph/op_table.h"

namespace pj::cli {
namespace {

struct Options {
  std::string model;
  int64_t runs = 0;  // 0: as many as fit into a second
  bool json = false;
  std::string energy = "auto", counter, idle = "gross";
  std::string energy_model;  // file; empty: this machine's prior
  std::string caches;        // to count bytes for; empty: this machine's
  ExecutionOptions execution;
};

constexpr int kWarmup = 3;
constexpr int kLeastRuns = 5;

Profile take_profile(Session& session, int64_t runs) {
  fill_random(session);
  for (int i = 0; i < kWarmup; ++i) unwrap(session.run());
  Profile profile = session.make_profile();
  const int64_t end = now_ns() + 1'000'000'000;
  while (runs > 0 ? profile.runs < runs : profile.runs < kLeastRuns || now_ns() < end)
    unwrap(session.run(profile));
  return profile;
}

// Times in ms: of each step and of a whole run the fastest, since what disturbs a run only ever
// adds.
struct Times {
  explicit Times(const Profile& p) {
    const auto runs = static_cast<double>(p.runs);
    mean = static_cast<double>(p.total_ns) / runs * 1e-6;
    for (const StepTime& s : p.steps) {
      steps.push_back(static_cast<double>(s.min_ns) * 1e-6);
      sum += steps.back();
    }
    whole = static_cast<double>(p.min_total_ns) * 1e-6;
  }
  double share(size_t i) const { return sum > 0 ? steps[i] / sum : 0; }

  std::vector<double> steps;
  double sum = 0, whole = 0, mean = 0;
};

// What each step and the whole cost, and where that comes from. Empty if nothing is known.
struct Energies {
  std::vector<energy::Energy> steps;
  std::optional<energy::Energy> total, residual;  // a residual only where it was measured
  std::string origin;
};

Energies modelled_energies(const Session& session, const Times& times,
                           const energy::EnergyModel& model) {
  std::vector<double> seconds;
  for (double ms : times.steps) seconds.push_back(ms * 1e-3);
  Energies energies;
  energies.steps = step_energies(session, seconds, model);
  for (const energy::Energy& step : energies.steps)
    energies.total = energies.total ? *energies.total + step : step;
  energies.origin = model.origin;
  return energies;
}

// Nothing, after saying why, if the counter turns out to be of no use.
std::optional<Energies> measured_energies(Session& session, energy::Counter& counter,
                                          const Options& o) {
  energy::LiveMeter meter(counter);
  energy::AttributionOptions attribution;
  attribution.policy = unwrap(idle_policy_by_name(o.idle), kUsage);
  const double seconds = expected_seconds(meter, session.program().steps.size(), attribution);
  if (seconds > 10)
    fmt::print(stderr, "pj: measuring with this counter takes about {:.0f} s\n", seconds);
  const auto measured = measure_steps(session, meter, attribution);
  if (!measured) {
    fmt::print(stderr, "pj: energy is not measured: {}\n", printable(measured.error().message));
    return std::nullopt;
  }
  return Energies{measured->steps, measured->whole, measured->residual,
                  fmt::format("{} {}, {} rounds", counter.info().source, counter.info().domain,
                              measured->plan.rounds)};
}

// The counter to measure with: without being asked only one that is fast enough.
energy::Counter* choose_counter(const energy::System& system, const energy::Counters& counters,
                                const Options& o) {
  const auto counter = step_counter(system, counters, o.counter);
  const bool asked = o.energy == "measure" || !o.counter.empty();
  if (asked) return unwrap(counter);
  return counter && (*counter)->info().kind == energy::CounterKind::kAccumulating ? *counter
                                                                                  : nullptr;
}

Energies find_energies(Session& session, const Times& times, const Options& o) {
  if (o.energy == "off") return {};
  if (o.energy == "measure" || (o.energy == "auto" && o.energy_model.empty())) {
    const energy::HostSystem system;
    const energy::Counters counters = find_counters(system);
    if (energy::Counter* counter = choose_counter(system, counters, o))
      if (const auto measured = measured_energies(session, *counter, o)) return *measured;
    if (o.energy == "measure") fail("energy could not be measured");
  }
  const std::optional<FoundModel> found = find_energy_model(o.energy_model);
  return found ? modelled_energies(session, times, found->model) : Energies{};
}

double gmacs(int64_t macs, double ms) {
  return ms > 0 ? static_cast<double>(macs) / (ms * 1e6) : 0;
}

std::string member_kernel(const Step& step, size_t member) {
  return kernel_catalog()[static_cast<size_t>(step.members[member].kernel)].name;
}

std::string kernel_name(const Session& session, const Step& step) {
  if (step.prepared) {
    const Op& op = session.compiled().graph.ops[static_cast<size_t>(step.op_indices[0])];
    return session.model().options().prepared->kernel_name(op);
  }
  if (step.rows_per_step > 0)
    return fmt::format("{} rows of {} layers", step.rows_per_step, step.members.size());
  return member_kernel(step, 0);
}

// The tensors that go into a step or come out of it.
std::vector<TensorId> step_tensors(const Graph& graph, const Step& step, bool inputs) {
  if (step.op_indices.empty()) return {};
  const Op& op =
      graph.ops[static_cast<size_t>(inputs ? step.op_indices.front() : step.op_indices.back())];
  std::vector<TensorId> present;
  for (TensorId id : inputs ? op.inputs : op.outputs)
    if (id != kNoTensor) present.push_back(id);
  return present;
}

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

Json step_json(const Session& session, size_t i, const Times& times, const Traffic& traffic,
               const Energies& energies) {
  const Step& step = session.program().steps[i];
  const Graph& graph = session.compiled().graph;
  Json json{{"index", i},
            {"name", step.name},
            {"op", step.op},
            {"kernel", kernel_name(session, step)},
            {"members", members_json(graph, step)},
            {"shapes", shapes_json(graph, step)},
            {"macs", step.macs}};
  add_traffic(json, traffic);
  json["bound"] = bound_of(step, session.model().options().catalog, traffic);
  json["time_ms"] = times.steps[i];
  json["share"] = times.share(i);
  json["gmacs"] = step.macs > 0 ? Json(gmacs(step.macs, times.steps[i])) : Json();
  add_energy(json, energies.steps.empty() ? nullptr : &energies.steps[i]);
  return json;
}

int64_t total_macs(const Program& program) {
  int64_t macs = 0;
  for (const Step& step : program.steps) macs += step.macs;
  return macs;
}

Json to_json(const OpenModel& open, const Profile& profile, const Times& times,
             const std::vector<Traffic>& traffic, const Energies& energies) {
  const Session& session = *open.session;
  Json steps = Json::array();
  for (size_t i = 0; i < times.steps.size(); ++i)
    steps.push_back(step_json(session, i, times, traffic[i], energies));
  const int64_t macs = total_macs(session.program());
  Json totals{{"steps", times.steps.size()},
              {"macs", macs},
              {"steps_ms", times.sum},
              {"time_ms", times.whole},
              {"overhead_ms", times.whole - times.sum},
              {"mean_ms", times.mean},
              {"gmacs", macs > 0 ? Json(gmacs(macs, times.whole)) : Json()}};
  const Traffic moved = total_of(traffic);
  add_traffic(totals, moved);
  totals["l1_misses"] = moved.l1_misses;
  totals["last_cache_misses"] = moved.last_misses;
  add_energy(totals, energies.total ? &*energies.total : nullptr);
  Json residual;
  if (energies.residual) add_energy(residual, &*energies.residual);
  totals["residual"] = residual;
  return Json{{"model", open.name},
              {"threads", session.threads()},
              {"isa", level_name(open.model->options().target.isa)},
              {"runs", profile.runs},
              {"steps", steps},
              {"totals", totals}};
}

// The layers of a band, below it.
void add_members(Table& table, const Graph& graph, const Step& step) {
  for (size_t m = 0; m < step.members.size(); ++m) {
    const Op& op = graph.ops[static_cast<size_t>(step.op_indices[m])];
    const Tensor& y = graph.tensor(op.outputs[0]);
    const int64_t macs = mac_count(graph, op);
    table.add({"", "  " + shorten(printable(op.name.empty() ? y.name : op.name), 30),
               op.display_name(), member_kernel(step, m), to_string(y.shape),
               macs > 0 ? count_text(macs) : "-", "", "", "", "", "", ""});
  }
}

void print_energy(const Energies& energies) {
  if (!energies.total) return;
  fmt::print("energy of a run {}\n", energies.total->text());
  if (energies.residual) fmt::print("  of it not in steps: {}\n", energies.residual->text());
  fmt::print("  {}\n", printable(energies.origin));
}

void print_text(const OpenModel& open, const Profile& profile, const Times& times,
                const std::vector<Traffic>& traffic, const Energies& energies) {
  const Session& session = *open.session;
  const Graph& graph = session.compiled().graph;
  Table table({{"#", true},
               {"name", false},
               {"op", false},
               {"kernel", false},
               {"output", false},
               {"MACs", true},
               {"ms", true},
               {"share", true},
               {"GMAC/s", true},
               {"L2 kB", true},
               {"DRAM kB", true},
               {energies.steps.empty() ? "" : "energy", false}});
  for (size_t i = 0; i < times.steps.size(); ++i) {
    const Step& step = session.program().steps[i];
    const auto outputs = step_tensors(graph, step, false);
    table.add({fmt::format("{}", i), shorten(printable(step.name), 32), step.op,
               kernel_name(session, step),
               outputs.empty() ? "-" : to_string(graph.tensor(outputs[0]).shape),
               step.macs > 0 ? count_text(step.macs) : "-", ms_text(times.steps[i]),
               fmt::format("{:.1f} %", times.share(i) * 100),
               step.macs > 0 ? fmt::format("{:.1f}", gmacs(step.macs, times.steps[i])) : "-",
               kilobytes_text(traffic[i].l2_bytes), kilobytes_text(traffic[i].dram_bytes),
               energies.steps.empty() ? "" : energies.steps[i].text()});
    if (step.rows_per_step > 0) add_members(table, graph, step);
  }
  fmt::print("{}", table.to_string());
  const int64_t macs = total_macs(session.program());
  fmt::print(
      "\nsum of steps {} ms, whole run {} ms, overhead {} ms ({:.1f} %); {} MACs, {:.1f} GMAC/s\n"
      "fastest of {} runs, for each step and for the whole (mean of a run {} ms); {} thread{}, "
      "{}\n",
      ms_text(times.sum), ms_text(times.whole), ms_text(times.whole - times.sum),
      times.whole > 0 ? (times.whole - times.sum) / times.whole * 100 : 0, count_text(macs),
      gmacs(macs, times.whole), profile.runs, ms_text(times.mean), session.threads(),
      session.threads() == 1 ? "" : "s", level_name(open.model->options().target.isa));
  print_traffic(total_of(traffic));
  print_energy(energies);
}

}  // namespace

int profile_command(const Args& args) {
  Options o;
  CLI::App app("Show where the time and the energy of a model go, step by step.", "pj profile");
  app.add_option("MODEL", o.model, kModelHelp)->required();
  app.add_option("--runs", o.runs,
                 "inferences to measure (default: as many as fit into 1 s, at least 5)")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  app.add_flag("--json", o.json, "one JSON object; what is not known is null");
  app.add_option(
         "--energy", o.energy,
         "auto: measure it for 5 s if this machine has a counter, else compute it; measure: "
         "with slower counters too; model: compute it; off")
      ->check(CLI::IsMember({"auto", "measure", "model", "off"}))
      ->type_name("HOW");
  app.add_option("--counter", o.counter, kCounterHelp)->type_name("DOMAIN");
  app.add_option("--idle", o.idle,
                 "what measured joules are without: gross (nothing; default), dynamic (the resting "
                 "machine), marginal (a spinning core)")
      ->check(CLI::IsMember({"gross", "dynamic", "marginal"}))
      ->type_name("POLICY");
  app.add_option("--energy-model", o.energy_model,
                 "compute energy by this model (default: what `pj calibrate` found, else published "
                 "figures of this kind of CPU; see `pj energy model`)")
      ->type_name("FILE");
  app.add_option("--caches", o.caches,
                 "count bytes for data caches of BYTES/WAYS each, first to last, for example "
                 "32768/4,524288/16 (default: this machine's)")
      ->type_name("A,B");
  add_execution_options(app, o.execution, DefaultThreads::kOne);
  app.footer(
      "Three inferences warm up first. Inputs are those of `pj bench`. Overhead is what a run "
      "takes\n"
      "beyond its steps; reading the clock between steps is a part of it.\n"
      "Bytes are counted by a model of the caches, for one thread: L2 kB pass between the first\n"
      "cache and what is behind it, DRAM kB between the last one and memory.\n"
      "Energy says whether it was measured or computed, and how sure it is.\n\n"
      "Examples:\n"
      "  pj profile builtin:fashion\n"
      "  pj profile mobilenet.tflite --threads 2 --runs 200\n"
      "  pj profile mobilenet.tflite --json | jq '.steps[] | [.name, .time_ms]'");
  if (const auto status = parse(app, args)) return *status;
  if (!o.energy_model.empty()) find_energy_model(o.energy_model);  // a mistake shows at once
  const std::optional<Caches> caches = parse_caches(o.caches);
  const OpenModel open = open_model(o.model, o.execution);
  complete_shapes(*open.session);
  const std::vector<Traffic> traffic = step_traffic(*open.session, caches);
  const Profile profile = take_profile(*open.session, o.runs);
  const Times times(profile);
  const Energies energies = find_energies(*open.session, times, o);
  if (o.json) {
    print_json(to_json(open, profile, times, traffic, energies));
  } else {
    print_text(open, profile, times, traffic, energies);
  }
  return kOk;
}

}  // namespace pj::cli
