// What a tuner chose for a model on a machine, where the planner would decide otherwise. A file may
// say anything: the planner follows what can be followed and says what cannot.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/kernel.h"

namespace pj {

// A band: `members` steps from the one of operator `op` on, `rows` rows of the last one at a time,
// of all columns or of strips of `cols`.
struct BandChoice {
  int32_t op = 0, members = 0, rows = 0, cols = 0;

  bool operator==(const BandChoice&) const = default;
};

// How an operator is computed outside of bands, and with which kernel inside too.
struct LayerChoice {
  int32_t op = 0;
  KernelId kernel = -1;          // -1: the planner's
  int32_t tile[kDimCount] = {};  // steps of the loops over each dimension; 0: the planner's
  int32_t threads = 0;           // at most so many; 0: the planner's

  bool operator==(const LayerChoice&) const = default;
};

struct PlanChoices {
  std::vector<BandChoice> bands = {};    // all there are to be
  std::vector<LayerChoice> layers = {};  // at most one an operator; others are the planner's
  int32_t threads = 0;                   // that are fastest for the model; 0: not known

  // Nothing if `op` has none.
  const LayerChoice* layer(int32_t op) const {
    for (const LayerChoice& choice : layers)
      if (choice.op == op) return &choice;
    return nullptr;
  }
  bool operator==(const PlanChoices&) const = default;
};

}  // namespace pj
