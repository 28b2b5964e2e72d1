// The planner: Graph + Target -> Program.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/packing/packing.h"
#include "runtime/graph/graph.h"
#include "runtime/plan/choices.h"
#include "runtime/plan/program.h"
#include "runtime/plan/target.h"

namespace pj {

// Some taps of a kernel [O,h,w,I], in reverse order: taps_h x taps_w of them, from (first_h,
// first_w) back in steps of (step_h, step_w).
struct TapCut {
  int32_t taps_h, taps_w, first_h, first_w, step_h, step_w;
};

// How the bytes of Program::packed[i] are made.
struct PackRecipe {
  PackSpec spec;
  TensorId weights = kNoTensor, bias = kNoTensor;
  float input_scale = 0, output_scale = 0;  // of integers; with those of weights, requantisation
  std::optional<TapCut> cut;  // what is taken of the weights, if not all
};

struct Plan {
  Program program;
  std::vector<PackRecipe> recipes;  // one for each of program.packed
  // The first of PlanOptions::chosen that could not be followed, for people; empty if all was.
  std::string unfollowed;
};

struct PlanOptions {
  int64_t max_arena_bytes = int64_t{1} << 32;
  bool bands = true;  // run chains of operators a few rows at a time where that moves fewer bytes
  // What a tuner found; what does not fit the graph is ignored.
  std::optional<PlanChoices> chosen = std::nullopt;
  // Operators to run as prepared ones, by index; may be shorter than the graph's operators.
  std::vector<bool> prepared_ops;
  // Runs them so even where the catalog has a kernel that was written for the target's ISA level.
  bool prepared_before_tuned = false;
};

// A pure function: the same arguments give the same Plan on every machine. It reads neither the
// host's CPU nor kernels' addresses. Requires a graph that validate() and infer_shapes() accept and
// run_passes() has seen. Errors: kWrongState if an input's shape is unknown; kModelUnsupported if a
// shape or parameter is computed from data; kLimitExceeded if the arena would pass its limit.
Result<Plan> make_plan(const Graph& graph, const Target& target,
                       std::span<const KernelDesc> catalog, const PlanOptions& options = {});

// Runs a recipe: spec.total_bytes() bytes into `packed`, which is zeroed.
void pack(const Graph& graph, const PackRecipe& recipe, std::span<std::byte> packed);

}  // namespace pj
