// pj calibrate: fits an energy model to a power counter of this machine.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/energy_model.h"
#include "cli/energy_options.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/step_traffic.h"
#include "cli/workloads.h"
#include "runtime/energy/calibration.h"
#include "runtime/metering/session_bench.h"
#include "runtime/metering/step_amounts.h"
#include "runtime/metering/step_counter.h"
#include "runtime/peak/sample.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

// Of both number types and of different character: from the first, which reuses what it loads, to
// the fully connected ones, which stream their weights.
const std::vector<std::string> kNetworks = {
    "builtin:mobilenet_v2-96",   "builtin:resnet18-64",
    "builtin:transformer",       "builtin:dscnn",
    "builtin:fashion",           "builtin:mobilenet_v2-f32-96",
    "builtin:squeezenet-f32-96", "builtin:transformer-f32"};

struct Options {
  std::vector<std::string> models = kNetworks;
  std::string output, counter, idle = "gross";
  double seconds = 5;
  int threads = 0;
  bool json = false;
};

// Samples and how they were made.
class Measuring {
 public:
  Measuring(LiveMeter& meter, const Options& options, int threads)
      : meter_(meter), options_(options), threads_(threads) {
    attribution_.budget_ns = static_cast<int64_t>(options.seconds * 1e9);
    attribution_.policy = idle_policy_named(options.idle);
    attribution_.in_context = false;  // amounts are those of repetitions
  }

  std::vector<CalibrationSample> run() {
    Progress progress("measuring");
    const size_t parts = options_.models.size() + 1;
    progress.update(0, parts);
    add_workloads();
    for (size_t i = 0; i < options_.models.size(); ++i) {
      progress.update(i + 1, parts);
      add_network(static_cast<int>(i));
    }
    progress.update(parts, parts);
    return std::move(samples_);
  }

 private:
  void add_workloads() {
    const Workloads workloads(host_cpu(), threads_);
    const auto pool = unwrap(make_pool(PoolKind::kBuiltin, threads_));
    WorkloadBench bench(workloads, *pool, [this] { return meter_.joules(); });
    const Attribution measured = unwrap(attribute(bench, meter_.meter(), attribution_));
    for (size_t i = 0; i < workloads.list().size(); ++i)
      samples_.push_back({Workloads::amounts(workloads.list()[i], measured.step_seconds[i]),
                          measured.steps[i], kMicroKernel});
  }

  // Every other network on all cores.
  void add_network(int index) {
    ExecutionOptions execution;
    execution.threads = index % 2 == 0 ? 1 : threads_;
    const OpenModel open = open_model(options_.models[static_cast<size_t>(index)], execution);
    Session& session = *open.session;
    complete_shapes(session);
    fill_random(session);
    unwrap(session.run());
    const Attribution measured = unwrap(measure_steps(session, meter_, attribution_));
    const std::vector<Traffic> traffic = step_traffic(session, std::nullopt);
    for (size_t i = 0; i < measured.steps.size(); ++i) {
      const Step& step = session.program().steps[i];
      samples_.push_back({step_amounts(session, step, measured.step_seconds[i],
                                       repeated_traffic(session, step, traffic[i])),
                          measured.steps[i], index});
    }
  }

  LiveMeter& meter_;
  const Options& options_;
  int threads_;
  AttributionOptions attribution_;
  std::vector<CalibrationSample> samples_;
};

void write_model(const std::string& path, const EnergyModel& model) {
  std::error_code ignored;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  std::ofstream file(path);
  file << to_json(model).dump(1) << '\n';
  if (!file.flush()) fail("cannot write '{}': give another file with -o", path);
}

// Checked before minutes of measuring.
std::string output_path(const Options& o, const std::string& cpu) {
  if (!o.output.empty()) return o.output;
  if (cpu.empty()) fail("this system does not say what CPU it has: name the file with -o FILE");
  const std::string path = stored_model_path(cpu);
  if (path.empty()) fail("there is no home to keep the model in: name the file with -o FILE");
  return path;
}

EnergyModel fit(const Options& o, const HostSystem& system) {
  const Counters counters = find_counters(system);
  Counter& counter = *unwrap(step_counter(system, counters, o.counter));
  LiveMeter meter(counter);
  const int threads = o.threads > 0 ? o.threads : std::min(host_cpu().cores, kMaxThreads);
  const double clock = core_clock_hz() * 1e-9;
  Measuring measuring(meter, o, threads);
  EnergyModel model = unwrap(calibrate(measuring.run()));
  model.cpu = this_cpu(system);
  model.clock_ghz = std::round(clock * 100) / 100;
  model.origin += fmt::format(", {} {}, {} core{}, {:.2f} GHz", counter.info().source,
                              counter.info().domain, threads, threads == 1 ? "" : "s", clock);
  return model;
}

}  // namespace

int calibrate_command(const Args& args) {
  Options o;
  Parser parser("Fit an energy model to a power counter of this machine.", "pj calibrate");
  parser.option("MODEL", o.models,
                "networks to measure, at least two (default: eight topologies with made-up "
                "weights)");
  parser
      .option("-o,--output", o.output,
              "where to write the model (default: where `pj profile` finds it, see below)")
      .type_name("FILE");
  parser.option("--counter", o.counter, kCounterHelp).type_name("DOMAIN");
  parser
      .option("--seconds", o.seconds,
              "measuring time for each network and for the micro-workloads (default: 5); slow "
              "counters take what they need")
      .range(0.1, 3600.0)
      .type_name("S");
  parser.option("--threads", o.threads, "cores to use (default: all usable ones)")
      .range(1, kMaxThreads)
      .type_name("N");
  parser.option("--idle", o.idle, kIdleHelp)
      .one_of({"gross", "dynamic", "marginal"})
      .type_name("POLICY");
  parser.flag("--json", o.json, "print the model as one JSON object");
  parser.footer(
      "Measures rest, spinning, int8 and f32 arithmetic in registers and streams from each memory\n"
      "on one core and on all, and the steps of networks; then fits joules a second, a core-second,"
      "\na multiplication and a byte. The error stated is that on networks that were left out.\n\n"
      "The model goes to $XDG_DATA_HOME/picojoule/energy/CPU.json (~/.local/share by default);\n"
      "`pj profile` looks there, then for energy/CPU.json beside the program. CPU is the kind of\n"
      "the cores that the process may use: calibrate kinds of cores apart with taskset, and "
      "clocks\n"
      "with the governor you run with.\n\n"
      "Examples:\n"
      "  pj calibrate\n"
      "  taskset -c 4-7 pj calibrate            the big cores alone\n"
      "  pj calibrate --idle dynamic -o board.json my.tflite other.tflite");
  if (const auto status = parser.parse(args)) return *status;
  if (o.models.size() < 2)
    usage_error("one network: give at least two, so that one can be left out (default: eight)");
  for (const std::string& model : o.models) check_model_name(model);
  const HostSystem system;
  const std::string path = output_path(o, this_cpu(system));
  const EnergyModel model = fit(o, system);
  write_model(path, model);
  if (o.json) {
    print_json(to_json(model));
  } else {
    fmt::print("{}\nwritten to {}\n", to_text(model), printable(path));
  }
  return kOk;
}

}  // namespace pj::cli
