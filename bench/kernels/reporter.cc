#include "bench/kernels/reporter.h"

#include <fmt/format.h>

namespace pj::bench {
namespace {

constexpr const char* kLine = "  {:<36} {:>12} {:>12} {:>10}\n";

}  // namespace

std::vector<benchmark::BenchmarkReporter::Run> with_short_names(
    const std::vector<benchmark::BenchmarkReporter::Run>& runs) {
  std::vector<benchmark::BenchmarkReporter::Run> all = runs;
  for (auto& run : all) {
    run.run_name.iterations.clear();
    run.run_name.time_type.clear();
  }
  return all;
}

bool TableReporter::ReportContext(const Context&) {
  GetOutputStream() << fmt::format(kLine, "", "us", "MACs/cycle", "% of peak");
  return true;
}

void TableReporter::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : with_short_names(runs)) {
    const std::string name = run.benchmark_name();
    const size_t slash = name.find('/');
    if (const std::string layer = name.substr(0, slash); layer != layer_) {
      layer_ = layer;
      GetOutputStream() << layer << '\n';
    }
    const std::string candidate = name.substr(slash + 1);
    auto number = [&](const char* counter) {
      const auto found = run.counters.find(counter);
      return found == run.counters.end() ? std::string("-")
                                         : fmt::format("{:.1f}", found->second.value);
    };
    GetOutputStream() << fmt::format(kLine, candidate,
                                     fmt::format("{:.2f}", run.GetAdjustedRealTime()),
                                     number(kMacsPerCycle), number(kPeakPercent));
    GetOutputStream().flush();
  }
}

}  // namespace pj::bench
