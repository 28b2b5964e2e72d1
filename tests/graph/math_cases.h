// One operator as a test case: what its inputs are, and the shapes or the message that follow.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>

#include "runtime/graph/op_table.h"
#include "tests/graph/graph_builder.h"

namespace pj::math_test {

using test::GraphBuilder;
using test::quant;

using enum OpKind;
using enum DType;

struct Operand {
  Shape shape;
  DType dtype = kF32;
  Quantization q = {};
};

// What becomes of an operator: the shapes of its outputs, or the message.
struct Case {
  const char* name;
  OpKind kind;
  OpParams params;
  std::vector<Operand> inputs;
  std::vector<Operand> outputs;  // expected shapes; types and quantisation as given
  const char* message = "";
};
inline void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

// A graph of that one operator. All inputs are graph inputs.
inline GraphBuilder build(const Case& c) {
  GraphBuilder b;
  Op op{c.kind, c.params, {}, {}, ""};
  for (const Operand& o : c.inputs) op.inputs.push_back(b.input("x", o.shape, o.dtype, o.q));
  for (const Operand& o : c.outputs) {
    op.outputs.push_back(b.tensor("y", {}, o.dtype, o.q));
    b.output(op.outputs.back());
  }
  b.graph.ops.push_back(op);
  return b;
}

inline Status check(Graph& graph) {
  // Quantisation along an axis needs the rank, which a produced tensor has only after inference.
  PJ_TRY(validate(graph));
  return infer_shapes(graph);
}

class MathTest : public ::testing::TestWithParam<Case> {};

inline std::string name_of_case(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
#define MATH_CASES(group) \
  INSTANTIATE_TEST_SUITE_P(group, MathTest, ::testing::ValuesIn(k##group), name_of_case)

inline const Quantization kQ = quant(0.5f, 3);
inline const Quantization kSymmetric = quant(0.25f, 0);

inline Quantization channels(size_t count, int32_t axis) {
  return {std::vector<float>(count, 0.5f), std::vector<int32_t>(count, 0), axis};
}
inline const Operand kImage{{1, 10, 11, 4}};
inline const Operand kFilter{{8, 3, 3, 4}};

}  // namespace pj::math_test
