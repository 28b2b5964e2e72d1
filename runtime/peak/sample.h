// Cycles of a piece of code, without performance counters: time x clock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace pj {

// Cycles a second of this core just now, from the time that a chain of dependent additions takes:
// one cycle each on every CPU. Takes about 0.1 ms.
double core_clock_hz();

struct Sample {
  double seconds = 0, cycles = 0;

  double ghz() const { return cycles / seconds * 1e-9; }
};

// Cost of one repeat of run(repeats). Repeats are chosen so that a sample takes at least
// `min_seconds`, which also warms up; of `samples` the one with the fewest cycles counts. The clock
// is measured before and after each: where the two differ by more than 2 % the core changed its
// frequency or was taken away, and the sample is discarded. Nothing if that happened every time.
std::optional<Sample> best_sample(int samples, double min_seconds,
                                  const std::function<void(int64_t repeats)>& run);

}  // namespace pj
