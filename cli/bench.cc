// pj bench: time and memory of models, one after the other.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/table.h"
#include "runtime/base/checksum.h"
#include "runtime/base/clock.h"
#include "runtime/exec/periodic.h"

namespace pj::cli {
namespace {

struct Options {
  std::vector<std::string> models;
  int64_t runs = 0;  // 0: by time
  double seconds = 1;
  int64_t warmup = 3;
  double period_ms = 0;  // 0: one inference after the other
  bool json = false;
  ExecutionOptions execution;
};

struct Measurement {
  std::string model, isa;
  int threads = 0;
  size_t runs = 0;
  double load_ms = 0, first_ms = 0, min_ms = 0, median_ms = 0, p90_ms = 0;
  int64_t peak_rss_bytes = 0;  // 0: unknown
  int64_t arena_bytes = 0, weight_bytes = 0;
  uint32_t output_crc32 = 0;
  std::optional<PeriodicStats> periodic;
};

// The most memory that the process ever had, or since reset_peak_rss().
int64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    long long kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %lld kB", &kilobytes) == 1) return kilobytes * 1024;
  }
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? int64_t{usage.ru_maxrss} * 1024 : 0;
}

// Forgets the peak of the model before; without the right to do so, the larger one is reported.
void reset_peak_rss() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  std::ofstream("/proc/self/clear_refs") << "5";
}

double timed_run(Session& session) {
  const int64_t start = now_ns();
  unwrap(session.run());
  return static_cast<double>(now_ns() - start) * 1e-6;
}

// One inference every period; the latencies of all frames.
std::vector<double> periodic_runs(Session& session, const Options& options,
                                  std::optional<PeriodicStats>& stats) {
  struct Frames {
    std::vector<double> ms;
    size_t count;
  } frames{
      {},
      static_cast<size_t>(options.runs > 0 ? options.runs
                                           : std::ceil(options.seconds * 1e3 / options.period_ms))};
  frames.ms.reserve(frames.count);
  stats = unwrap(run_periodic(
      session, static_cast<int64_t>(options.period_ms * 1e6),
      [](void* context, int64_t, int64_t latency_ns) {
        auto& f = *static_cast<Frames*>(context);
        f.ms.push_back(static_cast<double>(latency_ns) * 1e-6);
        return f.ms.size() < f.count;
      },
      &frames));
  return frames.ms;
}

std::vector<double> timed_runs(Session& session, const Options& options, double& first_ms,
                               std::optional<PeriodicStats>& periodic) {
  for (int64_t i = 0; i < options.warmup; ++i) {
    const double ms = timed_run(session);
    if (i == 0) first_ms = ms;
  }
  std::vector<double> times;
  if (options.period_ms > 0) {
    times = periodic_runs(session, options, periodic);
    if (options.warmup == 0) first_ms = times.front();
    return times;
  }
  times.reserve(
      std::min<size_t>(options.runs > 0 ? static_cast<size_t>(options.runs) : 4096, 1 << 20));
  const int64_t end = now_ns() + static_cast<int64_t>(options.seconds * 1e9);
  while (options.runs > 0 ? times.size() < static_cast<size_t>(options.runs)
                          : times.empty() || now_ns() < end)
    times.push_back(timed_run(session));
  if (options.warmup == 0) first_ms = times.front();
  return times;
}

double median(const std::vector<double>& sorted) {
  const size_t n = sorted.size();
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

Measurement measure(const std::string& name, const Options& options) {
  const int64_t start = now_ns();
  const OpenModel open = open_model(name, options.execution);
  Session& session = *open.session;
  complete_shapes(session);
  Measurement m;
  m.model = name;
  m.load_ms = static_cast<double>(now_ns() - start) * 1e-6;
  m.isa = level_name(open.model->options().target.isa);
  m.threads = session.threads();

  fill_random(session);
  std::vector<double> times = timed_runs(session, options, m.first_ms, m.periodic);
  m.peak_rss_bytes = peak_rss_bytes();
  std::sort(times.begin(), times.end());
  m.runs = times.size();
  m.min_ms = times.front();
  m.median_ms = median(times);
  m.p90_ms = times[(times.size() * 9 + 9) / 10 - 1];  // nearest rank
  m.arena_bytes = session.program().arena_bytes;
  m.weight_bytes = constant_bytes(session.compiled().graph);
  for (size_t i = 0; i < session.output_count(); ++i)
    m.output_crc32 = crc32(session.output_data(i), m.output_crc32);
  return m;
}

Json to_json(const Measurement& m) {
  Json json{{"model", m.model},
            {"threads", m.threads},
            {"isa", m.isa},
            {"runs", m.runs},
            {"load_ms", m.load_ms},
            {"first_ms", m.first_ms},
            {"min_ms", m.min_ms},
            {"median_ms", m.median_ms},
            {"p90_ms", m.p90_ms},
            {"peak_rss_bytes", m.peak_rss_bytes > 0 ? Json(m.peak_rss_bytes) : Json()},
            {"arena_bytes", m.arena_bytes},
            {"weight_bytes", m.weight_bytes},
            {"output_crc32", fmt::format("{:08x}", m.output_crc32)}};
  if (m.periodic) {
    json["missed"] = m.periodic->missed;
    json["max_wakeup_ms"] = m.periodic->max_wakeup_ms;
    json["cpu_ms"] = m.periodic->cpu_ms;
    json["context_switches"] = m.periodic->context_switches;
  }
  return json;
}

std::string to_text(const std::vector<Measurement>& all) {
  Table table({{"model", false},
               {"threads", true},
               {"isa", false},
               {"runs", true},
               {"load ms", true},
               {"first ms", true},
               {"min ms", true},
               {"median ms", true},
               {"p90 ms", true},
               {"peak RSS", true},
               {"arena", true},
               {"weights", true},
               {"crc32", true}});
  for (const Measurement& m : all)
    table.add({shorten(printable(m.model), 48), fmt::format("{}", m.threads), m.isa,
               fmt::format("{}", m.runs), ms_text(m.load_ms), ms_text(m.first_ms),
               ms_text(m.min_ms), ms_text(m.median_ms), ms_text(m.p90_ms),
               m.peak_rss_bytes > 0 ? bytes_text(m.peak_rss_bytes) : "-", bytes_text(m.arena_bytes),
               bytes_text(m.weight_bytes), fmt::format("{:08x}", m.output_crc32)});
  return table.to_string();
}

int execute(const Options& options) {
  std::vector<Measurement> all;
  int status = kOk;
  for (size_t i = 0; i < options.models.size(); ++i) {
    if (i > 0) reset_peak_rss();
    try {
      all.push_back(measure(options.models[i], options));
    } catch (const Failure& failure) {
      // A single model's failure is the command's; in a list the others still count.
      if (options.models.size() == 1) throw;
      fmt::print(stderr, "pj: {}\n", printable(failure.what()));
      status = std::max(status, kFailed);
      continue;
    }
    if (options.json) print_json(to_json(all.back()));
  }
  if (!options.json && !all.empty()) fmt::print("{}", to_text(all));
  for (const Measurement& m : all) {
    if (options.json || !m.periodic) continue;
    fmt::print(
        "{}: every {} ms: {} of {} frames missed, latest start {} ms; for each frame {} ms "
        "of CPU time and {:.1f} context switches\n",
        printable(m.model), options.period_ms, m.periodic->missed, m.periodic->frames,
        ms_text(m.periodic->max_wakeup_ms), ms_text(m.periodic->cpu_ms),
        m.periodic->context_switches);
  }
  return status;
}

}  // namespace

int bench_command(const Args& args) {
  Options o;
  Parser parser("Measure time and memory of models.", "pj bench");
  parser.option("MODEL", o.models, kModelHelp).required();
  const Option runs = parser.option("--runs", o.runs, "exactly N inferences after the warm-up")
                          .range(int64_t{1}, int64_t{1} << 30)
                          .type_name("N");
  parser.option("--seconds", o.seconds, "as many as fit into S seconds, at least one (default: 1)")
      .range(0.0, 86400.0)
      .type_name("S")
      .excludes(runs);
  parser.option("--warmup", o.warmup, "inferences before that, not counted (default: 3)")
      .range(int64_t{0}, int64_t{1} << 30)
      .type_name("N");
  parser
      .option("--period", o.period_ms,
              "one inference every MS milliseconds, sleeping between; adds missed frames, CPU "
              "time and context switches")
      .range(0.01, 86'400'000.0)
      .type_name("MS");
  parser.flag("--json", o.json, "one JSON object a model, one a line");
  add_execution_options(parser, o.execution, DefaultThreads::kOne);
  parser.footer(
      "load: from nothing to a session that is ready. first: the very first inference, warm-up or\n"
      "not. Inputs are the same on every machine (splitmix64, seed 1 for the first input, one "
      "draw\n"
      "an element: its top byte, for floats its top 24 bits as a number in [-1, 1)); crc32 is "
      "that\n"
      "of all outputs. Peak RSS is the process's: bench one model alone for an exact figure.\n\n" +
      std::string(kTopologyHelp) +
      "\nExamples:\n"
      "  pj bench builtin:fashion\n"
      "  pj bench builtin:fashion --period 33.3 --seconds 10 --threads 2\n"
      "  pj bench builtin:mobilenet_v2 builtin:mobilenet_v2-f32\n"
      "  pj bench a.tflite b.pj --threads 2 --seconds 3 --json\n"
      "  perf stat pj bench a.pj --runs 100 --warmup 0");
  if (const auto status = parser.parse(args)) return *status;
  return execute(o);
}

}  // namespace pj::cli
