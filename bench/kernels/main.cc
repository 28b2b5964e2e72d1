// bench_kernels: every row of the catalog that runs here, on layers of well-known networks.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "bench/kernels/candidates.h"
#include "bench/kernels/reporter.h"
#include "runtime/peak/peak.h"
#include "runtime/peak/sample.h"

namespace pj::bench {
namespace {

constexpr const char* kHelp =
    R"(Usage: ./dev bench kernels [OPTIONS]

Measures every kernel that this CPU and build have, on layers of well-known networks, in one thread
with operands in cache: a network of the one layer, planned and run as usual.

  --filter REGEX   only where LAYER/KERNEL matches
  --json FILE      also write the numbers there, for ./dev bench compare
  --samples N      samples a number, the best of which counts (default: 10)
  --smoke          two small layers, one sample: does it still run?
  --list           the names
  --help           this text

% of peak: of the most that the instructions of the kernel's level and type reach on this CPU
(`pj doctor`). Other options go to Google Benchmark.
)";

constexpr double kSampleSeconds = 200e-6;
constexpr const char* kSmokeFilter = "^(gemm_fc_196x16_256|mobilenet_v2_dwconv_3x3s1_7x7x960)/";

struct Options {
  int samples = 10;
  bool help = false;
  std::vector<std::string> forwarded;  // to Google Benchmark
};

// Nothing after a message about what is wrong.
std::optional<Options> parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool takes_value = name == "--filter" || name == "--json" || name == "--samples";
    if (takes_value && i + 1 == argc) {
      std::fprintf(stderr, "bench kernels: %s needs a value\n", name.c_str());
      return std::nullopt;
    }
    if (name == "--filter") {
      o.forwarded.push_back(std::string("--benchmark_filter=") + argv[++i]);
    } else if (name == "--json") {
      o.forwarded.push_back(std::string("--benchmark_out=") + argv[++i]);
    } else if (name == "--samples") {
      o.samples = std::atoi(argv[++i]);
      if (o.samples < 1) {
        std::fprintf(stderr, "bench kernels: --samples needs a number from 1 on\n");
        return std::nullopt;
      }
    } else if (name == "--smoke") {
      o.samples = 1;
      o.forwarded.push_back(std::string("--benchmark_filter=") + kSmokeFilter);
    } else if (name == "--list") {
      o.forwarded.push_back("--benchmark_list_tests");
    } else if (name == "--help") {
      o.help = true;
    } else {
      o.forwarded.push_back(name);
    }
  }
  return o;
}

// False if Google Benchmark does not know one of the options; it says which.
bool initialize_library(const Options& options, char* program) {
  // The library keeps the pointers.
  static std::vector<std::string> texts;
  texts = options.forwarded;
  std::vector<char*> arguments{program};
  for (std::string& text : texts) arguments.push_back(text.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  return !benchmark::ReportUnrecognizedArguments(count, arguments.data());
}

struct Bench {
  int samples = 1;
  std::vector<ArithmeticPeak> peaks;
  int failures = 0;

  void fail(benchmark::State& state, const Candidate& candidate, const std::string& message) {
    ++failures;
    std::fprintf(stderr, "bench kernels: %s/%s: %s\n", name_of(candidate.layer).c_str(),
                 candidate.name.c_str(), message.c_str());
    state.SkipWithError(message.c_str());
  }

  void run(benchmark::State& state, const Candidate& candidate) {
    const auto session = make_session(candidate);
    if (!session) return fail(state, candidate, session.error().message);
    Status status;
    const auto sample = best_sample(samples, kSampleSeconds, [&](int64_t repeats) {
      for (; repeats > 0 && status; --repeats) status = (*session)->run();
    });
    if (!status) return fail(state, candidate, status.error().message);
    if (!sample)
      return fail(state, candidate, "the core's clock never held still; stop other programs");
    for (auto _ : state) state.SetIterationTime(sample->seconds);
    const double reached = static_cast<double>(candidate.macs) / sample->cycles;
    state.counters[kMacsPerCycle] = reached;
    const DType type = candidate.types.input == DType::kF32 ? DType::kF32 : DType::kI8;
    const double peak = peak_macs_per_cycle(peaks, candidate.isa, type);
    if (peak > 0) state.counters[kPeakPercent] = 100 * reached / peak;
  }
};

void describe_machine(const std::vector<ArithmeticPeak>& peaks) {
  benchmark::AddCustomContext("cpu", host_cpu().name);
  for (const ArithmeticPeak& p : peaks)
    benchmark::AddCustomContext(
        fmt::format("peak {} {} {}", p.level, name_of(p.type), p.instructions),
        fmt::format("{:.1f} MACs/cycle", p.macs_per_cycle));
}

void register_all(Bench& bench) {
  for (const Layer& layer : layers()) {
    for (Candidate& candidate : find_candidates(layer)) {
      const std::string name = fmt::format("{}/{}", name_of(layer), candidate.name);
      benchmark::RegisterBenchmark(name.c_str(), [&bench, c = std::move(candidate)](
                                                     benchmark::State& s) { bench.run(s, c); })
          ->Iterations(1)
          ->UseManualTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

int bench_main(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) return 2;
  if (options->help) {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (!initialize_library(*options, argv[0])) return 2;
  Bench bench{options->samples, measure_arithmetic(host_cpu().isa)};
  describe_machine(bench.peaks);
  register_all(bench);
  TableReporter table;
  JsonReporter json;
  bool writes_json = false;
  for (const std::string& option : options->forwarded)
    writes_json = writes_json || option.starts_with("--benchmark_out=");
  const size_t count = benchmark::RunSpecifiedBenchmarks(&table, writes_json ? &json : nullptr);
  return count > 0 && bench.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pj::bench

int main(int argc, char** argv) { return pj::bench::bench_main(argc, argv); }
