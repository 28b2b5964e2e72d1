// Activations of 16 bits, for CPUs that compute with them.
#pragma once

#include <span>

#include "kernels/catalog/catalog.h"
#include "runtime/graph/graph.h"
#include "runtime/plan/target.h"

namespace pj {

// Whether the target has arithmetic on f16.
bool computes_in_half(const Target& target);

// Lets float operators compute in f16 where the catalog has such a kernel for the target:
// convolutions with constant weights, and what is between them. Constants become f16, and so do all
// activations from the first to the last of these operators; casts mark the border. The graph's
// inputs and outputs keep their types. Nothing changes on a target without that arithmetic. The
// result is for make_plan() alone, whose kernels take these types: operators' definitions do not.
// Returns the number of operators that compute in f16. Expects what run_passes() leaves, after
// fuse_for_target().
int narrow_for_target(Graph& graph, const Target& target, std::span<const KernelDesc> catalog);

}  // namespace pj
