#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::GraphBuilder;
using test::quant;
using test::run_pass;
using enum OpKind;

int fuse(Graph& graph) {
  return run_pass(
      [](Graph& g) { return fuse_epilogues(g, [](const Graph&, const Op&) { return true; }); },
      graph);
}

const Epilogue& epilogue(const Graph& graph, size_t op) {
  return *epilogue_of(graph.ops[op].params);
}

TensorId conv(GraphBuilder& b, TensorId x, const std::string& name, DType dtype = DType::kF32,
              Quantization q = {}) {
  const TensorId w = dtype == DType::kF32
                         ? b.constant<float>(name + "/w", {1, 1, 1, 1}, {2})
                         : b.constant<int8_t>(name + "/w", {1, 1, 1, 1}, {2}, quant(0.5f));
  return b.op(kConv2D, Conv2DParams{}, {x, w}, name, dtype, std::move(q));
}

TEST(FuseEpilogues, AFunctionJoins) {
  GraphBuilder b;
  const TensorId y = conv(b, b.input("x", {1, 2, 2, 1}), "y");
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kLeakyRelu, .alpha = 0.25f}, {y}, "z"));
  EXPECT_EQ(fuse(b.graph), 1);
  ASSERT_EQ(b.graph.ops.size(), 1u);
  EXPECT_EQ(epilogue(b.graph, 0).fn, EpilogueFn::kUnary);
  EXPECT_EQ(epilogue(b.graph, 0).unary, UnaryFn::kLeakyRelu);
  EXPECT_EQ(epilogue(b.graph, 0).alpha, 0.25f);
  EXPECT_EQ(b.graph.tensor(b.graph.ops[0].outputs[0]).name, "z");
}

TEST(FuseEpilogues, ASumJoinsTheLaterOfItsOperands) {
  for (const bool swapped : {false, true}) {
    GraphBuilder b;
    const Quantization qx = quant(0.5f, 3), qy = quant(0.25f, -4), qz = quant(0.75f, 5);
    const TensorId x = b.input("x", {1, 2, 2, 1}, DType::kI8, qx);
    const TensorId first = conv(b, x, "first", DType::kI8, qx);
    const TensorId second = conv(b, first, "second", DType::kI8, qy);
    const std::vector<TensorId> terms =
        swapped ? std::vector{second, first} : std::vector{first, second};
    b.output(
        b.op(kBinary, BinaryParams{BinaryFn::kAdd, Activation::kRelu}, terms, "z", DType::kI8, qz));
    EXPECT_EQ(fuse(b.graph), 1);
    ASSERT_EQ(b.graph.ops.size(), 2u);
    const Op& op = b.graph.ops[1];
    EXPECT_EQ(epilogue(b.graph, 1).fn, EpilogueFn::kAdd);
    EXPECT_EQ(epilogue(b.graph, 1).activation, Activation::kRelu);
    EXPECT_EQ(epilogue(b.graph, 1).scale, 0.25f);
    EXPECT_EQ(epilogue(b.graph, 1).zero_point, -4);
    ASSERT_EQ(op.inputs.size(), 4u);
    EXPECT_EQ(op.inputs[2], kNoTensor);
    EXPECT_EQ(b.graph.tensor(op.inputs[3]).name, "first");
    EXPECT_EQ(b.graph.tensor(op.outputs[0]).quant, qz);
  }
}

TEST(FuseEpilogues, SlopesForEachChannelJoin) {
  for (const bool constant : {false, true}) {
    GraphBuilder b;
    const TensorId y = conv(b, b.input("x", {1, 2, 2, 1}), "y");
    const TensorId slopes =
        constant ? b.constant<float>("s", {1, 1, 1}, {0.5f}) : b.input("s", {1, 1, 1});
    b.output(b.op(kPRelu, NoParams{}, {y, slopes}, "z"));
    EXPECT_EQ(fuse(b.graph), constant ? 1 : 0);
  }
}

TEST(FuseEpilogues, OnlyOne) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2, 2, 1});
  const TensorId y = b.op(kUnary, UnaryParams{.fn = UnaryFn::kTanh}, {conv(b, x, "y")}, "t");
  b.output(b.op(kBinary, BinaryParams{}, {y, x}, "z"));
  EXPECT_EQ(fuse(b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kBinary), 1);
  EXPECT_EQ(fuse(b.graph), 0);
}

TEST(FuseEpilogues, NotWhatIsUsedElsewhere) {
  GraphBuilder b;
  const TensorId y = conv(b, b.input("x", {1, 2, 2, 1}), "y");
  b.output(y);
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kTanh}, {y}, "z"));
  EXPECT_EQ(fuse(b.graph), 0);
}

TEST(FuseEpilogues, NotSumsThatBroadcastNorOtherFunctions) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2, 2, 1});
  b.output(b.op(kBinary, BinaryParams{}, {conv(b, x, "a"), b.input("s", {1})}, "sum"));
  b.output(b.op(kBinary, BinaryParams{.fn = BinaryFn::kMul}, {conv(b, x, "b"), x}, "product"));
  EXPECT_EQ(fuse(b.graph), 0);
}

TEST(FuseEpilogues, NotWhatIsNotWanted) {
  GraphBuilder b;
  const TensorId y = conv(b, b.input("x", {1, 2, 2, 1}), "y");
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kTanh}, {y}, "z"));
  int asked = 0;
  ASSERT_TRUE(infer_shapes(b.graph));
  const Result<int> rewrites = fuse_epilogues(b.graph, [&](const Graph&, const Op& op) {
    asked += has_epilogue(op.params) ? 1 : 0;
    return false;
  });
  EXPECT_EQ(asked, 1);
  ASSERT_TRUE(rewrites);
  EXPECT_EQ(*rewrites, 0);
}

}  // namespace
}  // namespace pj
