// Running one operator of a graph through the reference kernels.
#pragma once

#include "kernels/reference/reference.h"
#include "runtime/graph/graph.h"

namespace pj {

// A tensor as the reference kernels see it. The scales of a tensor with one per channel are viewed,
// not copied.
OperandDesc operand_of(const Tensor& t);

// Computes an operator whose inputs are constants (or whose values it does not read) and whose
// outputs have static shapes; its parameters are attributes. One block of bytes an output. Errors:
// kOutOfMemory.
Result<std::vector<SharedBytes>> evaluate(const Graph& graph, const Op& op);

}  // namespace pj
