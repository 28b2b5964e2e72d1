// The table on the terminal.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace pj::bench {

// Names of the numbers beside the time.
inline constexpr const char* kMacsPerCycle = "macs_per_cycle";
inline constexpr const char* kPeakPercent = "peak_percent";

// Google Benchmark adds to each name how its time was taken, which is the same for all here.
std::vector<benchmark::BenchmarkReporter::Run> with_short_names(
    const std::vector<benchmark::BenchmarkReporter::Run>& runs);

class JsonReporter : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    benchmark::JSONReporter::ReportRuns(with_short_names(runs));
  }
};

// One line a candidate, under its layer.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

 private:
  std::string layer_;
};

}  // namespace pj::bench
