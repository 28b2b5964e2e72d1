// Small steps that several passes take.
#pragma once

#include "runtime/graph/graph.h"

namespace pj {

// True if the tensor is used by one operator, once, and is no graph output.
bool has_single_use(const Uses& uses, TensorId id);

// The operator that produces a tensor; null for inputs and constants.
Op* producer_of(Graph& graph, const Uses& uses, TensorId id);

// True if elements of the two have the same meaning: type and quantisation.
bool same_values(const Tensor& a, const Tensor& b);

// Removes the operators marked in `dead`, one mark an operator.
void remove_ops(Graph& graph, const std::vector<bool>& dead);

}  // namespace pj
