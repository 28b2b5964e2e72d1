#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::GraphBuilder;
using test::quant;
using test::run_pass;
using enum OpKind;

const UnaryParams kRelu{.fn = UnaryFn::kRelu};

TEST(FuseActivation, IntoAConvolution) {
  const std::pair<UnaryFn, Activation> pairs[] = {{UnaryFn::kRelu, Activation::kRelu},
                                                  {UnaryFn::kRelu6, Activation::kRelu6},
                                                  {UnaryFn::kReluN1To1, Activation::kReluN1To1}};
  for (const auto& [fn, activation] : pairs) {
    GraphBuilder b;
    const TensorId x = b.input("x", {1, 2, 2, 1});
    const TensorId w = b.constant<float>("w", {1, 1, 1, 1}, {1});
    const TensorId y = b.op(kConv2D, Conv2DParams{}, {x, w}, "y");
    b.output(b.op(kUnary, UnaryParams{.fn = fn}, {y}, "z"));
    EXPECT_EQ(run_pass(fuse_activation, b.graph), 1);
    ASSERT_EQ(b.graph.ops.size(), 1u);
    EXPECT_EQ(b.graph.ops[0].as<Conv2DParams>().activation, activation);
    EXPECT_EQ(b.graph.tensor(b.graph.ops[0].outputs[0]).name, "z");
  }
}

// relu(producer(x, second)); the number of fusions.
int fused(OpKind kind, OpParams params, Shape x_shape, Shape second = {}) {
  GraphBuilder b;
  std::vector<TensorId> inputs = {b.input("x", x_shape)};
  if (!second.empty())
    inputs.push_back(
        b.constant<float>("c", second, std::vector<float>(static_cast<size_t>(elements(second)))));
  const TensorId y = b.op(kind, params, inputs, "y");
  b.output(b.op(kUnary, kRelu, {y}, "z"));
  return run_pass(fuse_activation, b.graph);
}

TEST(FuseActivation, IntoEveryOperatorThatTakesOne) {
  TransposeConv2DParams transpose;
  transpose.out_h = transpose.out_w = 4;
  const Shape image = {1, 4, 4, 2};
  EXPECT_EQ(fused(kDepthwiseConv2D, DepthwiseConv2DParams{}, image, {1, 1, 1, 2}), 1);
  EXPECT_EQ(fused(kTransposeConv2D, transpose, image, {2, 1, 1, 2}), 1);
  EXPECT_EQ(fused(kFullyConnected, FullyConnectedParams{}, {1, 4}, {3, 4}), 1);
  EXPECT_EQ(fused(kPool2D, Pool2DParams{}, image), 1);
  for (const BinaryFn fn : {BinaryFn::kAdd, BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kDiv})
    EXPECT_EQ(fused(kBinary, BinaryParams{.fn = fn}, image, {1}), 1) << name_of(fn);
}

TEST(FuseActivation, NotIntoOthers) {
  EXPECT_EQ(fused(kBinary, BinaryParams{.fn = BinaryFn::kMaximum}, {4}, {1}), 0);
  EXPECT_EQ(fused(kBinary, BinaryParams{BinaryFn::kAdd, Activation::kRelu6}, {4}, {1}), 0);
  EXPECT_EQ(fused(kUnary, UnaryParams{.fn = UnaryFn::kNeg}, {4}), 0);
  EXPECT_EQ(fused(kReshape, ReshapeParams{{4}}, {4}), 0);
}

TEST(FuseActivation, NotOtherFunctions) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kBinary, BinaryParams{}, {x, x}, "y");
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kTanh}, {y}, "z"));
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 0);
}

TEST(FuseActivation, NotOfATensorWithOtherUses) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kBinary, BinaryParams{}, {x, x}, "y");
  const TensorId z = b.op(kUnary, kRelu, {y}, "z");
  b.output(b.op(kBinary, BinaryParams{}, {y, z}, "s"));
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 0);
}

TEST(FuseActivation, NotOfAGraphOutput) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kBinary, BinaryParams{}, {x, x}, "y");
  b.output(y);
  b.output(b.op(kUnary, kRelu, {y}, "z"));
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 0);
}

TEST(FuseActivation, NotOfAGraphInput) {
  GraphBuilder b;
  b.output(b.op(kUnary, kRelu, {b.input("x", {2})}, "z"));
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 0);
}

TEST(FuseActivation, OnlyTheFirstOfTwo) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId y = b.op(kBinary, BinaryParams{}, {x, x}, "y");
  const TensorId z = b.op(kUnary, kRelu, {y}, "z");
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kRelu6}, {z}, "r"));
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 1);
  EXPECT_EQ(count_ops(b.graph, kUnary), 1);
  EXPECT_EQ(run_pass(fuse_activation, b.graph), 0);
}

// Quantised: exact only at equal scale and zero point.
TEST(FuseActivation, OfIntegersAtEqualScales) {
  for (const Quantization& q : {quant(0.5f, 3), quant(0.5f, 4), quant(0.25f, 3)}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {2}, DType::kI8, quant(0.5f));
    const TensorId y = b.op(kBinary, BinaryParams{}, {x, x}, "y", DType::kI8, quant(0.5f, 3));
    b.output(b.op(kUnary, kRelu, {y}, "z", DType::kI8, q));
    EXPECT_EQ(run_pass(fuse_activation, b.graph), q == quant(0.5f, 3) ? 1 : 0);
  }
}

}  // namespace
}  // namespace pj
