#include <numeric>

#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::evaluate_all;
using test::GraphBuilder;
using test::kNeg;
using test::only;
using test::run_pass;
using enum OpKind;

const Shape kShape{2, 3, 4, 5};
constexpr int32_t kElements = 120;

std::vector<float> values() {
  std::vector<float> x(kElements);
  std::iota(x.begin(), x.end(), -50.f);
  return x;
}

Dims inverse_of(const Dims& perm) {
  Dims inverse = perm;
  for (int32_t i = 0; i < perm.rank(); ++i) inverse[perm[i]] = i;
  return inverse;
}

// Runs the pass; what the graph computes stays.
int run_checked(Graph& graph) {
  EXPECT_TRUE(validate(graph));
  EXPECT_TRUE(infer_shapes(graph));
  const std::vector<float> before = evaluate_all(graph, values());
  const int rewrites = run_pass(sink_transposes, graph);
  EXPECT_EQ(evaluate_all(graph, values()), before);
  return rewrites;
}

// An operator between a transpose and, behind it, its inverse.
struct Middle {
  const char* name;
  TensorId (*add)(GraphBuilder& b, TensorId t);
};

const Middle kMiddles[] = {
    {"unary", [](GraphBuilder& b, TensorId t) { return b.op(kUnary, kNeg, {t}, "m"); }},
    {"with itself",
     [](GraphBuilder& b, TensorId t) {
       return b.op(kBinary, BinaryParams{BinaryFn::kMul}, {t, t}, "m");
     }},
    {"constant by channel",
     [](GraphBuilder& b, TensorId t) {
       // As long as the last dimension, whatever that is after the transpose.
       const Shape shape{b.graph.tensor(t).shape.back(0)};
       std::vector<float> c(static_cast<size_t>(shape[0]));
       std::iota(c.begin(), c.end(), 1.f);
       return b.op(kBinary, BinaryParams{BinaryFn::kAdd}, {t, b.constant<float>("c", shape, c)},
                   "m");
     }},
    {"one constant",
     [](GraphBuilder& b, TensorId t) {
       return b.op(kBinary, BinaryParams{BinaryFn::kSub}, {b.constant<float>("c", {1}, {7}), t},
                   "m");
     }},
    {"prelu",
     [](GraphBuilder& b, TensorId t) {
       const Shape& s = b.graph.tensor(t).shape;
       const Shape shape{s[1], 1, s[3]};
       std::vector<float> c(static_cast<size_t>(elements(shape)));
       std::iota(c.begin(), c.end(), 1.f);
       return b.op(kPRelu, NoParams{}, {t, b.constant<float>("alpha", shape, c)}, "m");
     }},
    {"pad",
     [](GraphBuilder& b, TensorId t) {
       return b.op(kPad, PadParams{PadFn::kConstant, {0, 1, 2, 3}, {3, 0, 1, 0}}, {t}, "m");
     }},
    {"concat",
     [](GraphBuilder& b, TensorId t) {
       const TensorId other = b.op(kUnary, kNeg, {t}, "n");
       return b.op(kConcat, ConcatParams{-2}, {t, other}, "m");
     }},
    {"concat with a constant",
     [](GraphBuilder& b, TensorId t) {
       const Shape shape = b.graph.tensor(t).shape;
       return b.op(kConcat, ConcatParams{1},
                   {t, b.constant<float>("c", shape, std::vector<float>(kElements, 3))}, "m");
     }},
    {"slice",
     [](GraphBuilder& b, TensorId t) {
       return b.op(kSlice, SliceParams{{0, 1, 0, 1}, {2, 1, -1, -1}}, {t}, "m");
     }},
    {"strided slice",
     [](GraphBuilder& b, TensorId t) {
       return b.op(kStridedSlice,
                   StridedSliceParams{{1, 0, -1, 1}, {0, 2, -9, 2}, {1, 1, -1, 1}, 1, 9, 0, 0}, {t},
                   "m");
     }},
    {"reduce",
     [](GraphBuilder& b, TensorId t) {
       const TensorId m = b.op(kReduce, ReduceParams{ReduceFn::kSum, true, {1, -1}}, {t}, "r");
       return b.op(kBinary, BinaryParams{BinaryFn::kSub}, {t, m}, "m");
     }},
};

TEST(SinkTransposes, ThroughEveryKindAndOrder) {
  Dims perm{0, 1, 2, 3};
  do {
    for (const Middle& middle : kMiddles) {
      SCOPED_TRACE(std::string(middle.name) + " " + to_string(perm));
      GraphBuilder b;
      const TensorId x = b.input("x", kShape);
      const TensorId t = b.op(kTranspose, TransposeParams{perm}, {x}, "t");
      for (int32_t i = 0; i < 4; ++i) b.graph.tensor(t).shape.push_back(kShape[perm[i]]);
      const TensorId m = middle.add(b, t);
      const TensorId back = b.op(kTranspose, TransposeParams{inverse_of(perm)}, {m}, "back");
      b.output(b.op(kUnary, kNeg, {back}, "y"));
      const bool identity =
          perm == inverse_of(perm) && perm[0] == 0 && perm[1] == 1 && perm[2] == 2;
      EXPECT_EQ(run_checked(b.graph), identity ? 0 : 1);
      if (identity) continue;
      for (const Op& op : b.graph.ops)
        if (op.kind == kTranspose) {
          EXPECT_NE(b.graph.tensor(op.inputs[0]).name, "x");  // of a constant, to be folded
        }
    }
  } while (std::next_permutation(perm.v.begin(), perm.v.begin() + 4));
}

TEST(SinkTransposes, ReducedDimensionsLeaveTheOrderOfTheRest) {
  // Means of images, channels first: what is left is in order.
  GraphBuilder b;
  const TensorId x = b.input("x", kShape);
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "t");
  b.output(b.op(kReduce, ReduceParams{ReduceFn::kMax, false, {2, 3}}, {t}, "y"));
  EXPECT_EQ(run_checked(b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kTranspose), 0);
  EXPECT_EQ(b.graph.tensor(b.graph.outputs[0]).name, "y");

  // Here it is not: fewer elements are transposed behind.
  GraphBuilder c;
  const TensorId u = c.op(kTranspose, TransposeParams{{3, 2, 1, 0}}, {c.input("x", kShape)}, "t");
  c.output(c.op(kReduce, ReduceParams{ReduceFn::kMax, false, {1}}, {u}, "y"));
  EXPECT_EQ(run_checked(c.graph), 1);
  EXPECT_EQ(c.graph.ops.back().kind, kTranspose);
}

// neg(back(reshape(t(x)))), where all transposes should go.
void check_reshape(OpKind kind, OpParams params, Dims perm, Dims back) {
  SCOPED_TRACE(std::string(name_of(kind)) + " " + to_string(perm));
  GraphBuilder b;
  const TensorId t = b.op(kTranspose, TransposeParams{perm}, {b.input("x", {1, 1, 20, 6})}, "t");
  const TensorId r = b.op(kind, params, {t}, "r");
  const TensorId m = b.op(kTranspose, TransposeParams{back}, {r}, "m");
  b.output(b.op(kUnary, kNeg, {m}, "y"));
  EXPECT_EQ(run_checked(b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kTranspose), 0);
}

TEST(SinkTransposes, ReshapesThatOnlyDropOnes) {
  check_reshape(kReshape, ReshapeParams{{6, 20}}, {0, 1, 3, 2}, {1, 0});
  check_reshape(kSqueeze, SqueezeParams{{0}}, {0, 1, 3, 2}, {0, 2, 1});
  check_reshape(kExpandDims, ExpandDimsParams{3}, {0, 1, 3, 2}, {0, 1, 4, 3, 2});
  check_reshape(kReshape, ReshapeParams{{6, 1, 20, 1}}, {3, 0, 2, 1}, {2, 1, 0, 3});
}

TEST(SinkTransposes, NotOtherReshapes) {
  GraphBuilder b;
  const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {b.input("x", {20, 6})}, "t");
  const TensorId r = b.op(kReshape, ReshapeParams{{20, 6}}, {t}, "r");
  b.output(b.op(kTranspose, TransposeParams{{1, 0}}, {r}, "y"));
  EXPECT_EQ(run_pass(sink_transposes, b.graph), 0);
}

TEST(SinkTransposes, ProductsReadTheirSecondFactorAsItWas) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 1, 10, 12});
  const TensorId v = b.op(kUnary, kNeg, {b.op(kReshape, ReshapeParams{{12, 10}}, {x}, "r")}, "v");
  const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {v}, "t");
  b.output(b.op(kFullyConnected, FullyConnectedParams{}, {x, t}, "y"));
  EXPECT_EQ(run_checked(b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kTranspose), 0);
  EXPECT_FALSE(only(b.graph, kBatchMatMul).as<BatchMatMulParams>().transpose_b);
}

TEST(SinkTransposes, ProductsTransposeInTheBatch) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 12, 5});
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 2, 1}}, {x}, "t");
  b.output(b.op(kBatchMatMul, BatchMatMulParams{}, {x, t}, "y"));
  EXPECT_EQ(run_checked(b.graph), 1);
  EXPECT_TRUE(only(b.graph, kBatchMatMul).as<BatchMatMulParams>().transpose_b);
}

TEST(SinkTransposes, NotOfFactorsWithAnActivation) {
  GraphBuilder b;
  const TensorId x = b.input("x", {12, 10});
  const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {x}, "t");
  const FullyConnectedParams relu{false, Activation::kRelu};
  b.output(b.op(kFullyConnected, relu, {b.constant<float>("a", {1, 12}, std::vector<float>(12)), t},
                "y"));
  EXPECT_EQ(run_pass(sink_transposes, b.graph), 0);
}

TEST(SinkTransposes, SplitsHaveManyOutputs) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 3, 4, 5});
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "t");
  const TensorId first = b.tensor("first", {}), second = b.tensor("second", {});
  b.graph.ops.push_back({kSplit, SplitParams{-1, {}}, {t}, {first, second}, ""});
  const TensorId sum = b.op(kBinary, BinaryParams{BinaryFn::kSub}, {first, second}, "sum");
  b.output(b.op(kTranspose, TransposeParams{{0, 2, 3, 1}}, {sum}, "y"));
  EXPECT_EQ(run_checked(b.graph), 1);
  EXPECT_EQ(only(b.graph, kSplit).as<SplitParams>().axis, 2);
}

TEST(SinkTransposes, GraphOutputsAreWritten) {
  GraphBuilder b;
  const TensorId x = b.input("x", kShape);
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "t");
  const TensorId half = b.op(kSlice, SliceParams{{0, 0, 0, 0}, {1, 2, -1, -1}}, {t}, "half");
  const TensorId y = b.op(kUnary, kNeg, {half}, "y");
  b.graph.outputs = {y, half};
  EXPECT_EQ(run_checked(b.graph), 1);  // 2 x 24 elements instead of 120
  EXPECT_EQ(b.graph.tensor(b.graph.outputs[0]).name, "y");
}

TEST(SinkTransposes, NotWhereMoreWouldBeTransposed) {
  GraphBuilder b;
  const TensorId x = b.input("x", kShape);
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "t");
  const TensorId y = b.op(kUnary, kNeg, {t}, "y");
  b.graph.outputs = {y, b.op(kReshape, ReshapeParams{{-1}}, {t}, "z")};
  EXPECT_EQ(run_checked(b.graph), 0);
  EXPECT_EQ(b.graph.ops.size(), 3u);
}

TEST(SinkTransposes, NotWhereOrdersDiffer) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 4});
  const TensorId s = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "s");
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 2, 1}}, {x}, "t");
  b.output(b.op(kBinary, BinaryParams{}, {s, t}, "y"));
  EXPECT_EQ(run_pass(sink_transposes, b.graph), 0);
}

TEST(SinkTransposes, SizesNeedNotBeKnown) {
  GraphBuilder b;
  const TensorId x = b.input("x", {-1, 3, -1, 5});
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 3, 1, 2}}, {x}, "t");
  const TensorId m = b.op(kUnary, kNeg, {t}, "m");
  b.output(b.op(kTranspose, TransposeParams{{0, 2, 3, 1}}, {m}, "y"));
  EXPECT_EQ(run_pass(sink_transposes, b.graph), 1);
}

}  // namespace
}  // namespace pj
