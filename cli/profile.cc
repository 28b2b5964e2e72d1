// pj profile: where the time and the energy of a model go, step by step.
#include "runtime/profile/profile.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/counters.h"
#include "cli/energy_model.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/measured_energy.h"
#include "cli/profile_report.h"
#include "cli/step_energy.h"
#include "cli/step_traffic.h"
#include "runtime/base/clock.h"

namespace pj::cli {
namespace {

struct Options {
  std::string model;
  int64_t runs = 0;  // 0: as many as fit into a second
  bool json = false;
  std::string trace, html;  // files to write
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

Energies modelled_energies(const Session& session, const Times& times,
                           const std::vector<Traffic>& traffic, const energy::EnergyModel& model) {
  std::vector<double> seconds;
  for (double ms : times.steps) seconds.push_back(ms * 1e-3);
  Energies energies;
  energies.steps = step_energies(session, seconds, traffic, model);
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
  const bool asked = o.energy == "measure" || !o.counter.empty();
  if (!asked && (o.energy != "auto" || !o.energy_model.empty())) return nullptr;
  const auto counter = step_counter(system, counters, o.counter);
  if (asked) return unwrap(counter);
  return counter && (*counter)->info().kind == energy::CounterKind::kAccumulating ? *counter
                                                                                  : nullptr;
}

Energies find_energies(Session& session, const Times& times, const std::vector<Traffic>& traffic,
                       energy::Counter* counter, const Options& o) {
  if (o.energy == "off") return {};
  if (counter != nullptr)
    if (const auto measured = measured_energies(session, *counter, o)) return *measured;
  if (o.energy == "measure") fail("energy could not be measured");
  const std::optional<FoundModel> found = find_energy_model(o.energy_model);
  return found ? modelled_energies(session, times, traffic, found->model) : Energies{};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush())
    fail("cannot write '{}': does its folder exist, and may you write there?", path);
}

}  // namespace

int profile_command(const Args& args) {
  Options o;
  Parser parser("Show where the time and the energy of a model go, step by step.", "pj profile");
  parser.option("MODEL", o.model, kModelHelp).required();
  parser
      .option("--runs", o.runs,
              "inferences to measure (default: as many as fit into 1 s, at least 5)")
      .range(1, 1 << 30)
      .type_name("N");
  parser.flag("--json", o.json, "one JSON object; what is not known is null");
  parser
      .option("--trace", o.trace,
              "also write when each thread ran which step, and the power where it is measured, "
              "for ui.perfetto.dev or chrome://tracing")
      .type_name("FILE");
  parser.option("--html", o.html, "also write a page with timeline, roofline and energies")
      .type_name("FILE");
  parser
      .option("--energy", o.energy,
              "auto: measure it for 5 s if this machine has a counter, else compute it; measure: "
              "with slower counters too; model: compute it; off")
      .one_of({"auto", "measure", "model", "off"})
      .type_name("HOW");
  parser.option("--counter", o.counter, kCounterHelp).type_name("DOMAIN");
  parser
      .option("--idle", o.idle,
              "what measured joules are without: gross (nothing; default), dynamic (the resting "
              "machine), marginal (a spinning core)")
      .one_of({"gross", "dynamic", "marginal"})
      .type_name("POLICY");
  parser
      .option("--energy-model", o.energy_model,
              "compute energy by this model (default: what `pj calibrate` found, else published "
              "figures of this kind of CPU; see `pj energy model`)")
      .type_name("FILE");
  parser
      .option("--caches", o.caches,
              "count bytes for data caches of BYTES/WAYS each, first to last, for example "
              "32768/4,524288/16 (default: this machine's)")
      .type_name("A,B");
  add_execution_options(parser, o.execution, DefaultThreads::kOne);
  parser.footer(
      "Three inferences warm up first. Inputs are those of `pj bench`. Overhead is what a run "
      "takes\n"
      "beyond its steps; reading the clock between steps is a part of it.\n"
      "Bytes are counted by a model of the caches, for one thread: L2 kB pass between the first\n"
      "cache and what is behind it, DRAM kB between the last one and memory.\n"
      "Bound is what a step waits for: compute, L1, L2, L3 or DRAM, by the peaks of `pj doctor`, "
      "or\n"
      "overhead where those explain less than a third of its time.\n"
      "Energy says whether it was measured or computed, and how sure it is.\n\n"
      "Examples:\n"
      "  pj profile builtin:fashion\n"
      "  pj profile mobilenet.tflite --threads 2 --html profile.html\n"
      "  pj profile mobilenet.tflite --json | jq '.steps[] | [.name, .time_ms]'");
  if (const auto status = parser.parse(args)) return *status;
  if (!o.energy_model.empty()) find_energy_model(o.energy_model);  // a mistake shows at once
  const std::optional<Caches> caches = parse_caches(o.caches);
  const OpenModel open = open_model(o.model, o.execution);
  complete_shapes(*open.session);
  const energy::HostSystem system;
  const energy::Counters counters = find_counters(system);
  energy::Counter* counter = choose_counter(system, counters, o);
  const Profile profile = take_profile(*open.session, o.runs);
  ProfileReport report{open, profile.runs, Times(profile), {}, {}, {}, {}, {}};
  report.traffic = step_traffic(*open.session, caches);
  report.peak = measure_peak(host_cpu());
  report.bounds = step_bounds(*open.session, report.times.steps, report.traffic, report.peak);
  report.hints = step_hints(*open.session, report.times.steps, report.traffic, report.bounds);
  report.energies = find_energies(*open.session, report.times, report.traffic, counter, o);
  if (!o.trace.empty() || !o.html.empty()) {
    const auto meter = step_counter(system, counters, o.counter);  // a slow one is enough here
    const Trace trace = take_trace(open, meter && o.energy != "off" ? *meter : nullptr);
    if (!o.trace.empty()) write_file(o.trace, to_trace_json(report, trace).dump() + "\n");
    if (!o.html.empty()) write_file(o.html, to_html(report, trace));
  }
  if (o.json) {
    print_json(to_json(report));
  } else {
    print_text(report);
  }
  return kOk;
}

}  // namespace pj::cli
