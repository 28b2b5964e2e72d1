// pj profile: where the time and the energy of a model go, step by step.
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/energy_model.h"
#include "cli/energy_options.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/profile_report.h"
#include "cli/step_traffic.h"
#include "runtime/metering/step_counter.h"

namespace pj::cli {
namespace {

struct Options {
  std::string model;
  int64_t runs = 0;  // 0: as many as fit into a second
  bool json = false;
  std::string trace, html;  // files to write
  std::string energy = "auto", counter, idle = "gross";
  double seconds = 5;        // of measuring energy
  std::string energy_model;  // file; empty: this machine's
  std::string caches;        // to count bytes for; empty: this machine's
  ExecutionOptions execution;
};

energy::EnergyHow how_named(const std::string& name) {
  using energy::EnergyHow;
  if (name == "measure") return EnergyHow::kMeasure;
  if (name == "model") return EnergyHow::kModel;
  return name == "off" ? EnergyHow::kOff : EnergyHow::kAuto;
}

energy::EnergyOptions energy_options(const Options& o) {
  energy::EnergyOptions options;
  options.how = how_named(o.energy);
  options.counter = o.counter;
  options.policy = idle_policy_named(o.idle);
  options.budget_ns = static_cast<int64_t>(o.seconds * 1e9);
  options.model_file = o.energy_model;
  options.tell = [](const std::string& text) { fmt::print(stderr, "pj: {}\n", printable(text)); };
  return options;
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
              "auto: measure it if this machine has a counter, else compute it; measure: "
              "with slower counters too; model: compute it; off")
      .one_of({"auto", "measure", "model", "off"})
      .type_name("HOW");
  parser.option("--counter", o.counter, kCounterHelp).type_name("DOMAIN");
  parser.option("--idle", o.idle, kIdleHelp)
      .one_of({"gross", "dynamic", "marginal"})
      .type_name("POLICY");
  parser
      .option("--seconds", o.seconds,
              "time to measure energy (default: 5); more measures more steps in context, as cold "
              "as the other layers leave their weights")
      .range(0.1, 3600.0)
      .type_name("S");
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
  const energy::EnergyOptions energy = energy_options(o);
  if (energy.how == energy::EnergyHow::kMeasure || !o.counter.empty())
    unwrap(step_counter(system, counters, o.counter));  // so does this one
  fill_random(*open.session);
  const Profile profile = unwrap(energy::take_profile(*open.session, o.runs));
  ProfileReport report{open, profile.runs, Times(profile), {}, {}, {}, {}, {}};
  report.traffic = step_traffic(*open.session, caches);
  report.peak = measure_peak(host_cpu());
  report.bounds = step_bounds(*open.session, report.times.steps, report.traffic, report.peak);
  report.hints = step_hints(*open.session, report.times.steps, report.traffic, report.bounds);
  report.energies = unwrap(energy::session_energies(*open.session, energy::step_seconds(profile),
                                                    report.traffic, system, counters, energy));
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
