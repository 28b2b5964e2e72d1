// Epilogues that a target's kernels have.
#pragma once

#include <span>

#include "kernels/catalog/catalog.h"
#include "runtime/graph/graph.h"
#include "runtime/plan/target.h"

namespace pj {

// fuse_epilogues() for a target: where the kernel that an operator would have anyway also computes
// the epilogue. Returns the number of operators that went. Expects what run_passes() leaves;
// operators whose shapes are unknown stay.
Result<int> fuse_for_target(Graph& graph, const Target& target,
                            std::span<const KernelDesc> catalog);

}  // namespace pj
