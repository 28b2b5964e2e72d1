#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::GraphBuilder;
using test::input_name;
using test::kNeg;
using test::only;
using test::quant;
using test::run_pass;
using enum OpKind;

// neg(op(x)): the operators that are left.
size_t left_of(OpKind kind, OpParams params, Shape shape) {
  GraphBuilder b;
  const TensorId x = b.input("x", shape);
  const TensorId y = b.op(kind, params, {x}, "y");
  b.output(b.op(kUnary, kNeg, {y}, "z"));
  run_pass(remove_identities, b.graph);
  return b.graph.ops.size();
}

TEST(RemoveIdentities, OfEveryKind) {
  EXPECT_EQ(left_of(kReshape, ReshapeParams{{2, -1}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kSqueeze, SqueezeParams{}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kTranspose, TransposeParams{{0, 1}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kTranspose, TransposeParams{{1, 0, 2}}, {1, 1, 3}), 1u);
  EXPECT_EQ(left_of(kCast, NoParams{}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kCast, NoParams{}, {-1, 3}), 1u);
  EXPECT_EQ(left_of(kSlice, SliceParams{{0, 0}, {2, -1}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kTile, TileParams{{1, 1}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kBroadcastTo, BroadcastToParams{{2, 3}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kPad, PadParams{PadFn::kConstant, {0, 0}, {0, 0}}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kConcat, ConcatParams{0}, {2, 3}), 1u);
  EXPECT_EQ(left_of(kStridedSlice, StridedSliceParams{{0, 0}, {2, 3}, {1, 1}, 0, 0, 0, 0}, {2, 3}),
            1u);
}

TEST(RemoveIdentities, NotWhatChangesSomething) {
  EXPECT_EQ(left_of(kReshape, ReshapeParams{{3, 2}}, {2, 3}), 2u);
  EXPECT_EQ(left_of(kTranspose, TransposeParams{{1, 0}}, {2, 2}), 2u);
  EXPECT_EQ(left_of(kTile, TileParams{{1, 2}}, {2, 3}), 2u);
  EXPECT_EQ(left_of(kStridedSlice, StridedSliceParams{{-1}, {-99}, {-1}, 0, 0, 0, 0}, {2}), 2u);
  EXPECT_EQ(left_of(kUnary, UnaryParams{.fn = UnaryFn::kAbs}, {2}), 2u);
  // The shape is unknown: it could change.
  EXPECT_EQ(left_of(kReshape, ReshapeParams{{-1, 3}}, {-1, 3}), 2u);
}

TEST(RemoveIdentities, NotAcrossScales) {
  for (const Quantization& q : {quant(0.5f, 1), quant(0.5f, 2)}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {2}, DType::kI8, quant(0.5f, 1));
    const TensorId y = b.op(kQuantize, NoParams{}, {x}, "y", DType::kI8, q);
    b.output(b.op(kReshape, ReshapeParams{{1, 2}}, {y}, "z"));
    run_pass(remove_identities, b.graph);
    EXPECT_EQ(count_ops(b.graph, kQuantize), q == quant(0.5f, 1) ? 0 : 1);
  }
}

TEST(RemoveIdentities, NotCastsToAnotherType) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2}, DType::kI32);
  const TensorId y = b.op(kCast, NoParams{}, {x}, "y", DType::kF32);
  b.output(b.op(kUnary, kNeg, {y}, "z"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 0);
}

TEST(RemoveIdentities, GraphOutputsKeepTheirName) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kUnary, kNeg, {x}, "y");
  // Read before and after the operator that goes.
  const TensorId other = b.op(kUnary, kNeg, {y}, "other");
  const TensorId out = b.op(kReshape, ReshapeParams{{2}}, {y}, "out");
  const TensorId last = b.op(kBinary, BinaryParams{}, {y, other}, "last");
  b.graph.outputs = {last, out};
  EXPECT_EQ(run_pass(remove_identities, b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kReshape), 0);
  EXPECT_EQ(b.graph.tensor(b.graph.outputs[1]).name, "out");
  EXPECT_EQ(b.graph.ops[0].outputs[0], b.graph.outputs[1]);
  EXPECT_EQ(input_name(b.graph, b.graph.ops[1], 0), "out");
  EXPECT_EQ(input_name(b.graph, b.graph.ops[2], 0), "out");
}

TEST(RemoveIdentities, NotFromInputToOutput) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  b.output(b.op(kReshape, ReshapeParams{{2}}, {x}, "y"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 0);
}

TEST(RemoveIdentities, NotFromOutputToOutput) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kUnary, kNeg, {x}, "y");
  b.output(y);
  b.output(b.op(kReshape, ReshapeParams{{2}}, {y}, "z"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 0);
}

TEST(RemoveIdentities, ChainsOfIdentities) {
  GraphBuilder b;
  TensorId t = b.op(kUnary, kNeg, {b.input("x", {2})}, "y");
  for (int i = 0; i < 5; ++i) t = b.op(kReshape, ReshapeParams{{2}}, {t}, "r");
  b.output(t);
  EXPECT_EQ(run_pass(remove_identities, b.graph) >= 5, true);
  EXPECT_EQ(b.graph.ops.size(), 1u);
  EXPECT_EQ(b.graph.tensor(b.graph.outputs[0]).name, "r");
}

TEST(RemoveIdentities, JoinsReshapes) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 1, 6});
  const TensorId s = b.op(kSqueeze, SqueezeParams{}, {x}, "s");
  const TensorId e = b.op(kExpandDims, ExpandDimsParams{0}, {s}, "e");
  const TensorId r = b.op(kReshape, ReshapeParams{{3, 4}}, {e}, "r");
  b.output(b.op(kUnary, kNeg, {r}, "z"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 2);
  ASSERT_EQ(b.graph.ops.size(), 2u);
  EXPECT_EQ(input_name(b.graph, only(b.graph, kReshape), 0), "x");
  EXPECT_EQ(only(b.graph, kReshape).as<ReshapeParams>().shape, (Dims{3, 4}));
}

TEST(RemoveIdentities, ReshapesThatCancel) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 3});
  const TensorId r = b.op(kReshape, ReshapeParams{{6}}, {x}, "r");
  const TensorId back = b.op(kReshape, ReshapeParams{{2, 3}}, {r}, "back");
  b.output(b.op(kUnary, kNeg, {back}, "z"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 2);
  EXPECT_EQ(b.graph.ops.size(), 1u);
}

TEST(RemoveIdentities, TransposesOfOnesAreReshapes) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 1, 5, 3});
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 2, 1, 3}}, {x}, "t");
  b.output(b.op(kUnary, kNeg, {t}, "z"));
  EXPECT_EQ(run_pass(remove_identities, b.graph), 1);
  EXPECT_EQ(only(b.graph, kReshape).as<ReshapeParams>().shape, (Dims{1, 5, 1, 3}));
}

}  // namespace
}  // namespace pj
