// The operator table: what the graph knows of each operator.
#pragma once

#include "runtime/graph/graph.h"

namespace pj {

// What shape inference sees of one operator.
struct InferContext {
  const Graph& graph;
  const Op& op;

  const Tensor& input(size_t i) const { return graph.tensor(op.inputs[i]); }
  bool has_input(size_t i) const { return i < op.inputs.size() && op.inputs[i] != kNoTensor; }
};

// One row an operator. `validate` checks attributes, dtypes, quantisation and everything about
// ranks and constants that does not need shapes of activations; `infer` appends one shape per
// output. Both name only the defect; the caller adds the operator's place.
struct OpInfo {
  OpKind kind;
  int32_t min_inputs, max_inputs;  // trailing optional inputs may be missing or kNoTensor
  int32_t required_inputs;         // the first so many must be present
  int32_t min_outputs, max_outputs;
  // Inputs from this index on hold parameters (a shape, axes, ...) that must become constants and
  // be absorbed into attributes before planning; max_inputs if there are none.
  int32_t first_parameter_input;
  Status (*validate)(const InferContext&);
  Status (*infer)(const InferContext&, std::vector<Shape>& outputs);
};

const OpInfo& op_info(OpKind kind);

// Multiply-accumulates of one inference of an operator whose shapes are static; 0 for operators
// that are not convolutions or matrix products.
int64_t mac_count(const Graph& graph, const Op& op);

}  // namespace pj
