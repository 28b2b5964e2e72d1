// What validate(), infer_shapes() and the passes share. Messages name only the defect, if not said
// otherwise.
#pragma once

#include "runtime/graph/graph.h"

namespace pj {

// Rank, dimensions and size are within the limits; no product of dimensions overflows 64 bits.
Status check_shape(const Shape& shape, DType dtype);
// As many zero points as scales, and as many scales as channels, where the shape tells.
Status check_channels(const Tensor& t);

// What infer_shapes() does for each operator in turn. Errors name the operator.
Status infer_op(Graph& graph, int32_t op_index);

}  // namespace pj
