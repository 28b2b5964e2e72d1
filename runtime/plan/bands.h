// Bands: chains of steps run a few rows at a time, so that what passes between them stays in cache.
//
// Layer by layer, a tensor between two operators is written once and read once, whole: where it
// does not fit a cache, both go to the level below. In a band each member computes only the rows
// that the next one needs now, into a ring of a few rows. What that costs: weights pass the first
// cache once a step of the band instead of once a layer, and, with several threads, each computes
// the rows at the border of its range itself. The planner weighs both with the rules of
// docs/decisions/2026-11-24-bands.md.
#pragma once

#include <span>
#include <vector>

#include "runtime/graph/graph.h"
#include "runtime/plan/choices.h"
#include "runtime/plan/program.h"
#include "runtime/plan/target.h"

namespace pj {

// Merges steps of `program` into bands where that is expected to cost less, or into `chosen` if it
// is not null and all of it can be followed: false if it cannot. Arena operands still carry tensor
// ids in BufferRef::index; those between members of a band become rings. Pure, as the planner.
bool form_bands(const Graph& graph, const Target& target, std::span<const KernelDesc> catalog,
                Program& program, const std::vector<BandChoice>* chosen = nullptr);
// The bands of a program.
std::vector<BandChoice> bands_of(const Program& program);

}  // namespace pj
