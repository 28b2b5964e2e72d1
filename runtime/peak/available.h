// The loops that may be run here.
#pragma once

#include <vector>

#include "runtime/base/isa.h"
#include "runtime/peak/levels/loops.h"

namespace pj::peak {

// Those that this build contains and whose levels `isa` includes, lowest level first.
std::vector<const LevelLoops*> available_loops(IsaSet isa);
// Of those, the loads and stores with the widest instructions.
MoveLoops widest_moves(IsaSet isa);

}  // namespace pj::peak
