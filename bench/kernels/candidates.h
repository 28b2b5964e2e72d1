// What can compute a layer here: rows of the catalog, each alone, and XNNPACK where it is built in.
#pragma once

#include <memory>
#include <vector>

#include "bench/kernels/layers.h"
#include "runtime/exec/session.h"
#include "runtime/exec/xnnpack/xnnpack.h"

namespace pj::bench {

// One way to compute a layer, to be planned and run like any network.
struct Candidate {
  std::string name;
  Layer layer;
  OperandTypes types;
  IsaSet isa;  // what its code may use
  int64_t macs = 0;
  XnnpackMode xnnpack = XnnpackMode::kOff;
  // Where every row but one fits nothing; the planner has no other choice.
  std::vector<KernelDesc> catalog;
};

// All that this build and CPU have for `layer`: found by asking the planner, so that new rows, and
// new classes of rows, appear by themselves.
std::vector<Candidate> find_candidates(const Layer& layer);

// Ready to run in one thread, with pseudo-random input. `candidate` outlives it. Errors: those of
// Model and Session.
Result<std::unique_ptr<Session>> make_session(const Candidate& candidate);

}  // namespace pj::bench
