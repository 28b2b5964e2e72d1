// Which part of a step each thread computes, where the step before decides it.
#pragma once

#include <span>

#include "runtime/plan/program.h"

namespace pj {

// A thread finds in its own cache what it wrote a step before if it reads just that. Depthwise
// convolutions behind an operator that is shared by ranges of channels are shared so as well, by as
// many; on their own they would be shared by rows, and half of what each of two threads reads would
// come from the cache of the other. To be called before bands are formed.
void share_like_producers(std::span<const KernelDesc> catalog, Program& program);

}  // namespace pj
