// What a tuner chose for a CPU, as records of a .pj file.
#pragma once

#include <optional>
#include <vector>

#include "runtime/format/pj_file.h"
#include "runtime/plan/bands.h"
#include "runtime/plan/target.h"

namespace pj {

// How the choice came about, for people.
struct TuningStatistics {
  int64_t before_ns = 0, after_ns = 0;  // the fastest inference before and after
  int64_t candidates = 0, threads = 1;
};

// One record that a tuner was here, with the statistics, and one for each band.
std::vector<Choice> write_choices(const std::vector<BandChoice>& bands,
                                  const TuningStatistics& statistics);

// The bands that were chosen for a CPU of the same name, features and caches; nothing if no tuner
// ran there, or if its records are not what a tuner writes: the planner then decides itself.
std::optional<std::vector<BandChoice>> read_choices(const std::vector<TargetRecord>& targets,
                                                    const Target& target);

}  // namespace pj
