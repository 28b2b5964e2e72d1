// pj tune: measures other plans of a model on this machine and stores the fastest in a .pj file.
#include "runtime/tune/tune.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/energy_options.h"
#include "cli/errors.h"
#include "cli/tune_energy.h"
#include "converters/load/choices.h"
#include "converters/load/pack_target.h"
#include "runtime/passes/passes.h"

namespace pj::cli {
namespace {

struct Options {
  std::string in, out;
  double budget_s = 30;
  int threads = 0;
  std::string isa;
  std::string objective = "latency", svg;
  bool json = false;
  EnergyObjective energy;
};

void check_paths(const Options& options) {
  check_model_name(options.in);
  if (options.out.empty()) return;
  if (!options.out.ends_with(".pj")) usage_error("OUT '{}' must end in .pj", options.out);
  std::error_code ignored;
  if (std::filesystem::equivalent(options.in, options.out, ignored))
    usage_error("'{}' is both input and output; choose another name for the output", options.out);
}

// What the file has for other machines, as long as it speaks of the same operators.
std::vector<TargetRecord> other_targets(const LoadedFile& file, const Graph& graph, IsaSet isa) {
  std::vector<TargetRecord> others;
  if (file.graph.ops.size() != graph.ops.size()) return others;
  for (const TargetRecord& record : file.targets)
    if (record.isa != isa) others.push_back(record);
  return others;
}

std::string bands_text(const std::vector<BandChoice>& bands) {
  std::string text;
  for (const BandChoice& b : bands)
    text += fmt::format("{}{} operators from {} by {} rows{}", text.empty() ? "" : ", ", b.members,
                        b.op, b.rows, b.cols > 0 ? fmt::format(" x {} columns", b.cols) : "");
  return text.empty() ? "none: layer by layer" : text;
}

std::string layers_text(const PlanChoices& plan, std::span<const KernelDesc> catalog) {
  std::string text;
  for (const LayerChoice& l : plan.layers) {
    text += fmt::format("{}operator {}:", text.empty() ? "" : ", ", l.op);
    if (l.kernel >= 0) text += fmt::format(" {}", catalog[static_cast<size_t>(l.kernel)].name);
    constexpr const char* kDims[kDimCount] = {"images", "rows", "columns", "channels"};
    for (int dim = 0; dim < kDimCount; ++dim)
      if (l.tile[dim] > 0) text += fmt::format(" {} {} at a time", l.tile[dim], kDims[dim]);
    if (l.threads > 0) text += l.threads == 1 ? " 1 thread" : " all threads";
  }
  return text.empty() ? "as planned" : text;
}

// Stores `plan` for `target`, beside what the file has for others. Epilogues are the target's, not
// the file's: the graph is that of the file.
void store(const Options& options, const LoadedFile& file, const Target& target,
           const PlanChoices& plan, const TuningStatistics& statistics) {
  Graph graph = file.graph;
  unwrap(run_passes(graph));
  TargetRecord record = unwrap(pack_for_target(graph, target, plan));
  record.choices = write_choices(plan, statistics);
  std::vector<TargetRecord> records = other_targets(file, graph, target.isa);
  records.insert(records.begin(), std::move(record));
  unwrap(write_model(options.out, graph, records));
}

int tune_latency(const Options& options) {
  const LoadedFile file = unwrap(load_named(options.in));
  const std::shared_ptr<Model> model = load_for_isa(options.in, file, options.isa);
  TuneOptions tune_options;
  tune_options.threads = std::max(options.threads, 1);
  tune_options.budget_ns = static_cast<int64_t>(options.budget_s * 1e9);
  Progress progress("plan");
  tune_options.progress = [&](size_t done, size_t total) { progress.update(done, total); };
  const Result<TuneResult> tuned = tune(model, tune_options);
  if (!tuned) fail("{}: {}", options.in, tuned.error().message);
  store(options, file, model->options().target, tuned->plan,
        {tuned->before_ns, tuned->after_ns, static_cast<int64_t>(tuned->candidates),
         tune_options.threads});

  const auto before = static_cast<double>(tuned->before_ns) * 1e-6;
  const auto after = static_cast<double>(tuned->after_ns) * 1e-6;
  fmt::print("{}: {} ms, before {} ms ({:+.1f} %), for {} at {} thread{}\n", printable(options.out),
             ms_text(after), ms_text(before), (after / before - 1) * 100,
             model->options().target.name, tune_options.threads,
             tune_options.threads == 1 ? "" : "s");
  fmt::print("  {} of {} other ways to run layers and bands were faster{}\n", tuned->accepted,
             tuned->candidates,
             tuned->complete ? "" : "; not all were measured, --budget allows no more");
  fmt::print("  layers: {}\n  bands: {}\n", layers_text(tuned->plan, model->options().catalog),
             bands_text(tuned->plan.bands));
  if (tuned->plan.threads > 0) fmt::print("  fastest with threads: {}\n", tuned->plan.threads);
  return kOk;
}

void store_chosen(const Options& options, const EnergyChoice& choice) {
  const EnergyCandidate& first = choice.candidates.front();
  const EnergyCandidate& chosen = choice.candidates[*choice.chosen];
  const auto ns = [](double ms) { return static_cast<int64_t>(ms * 1e6); };
  store(options, unwrap(load_named(options.in)), choice.model->options().target, choice.plan,
        {ns(first.fastest_ms), ns(chosen.fastest_ms),
         static_cast<int64_t>(choice.candidates.size()), chosen.name.threads});
  if (!options.json)
    fmt::print("{}: run it with --threads {}{}\n", printable(options.out), chosen.name.threads,
               chosen.name.isa.empty() ? "" : " --isa " + chosen.name.isa);
}

int tune_energy(Options options) {
  EnergyObjective& objective = options.energy;
  objective.model = options.in;
  objective.budget_s = options.budget_s;
  objective.threads = options.threads;
  if (objective.period_ms > 0 && objective.period_ms < objective.deadline_ms)
    usage_error("a period of {} ms ends before the deadline of {} ms", objective.period_ms,
                objective.deadline_ms);
  const EnergyChoice choice = choose_by_energy(objective);
  if (!options.svg.empty()) {
    std::ofstream file(options.svg, std::ios::binary);
    file << to_svg(objective, choice);
    if (!file.flush()) fail("cannot write '{}': does its folder exist?", options.svg);
  }
  if (options.json) {
    print_json(to_json(objective, choice));
  } else {
    fmt::print("{}", to_text(objective, choice));
  }
  if (choice.chosen && !options.out.empty()) store_chosen(options, choice);
  return choice.chosen ? kOk : kFailed;
}

}  // namespace

int tune_command(const Args& args) {
  Options o;
  Parser parser("Find a model's best plan on this machine, by measuring.", "pj tune");
  parser.option("MODEL", o.in, kModelHelp).required();
  parser
      .option("-o,--output", o.out,
              "the file to write; must end in .pj; may be left out with --objective energy")
      .type_name("OUT.pj");
  parser
      .option("--objective", o.objective,
              "latency: the fastest (default); energy: the one that needs least energy")
      .one_of({"latency", "energy"})
      .type_name("WHAT");
  parser.option("--budget", o.budget_s, "seconds to measure for, about (default: 30)")
      .range(0.1, 86400.0)
      .type_name("S");
  parser
      .option("--threads", o.threads, "the most threads to use (default: 1; for energy all cores)")
      .range(1, kMaxThreads)
      .type_name("N");
  add_isa_option(parser, o.isa);
  parser
      .option("--deadline", o.energy.deadline_ms,
              "for energy: latency that 95 of 100 runs have to keep (default: any)")
      .range(0.001, 1e6)
      .type_name("MS");
  parser
      .option("--period", o.energy.period_ms,
              "for energy: time from one run to the next, in which the machine rests when it is "
              "done (default: the deadline; without one the energy of a run alone counts)")
      .range(0.001, 1e6)
      .type_name("MS");
  parser
      .option("--idle-watts", o.energy.idle_watts,
              "for energy: what the resting machine draws, where energy is computed (default: what "
              "the energy model says)")
      .range(0.0, 1e3)
      .type_name("W");
  parser.option("--counter", o.energy.counter, kCounterHelp).type_name("DOMAIN");
  parser
      .option("--energy-model", o.energy.energy_model,
              "for energy: compute it by this model (see `pj energy model`)")
      .type_name("FILE");
  parser.option("--svg", o.svg, "for energy: also draw latency and energy of all plans")
      .type_name("FILE");
  parser.flag("--json", o.json, "for energy: one JSON object");
  parser.footer(
      "Layers are varied: kernels, tiles and threads; and bands: which layers form one, and how "
      "many\n"
      "rows it computes at a time. The choice is stored in the file with this CPU's name and used "
      "when\n"
      "the file is loaded on such a CPU. What replaces another plan has to be faster twice, and 1 "
      "% in\n"
      "the end. Results of integers do not change; those of floats may in the last bits.\n\n"
      "For energy, kernels (ISA levels), bands and threads are varied. Joules are measured where "
      "there\n"
      "is a counter, else computed, and say so. With a period, hurrying and then resting competes\n"
      "with being slow and steady. Another plan than the default one is chosen only if it needs "
      "less\n"
      "for certain, or if the default misses the deadline. Exit status 1: no plan keeps it.\n\n"
      "Examples:\n"
      "  pj tune model.tflite -o model.pj\n"
      "  pj tune model.pj -o tuned.pj --threads 2 --budget 60\n"
      "  pj tune model.tflite --objective energy --deadline 20 --period 33 --svg front.svg");
  if (const auto status = parser.parse(args)) return *status;
  const bool energy = o.objective == "energy";
  if (energy && !o.isa.empty()) usage_error("--isa: with --objective energy all are tried");
  if (!energy && o.out.empty()) usage_error("name the file to write: -o OUT.pj");
  check_paths(o);
  return energy ? tune_energy(std::move(o)) : tune_latency(o);
}

}  // namespace pj::cli
