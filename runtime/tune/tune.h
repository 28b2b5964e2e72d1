// The tuner: measures other plans of a model in context, whole inferences interleaved with those of
// the best plan so far, and keeps what is faster. On a tie the plan stays as it is.
//
// It varies layers: their kernels, tiles and threads; bands: whether each is one, how many rows and
// columns it computes at a time, and where others might be; and, if there may be several threads,
// how many run the model. Outputs are those of the model whatever it chooses: of integers the same
// bits, of floats within what kernels differ by.
#pragma once

#include <functional>
#include <vector>

#include "runtime/exec/model.h"

namespace pj {

struct TuneOptions {
  int threads = 1;  // at most
  int64_t budget_ns = 30'000'000'000;
  // Called before each candidate with how many are measured and how many there are to be.
  std::function<void(size_t done, size_t total)> progress = nullptr;
};

struct TuneResult {
  PlanChoices plan;
  int64_t before_ns = 0, after_ns = 0;  // the fastest inference before and after, side by side
  // Layers and bands that were tried another way, and those that were faster.
  size_t candidates = 0, accepted = 0;
  bool complete = true;  // every candidate was measured within the budget
};

// Tunes `model` for the shapes of its inputs, unknown dimensions being 1, on this machine. Errors:
// those of planning and running it.
Result<TuneResult> tune(const std::shared_ptr<Model>& model, const TuneOptions& options);

}  // namespace pj
