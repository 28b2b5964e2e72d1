// Weights packed for a target, as a .pj file stores them.
#pragma once

#include "runtime/format/pj_file.h"
#include "runtime/plan/plan.h"

namespace pj {

// Plans `graph` (after the passes) for `target`, which need not be this machine, and packs all
// weights. Packed weights do not depend on the sizes of inputs: unknown dimensions count as 1 here.
// Errors: those of the passes and of make_plan(), for example where a shape depends on data; such a
// model is packed at load. With `chosen`, for the kernels of a tuner.
Result<TargetRecord> pack_for_target(const Graph& graph, const Target& target,
                                     const std::optional<PlanChoices>& chosen = std::nullopt,
                                     std::span<const KernelDesc> catalog = kernel_catalog());

}  // namespace pj
