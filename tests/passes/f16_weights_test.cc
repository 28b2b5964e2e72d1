#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::find;
using test::GraphBuilder;
using test::input_name;
using test::only;
using test::run_pass;
using test::values_of;
using enum OpKind;

// 0, 1, 2, ... as f16.
TensorId half_constant(GraphBuilder& b, const char* name, Shape shape) {
  std::vector<Half> v;
  for (int64_t i = 0; i < elements(shape); ++i) v.push_back(to_half(static_cast<float>(i % 64)));
  return b.constant<Half>(name, shape, v);
}

TensorId dequantize(GraphBuilder& b, TensorId half, const char* name) {
  return b.op(kDequantize, NoParams{}, {half}, name, DType::kF32);
}

TEST(F16Weights, AreUsedDirectly) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2});
  const TensorId w = dequantize(b, half_constant(b, "w16", {3, 1, 1, 2}), "w32");
  const TensorId bias = dequantize(b, half_constant(b, "b16", {3}), "b32");
  b.output(b.op(kConv2D, Conv2DParams{}, {x, w, bias}, "y"));
  EXPECT_EQ(run_pass(f16_weights, b.graph), 2);
  EXPECT_EQ(count_ops(b.graph, kDequantize), 0);
  const Op& conv = only(b.graph, kConv2D);
  EXPECT_EQ(input_name(b.graph, conv, 1), "w16");
  EXPECT_EQ(input_name(b.graph, conv, 2), "b16");
}

TEST(F16Weights, OfEveryOperatorThatTakesThem) {
  struct Case {
    OpKind kind;
    OpParams params;
    Shape x, w;
  };
  TransposeConv2DParams transpose;
  transpose.out_h = transpose.out_w = 4;
  const Case cases[] = {{kDepthwiseConv2D, DepthwiseConv2DParams{}, {1, 4, 4, 2}, {1, 3, 3, 2}},
                        {kTransposeConv2D, transpose, {1, 4, 4, 2}, {3, 1, 1, 2}},
                        {kFullyConnected, FullyConnectedParams{}, {1, 4}, {3, 4}}};
  for (const Case& c : cases) {
    GraphBuilder b;
    const TensorId x = b.input("x", c.x);
    const TensorId w = dequantize(b, half_constant(b, "w16", c.w), "w32");
    b.output(b.op(c.kind, c.params, {x, w}, "y"));
    EXPECT_EQ(run_pass(f16_weights, b.graph), 1) << name_of(c.kind);
    EXPECT_EQ(b.graph.ops.size(), 1u) << name_of(c.kind);
  }
}

// As exporters to channels-last leave it: the layout changes after dequantising.
TEST(F16Weights, AreMovedAsF16) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2});
  const TensorId w = dequantize(b, half_constant(b, "w16", {3, 2, 1, 2}), "w32");
  const TensorId t = b.op(kTranspose, TransposeParams{{0, 2, 3, 1}}, {w}, "t");
  b.output(b.op(kConv2D, Conv2DParams{}, {x, t}, "y"));
  ASSERT_TRUE(run_passes(b.graph));
  ASSERT_EQ(b.graph.ops.size(), 1u);
  const Tensor& weights = b.graph.tensor(b.graph.ops[0].inputs[1]);
  EXPECT_EQ(weights.dtype, DType::kF16);
  EXPECT_EQ(weights.shape, (Shape{3, 1, 2, 2}));
  std::vector<float> values;
  for (Half h : values_of<Half>(weights)) values.push_back(to_float(h));
  EXPECT_EQ(values, (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11}));
}

TEST(F16Weights, AreMovedThroughChains) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 6});
  const TensorId w = dequantize(b, half_constant(b, "w16", {6, 1, 3}), "w32");
  const TensorId s = b.op(kSqueeze, SqueezeParams{{1}}, {w}, "s");
  const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {s}, "t");
  b.output(b.op(kFullyConnected, FullyConnectedParams{}, {x, t}, "y"));
  ASSERT_TRUE(run_passes(b.graph));
  ASSERT_EQ(b.graph.ops.size(), 1u);
  EXPECT_EQ(b.graph.tensor(b.graph.ops[0].inputs[1]).dtype, DType::kF16);
}

TEST(F16Weights, OtherUsesWidenSmallConstantsOnly) {
  for (const int32_t count : {32 << 10, (32 << 10) + 1}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {count});
    const TensorId d = dequantize(b, half_constant(b, "c16", {count}), "c32");
    b.output(b.op(kBinary, BinaryParams{.fn = BinaryFn::kMul}, {x, d}, "y"));
    const bool small = count == 32 << 10;
    EXPECT_EQ(run_pass(f16_weights, b.graph), small ? 1 : 0);
    EXPECT_EQ(count_ops(b.graph, kDequantize), small ? 0 : 1);
    if (small) {
      EXPECT_EQ(b.graph.tensor(find(b.graph, "c32")).as<float>()[3], 3.0f);
    }
  }
}

TEST(F16Weights, BothUsesOfOneConstant) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2});
  const TensorId w = dequantize(b, half_constant(b, "w16", {2, 2}), "w32");
  const TensorId y = b.op(kFullyConnected, FullyConnectedParams{}, {x, w}, "y");
  b.output(b.op(kBinary, BinaryParams{}, {y, w}, "z"));
  EXPECT_EQ(run_pass(f16_weights, b.graph), 2);
  EXPECT_EQ(input_name(b.graph, only(b.graph, kFullyConnected), 1), "w16");
  EXPECT_EQ(input_name(b.graph, only(b.graph, kBinary), 1), "w32");
}

TEST(F16Weights, NotOfAnImageInput) {
  // The first operand of a convolution is no weight: it is widened, being small.
  GraphBuilder b;
  b.input("unused", {1});
  const TensorId x = dequantize(b, half_constant(b, "x16", {1, 2, 2, 1}), "x32");
  const TensorId w = b.constant<float>("w", {1, 1, 1, 1}, {1});
  b.output(b.op(kConv2D, Conv2DParams{}, {x, w}, "y"));
  EXPECT_EQ(run_pass(f16_weights, b.graph), 1);
  EXPECT_EQ(b.graph.tensor(only(b.graph, kConv2D).inputs[0]).dtype, DType::kF32);
}

TEST(F16Weights, NotWhatAGraphOutputNames) {
  GraphBuilder b;
  b.input("unused", {1});
  b.output(dequantize(b, half_constant(b, "c16", {2}), "c32"));
  EXPECT_EQ(run_pass(f16_weights, b.graph), 0);
}

TEST(F16Weights, NotOfIntegers) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2});
  const TensorId q = b.constant<int8_t>("w8", {1, 2}, {1, 2}, test::quant(0.5f));
  const TensorId w = b.op(kDequantize, NoParams{}, {q}, "w32", DType::kF32);
  b.output(b.op(kFullyConnected, FullyConnectedParams{}, {x, w}, "y"));
  EXPECT_EQ(run_pass(f16_weights, b.graph), 0);
}

TEST(NarrowWeights, AreRoundedToF16) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2});
  const TensorId w = b.constant<float>("w", {3, 2}, {1, 2, 0.1f, -4, 5, 1.0f / 3});
  const TensorId bias = b.constant<float>("bias", {3}, {0.1f, 0, 1});
  b.output(b.op(kFullyConnected, FullyConnectedParams{}, {x, w, bias}, "y"));
  EXPECT_EQ(narrow_weights(b.graph), 1);
  EXPECT_TRUE(validate(b.graph));
  const Op& op = only(b.graph, kFullyConnected);
  EXPECT_EQ(b.graph.tensor(op.inputs[1]).dtype, DType::kF16);
  EXPECT_EQ(to_float(values_of<Half>(b.graph.tensor(op.inputs[1]))[2]), to_float(to_half(0.1f)));
  EXPECT_EQ(b.graph.tensor(op.inputs[2]).dtype, DType::kF32);
  EXPECT_EQ(b.graph.tensors.size(), 4u) << "the f32 weights are still there";
}

TEST(NarrowWeights, WhatIsNoWeightAndWhatF16CannotHoldStays) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2});
  const TensorId large = b.constant<float>("large", {2, 2}, {1, 2, 3, 70000});
  const TensorId shared = b.constant<float>("shared", {2, 2}, {1, 2, 3, 4});
  const TensorId y = b.op(kFullyConnected, FullyConnectedParams{}, {x, large}, "y");
  const TensorId z = b.op(kFullyConnected, FullyConnectedParams{}, {y, shared}, "z");
  b.output(b.op(kBinary, BinaryParams{}, {z, shared}, "s"));
  EXPECT_EQ(narrow_weights(b.graph), 1);
  EXPECT_EQ(input_name(b.graph, b.graph.ops[0], 1), "large");
  EXPECT_EQ(b.graph.tensor(b.graph.ops[0].inputs[1]).dtype, DType::kF32);
  EXPECT_EQ(b.graph.tensor(b.graph.ops[1].inputs[1]).dtype, DType::kF16);
  EXPECT_EQ(b.graph.tensor(only(b.graph, kBinary).inputs[1]).dtype, DType::kF32);
}

}  // namespace
}  // namespace pj
