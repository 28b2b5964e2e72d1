// What the tests of the passes share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runtime/graph/op_table.h"
#include "runtime/passes/evaluate.h"
#include "runtime/passes/passes.h"
#include "tests/graph/graph_builder.h"

namespace pj::test {

// A unary operator, if any will do.
inline const UnaryParams kNeg{.fn = UnaryFn::kNeg};

// Runs one pass on a graph that is valid and inferred, as run_passes() does: afterwards the graph
// is compact, inferred, and still valid.
inline int run_pass(Result<int> (*pass)(Graph&), Graph& graph) {
  const Status before = validate(graph);
  EXPECT_TRUE(before) << before.error().message;
  const Status inferred = infer_shapes(graph);
  EXPECT_TRUE(inferred) << inferred.error().message;
  const Result<int> rewrites = pass(graph);
  EXPECT_TRUE(rewrites) << rewrites.error().message;
  compact(graph);
  const Status again = infer_shapes(graph);
  EXPECT_TRUE(again) << again.error().message;
  const Status after = validate(graph);
  EXPECT_TRUE(after) << after.error().message;
  return rewrites ? *rewrites : -1;
}

inline int count_ops(const Graph& graph, OpKind kind) {
  return static_cast<int>(std::count_if(graph.ops.begin(), graph.ops.end(),
                                        [&](const Op& op) { return op.kind == kind; }));
}

// The operator of a kind that the graph has once.
inline const Op& only(const Graph& graph, OpKind kind) {
  EXPECT_EQ(count_ops(graph, kind), 1) << name_of(kind);
  for (const Op& op : graph.ops)
    if (op.kind == kind) return op;
  static const Op none{};
  return none;
}

inline TensorId find(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.tensors.size(); ++i)
    if (graph.tensors[i].name == name) return static_cast<TensorId>(i);
  return kNoTensor;
}

inline std::string input_name(const Graph& graph, const Op& op, size_t i) {
  return graph.tensor(op.inputs[i]).name.str();
}

// The first output of a graph of floats, by the reference kernels; `x` is the first input.
inline std::vector<float> evaluate_all(Graph graph, const std::vector<float>& x) {
  Tensor& input = graph.tensor(graph.inputs[0]);
  input.constant = true;
  input.data = SharedBytes::copy_of(std::as_bytes(std::span(x)));
  graph.inputs.clear();
  for (const Op& op : graph.ops) {
    auto values = evaluate(graph, op);
    EXPECT_TRUE(values);
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      graph.tensor(op.outputs[i]).constant = true;
      graph.tensor(op.outputs[i]).data = (*values)[i];
    }
  }
  return values_of<float>(graph.tensor(graph.outputs[0]));
}

}  // namespace pj::test
