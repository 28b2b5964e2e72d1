// What a tuner chose for a CPU, as records of a .pj file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/format/pj_file.h"
#include "runtime/plan/choices.h"
#include "runtime/plan/target.h"

namespace pj {

// How the choice came about, for people.
struct TuningStatistics {
  int64_t before_ns = 0, after_ns = 0;  // the fastest inference before and after
  int64_t candidates = 0, threads = 1;
};

// One record that a tuner was here, with the statistics, one for each band and one for each layer.
std::vector<Choice> write_choices(const PlanChoices& choices, const TuningStatistics& statistics,
                                  std::span<const KernelDesc> catalog = kernel_catalog());

struct ReadChoices {
  std::optional<PlanChoices> choices;
  std::string problem;  // with the records that are there; empty if there is none
};

// What was chosen for a CPU of the same name, features and caches; nothing if no tuner ran there,
// or if its records are not what a tuner of this build writes: the planner then decides itself.
ReadChoices read_choices(const std::vector<TargetRecord>& targets, const Target& target,
                         std::span<const KernelDesc> catalog = kernel_catalog());

}  // namespace pj
