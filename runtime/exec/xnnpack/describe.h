// Graph operators in XNNPACK's terms.
#pragma once

#include <optional>

#include "runtime/exec/xnnpack/operator.h"
#include "runtime/graph/graph.h"

namespace pj::xnn {

struct Description {
  OperatorSpec spec;  // without weights and bias
  // Constants; null for none. May be f16 where the activations are f32.
  const Tensor* weights = nullptr;
  const Tensor* bias = nullptr;
};

// Nothing for operators that XNNPACK has no counterpart of: other kinds, weights that are computed,
// empty tensors, windows that lie in the padding altogether. What this build's XNNPACK can do of
// the rest, supports() tells. Requires known shapes.
std::optional<Description> describe(const Graph& graph, const Op& op);

}  // namespace pj::xnn
