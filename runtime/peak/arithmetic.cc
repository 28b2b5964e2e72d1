#include <algorithm>

#include "runtime/peak/available.h"
#include "runtime/peak/peak.h"
#include "runtime/peak/sample.h"

namespace pj {
namespace {

constexpr int kSamples = 10;
constexpr double kSampleSeconds = 100e-6;

}  // namespace

std::vector<ArithmeticPeak> measure_arithmetic(IsaSet isa) {
  std::vector<ArithmeticPeak> peaks;
  for (const peak::LevelLoops* level : peak::available_loops(isa)) {
    for (const peak::ArithmeticLoop& loop : level->arithmetic) {
      const auto best = best_sample(kSamples, kSampleSeconds, loop.run);
      if (!best) continue;
      const int macs = loop.chains * loop.step_macs;
      peaks.push_back({level->level, *isa_by_name(level->level), loop.type, loop.instructions,
                       macs / best->cycles, macs / best->seconds * 1e-9});
    }
  }
  return peaks;
}

double peak_macs_per_cycle(std::span<const ArithmeticPeak> peaks, IsaSet isa, DType type) {
  double best = 0;
  for (const ArithmeticPeak& p : peaks)
    if (p.type == type && isa.includes(p.isa)) best = std::max(best, p.macs_per_cycle);
  return best;
}

}  // namespace pj
