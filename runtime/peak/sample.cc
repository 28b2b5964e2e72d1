#include "runtime/peak/sample.h"

#include <algorithm>
#include <cmath>

#include "runtime/base/clock.h"
#include "runtime/peak/levels/loops.h"

namespace pj {
namespace {

constexpr double kMaxDrift = 0.02;
constexpr int kAttemptsPerSample = 4;

template <typename Function>
double seconds_of(Function&& function) {
  const int64_t start = now_ns();
  function();
  return static_cast<double>(std::max<int64_t>(now_ns() - start, 1)) * 1e-9;
}

}  // namespace

double core_clock_hz() {
  constexpr int64_t kAdditions = 1 << 17;
  constexpr int kTries = 3;  // an interrupt only makes one slower
  double best = 1;
  for (int i = 0; i < kTries; ++i)
    best = std::min(best, seconds_of([] { peak::dependent_additions(kAdditions); }));
  return static_cast<double>(kAdditions) / best;
}

std::optional<Sample> best_sample(int samples, double min_seconds,
                                  const std::function<void(int64_t repeats)>& run) {
  int64_t repeats = 1;
  for (;;) {
    const double seconds = seconds_of([&] { run(repeats); });
    if (seconds >= min_seconds) break;
    repeats = static_cast<int64_t>(static_cast<double>(repeats) *
                                   std::clamp(1.2 * min_seconds / seconds, 2.0, 100.0));
  }
  std::optional<Sample> best;
  double before = core_clock_hz();
  for (int valid = 0, tries = 0; valid < samples && tries < samples * kAttemptsPerSample; ++tries) {
    const double seconds = seconds_of([&] { run(repeats); }) / static_cast<double>(repeats);
    const double after = core_clock_hz();
    const double clock = (before + after) / 2;
    const bool drifted = std::fabs(after - before) > kMaxDrift * clock;
    before = after;
    if (drifted) continue;
    ++valid;
    const double cycles = seconds * clock;
    if (!best || cycles < best->cycles) best = Sample{seconds, cycles};
  }
  return best;
}

}  // namespace pj
