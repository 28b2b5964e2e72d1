// XNNPACK's operators as prepared operators of a session.
#pragma once

#include "runtime/exec/prepared.h"

namespace pj::xnn {

// Offers every operator that XNNPACK computes as the reference does: integers bit by bit, floats
// within rounding. Each session's operators pack the weights anew. Floats that are NaN need not
// stay so in fused activations and maxima. Operators with f16 weights are offered only if these may
// be widened to f32. Lives as long as the process.
const PreparedOpFactory& factory(bool widen_f16);

}  // namespace pj::xnn
