// Validation and shape inference of convolutions and matrix products, and how the cases of all
// operators that compute are run. Expected shapes are worked out by hand from the definitions in
// runtime/base/op_params.h.
#include "tests/graph/math_cases.h"

namespace pj::math_test {
namespace {

using ::testing::HasSubstr;

TEST_P(MathTest, GivesShapesOrTheDefect) {
  const Case& c = GetParam();
  GraphBuilder b = build(c);
  const Status s = check(b.graph);
  if (*c.message != '\0') {
    ASSERT_FALSE(s);
    EXPECT_THAT(s.error().message, HasSubstr(c.message));
    EXPECT_THAT(s.error().message, HasSubstr("node 0"));
    return;
  }
  ASSERT_TRUE(s) << s.error().message;
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    const Shape& shape = b.graph.tensor(b.graph.ops[0].outputs[i]).shape;
    EXPECT_EQ(shape, c.outputs[i].shape) << i << ": " << to_string(shape);
  }
}

Conv2DParams conv(PadMode mode, int32_t stride = 1, int32_t dilation = 1) {
  Conv2DParams p;
  p.padding.mode = mode;
  p.stride_h = p.stride_w = stride;
  p.dilation_h = p.dilation_w = dilation;
  return p;
}
Conv2DParams padded(int32_t top, int32_t bottom, int32_t left, int32_t right) {
  Conv2DParams p;
  p.padding = {PadMode::kExplicit, top, bottom, left, right};
  return p;
}
DepthwiseConv2DParams depthwise(PadMode mode, int32_t stride = 1) { return {conv(mode, stride)}; }

const Case kConvolutions[] = {
    {"Valid", kConv2D, conv(PadMode::kValid), {kImage, kFilter}, {{{1, 8, 9, 8}}}},
    {"SameStride", kConv2D, conv(PadMode::kSame, 2), {kImage, kFilter}, {{{1, 5, 6, 8}}}},
    {"ValidStride", kConv2D, conv(PadMode::kValid, 2), {kImage, kFilter}, {{{1, 4, 5, 8}}}},
    {"Dilated", kConv2D, conv(PadMode::kValid, 1, 4), {kImage, kFilter}, {{{1, 2, 3, 8}}}},
    {"Padded", kConv2D, padded(1, 2, 0, 5), {kImage, kFilter}, {{{1, 11, 14, 8}}}},
    {"Groups", kConv2D, conv(PadMode::kSame), {kImage, {{6, 1, 1, 2}}}, {{{1, 10, 11, 6}}}},
    {"UnknownSize",
     kConv2D,
     conv(PadMode::kSame, 2),
     {{{-1, -1, 11, 4}}, kFilter},
     {{{-1, -1, 6, 8}}}},
    {"UnknownChannels",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 4, 4, -1}}, kFilter},
     {{{1, 4, 4, 8}}}},
    {"HalfWeightsAndBias",
     kConv2D,
     conv(PadMode::kSame),
     {kImage, {{8, 3, 3, 4}, kF16}, {{8}, kF16}},
     {{{1, 10, 11, 8}}}},
    {"Int8PerChannel",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8, kQ}, {{8, 1, 1, 4}, kI8, channels(8, 0)}, {{8}, kI32}},
     {{{1, 2, 2, 8}, kI8, kQ}}},
    {"Uint8",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kU8, kQ}, {{8, 1, 1, 4}, kU8, quant(1, 255)}, {{8}, kI32}},
     {{{1, 2, 2, 8}, kU8, kQ}}},
    {"WindowTooLarge",
     kConv2D,
     conv(PadMode::kValid, 1, 5),
     {kImage, kFilter},
     {{}},
     "height is 11, larger than the input of 10"},
    {"Channels",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 4, 4, 6}}, kFilter},
     {{}},
     "do not agree in the number of channels"},
    {"GroupOutputs",
     kConv2D,
     conv(PadMode::kSame),
     {kImage, {{5, 1, 1, 2}}},
     {{}},
     "5 output channels do not divide into 2 groups"},
    {"ZeroStride", kConv2D, conv(PadMode::kSame, 0), {kImage, kFilter}, {{}}, "stride_h 0"},
    {"HugeDilation",
     kConv2D,
     conv(PadMode::kSame, 1, 1 << 17),
     {kImage, kFilter},
     {{}},
     "dilation_h 131072"},
    {"HugeWindow",
     kConv2D,
     conv(PadMode::kSame, 1, 1 << 16),
     {kImage, {{1, 1000, 1, 4}}},
     {{}},
     "the window's height with its dilation"},
    {"NegativePadding", kConv2D, padded(0, 0, -1, 0), {kImage, kFilter}, {{}}, "padding -1"},
    {"EmptyWeights",
     kConv2D,
     conv(PadMode::kSame),
     {kImage, {{0, 1, 1, 4}}},
     {{}},
     "cannot be empty"},
    {"WeightRank", kConv2D, conv(PadMode::kSame), {kImage, {{8, 4}}}, {{}}, "4 dimensions"},
    {"InputRank", kConv2D, conv(PadMode::kSame), {{{8, 4}}, kFilter}, {{}}, "4 dimensions"},
    {"BiasLength",
     kConv2D,
     conv(PadMode::kSame),
     {kImage, kFilter, {{7}}},
     {{}},
     "7 values for 8 output channels"},
    {"BiasType", kConv2D, conv(PadMode::kSame), {kImage, kFilter, {{8}, kI32}}, {{}}, "is int32"},
    {"IntBiasType",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8, kQ}, {{8, 1, 1, 4}, kI8, kSymmetric}, {{8}, kF32}},
     {{{}, kI8, kQ}},
     "is f32"},
    {"Hybrid",
     kConv2D,
     conv(PadMode::kSame),
     {kImage, {{8, 1, 1, 4}, kI8, channels(8, 0)}},
     {{}},
     "hybrid arithmetic (f32 activations with int8 weights"},
    {"Int16Activations",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI16, quant(1)}, {{8, 1, 1, 4}, kI8, kSymmetric}},
     {{{}, kI16, quant(1)}},
     "is int16"},
    {"AsymmetricInt8",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8, kQ}, {{8, 1, 1, 4}, kI8, kQ}},
     {{{}, kI8, kQ}},
     "zero point 3"},
    {"WrongAxis",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8, kQ}, {{8, 1, 1, 4}, kI8, channels(4, 3)}},
     {{{}, kI8, kQ}},
     "it must be axis 0"},
    {"Uint8PerChannel",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kU8, kQ}, {{8, 1, 1, 4}, kU8, channels(8, 0)}},
     {{{}, kU8, kQ}},
     "8 scales"},
    {"NoScale",
     kConv2D,
     conv(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8}, {{8, 1, 1, 4}, kI8, kSymmetric}},
     {{{}, kI8, kQ}},
     "has no scale"},
    {"Depthwise",
     kDepthwiseConv2D,
     depthwise(PadMode::kSame, 2),
     {kImage, {{1, 3, 3, 8}}},
     {{{1, 5, 6, 8}}}},
    {"DepthwisePerChannel",
     kDepthwiseConv2D,
     depthwise(PadMode::kSame),
     {{{1, 2, 2, 4}, kI8, kQ}, {{1, 3, 3, 4}, kI8, channels(4, 3)}, {{4}, kI32}},
     {{{1, 2, 2, 4}, kI8, kQ}}},
    {"DepthwiseMultiplier",
     kDepthwiseConv2D,
     depthwise(PadMode::kSame),
     {kImage, {{1, 3, 3, 6}}},
     {{}},
     "do not agree in the number of channels"},
    {"DepthwiseFirst",
     kDepthwiseConv2D,
     depthwise(PadMode::kSame),
     {kImage, {{2, 3, 3, 4}}},
     {{}},
     "first dimension must be 1"},
};
MATH_CASES(Convolutions);

TransposeConv2DParams transposed(PadMode mode, int32_t stride, int32_t out_h, int32_t out_w) {
  TransposeConv2DParams p;
  p.stride_h = p.stride_w = stride;
  p.out_h = out_h;
  p.out_w = out_w;
  p.padding.mode = mode;
  return p;
}

const Case kProducts[] = {
    {"TransposedSame",
     kTransposeConv2D,
     transposed(PadMode::kSame, 2, 19, 22),
     {kImage, kFilter},
     {{{1, 19, 22, 8}}}},
    {"TransposedValid",
     kTransposeConv2D,
     transposed(PadMode::kValid, 2, 21, 24),
     {kImage, kFilter},
     {{{1, 21, 24, 8}}}},
    {"TransposedUnknown",
     kTransposeConv2D,
     transposed(PadMode::kValid, 2, 21, 23),
     {{{-1, -1, -1, 4}}, kFilter},
     {{{-1, 21, 23, 8}}}},
    {"TransposedMismatch",
     kTransposeConv2D,
     transposed(PadMode::kSame, 2, 30, 22),
     {kImage, kFilter},
     {{}},
     "an output height of 30 belongs to an input of 15"},
    {"TransposedNoSize",
     kTransposeConv2D,
     transposed(PadMode::kSame, 2, 0, 22),
     {kImage, kFilter},
     {{}},
     "0x22 is not positive"},
    {"TransposedChannels",
     kTransposeConv2D,
     transposed(PadMode::kSame, 2, 20, 22),
     {{{1, 10, 11, 5}}, kFilter},
     {{}},
     "do not agree in the number of channels"},
    {"Flattened", kFullyConnected, FullyConnectedParams{}, {{{2, 3, 4}}, {{5, 12}}}, {{{2, 5}}}},
    {"KeptDims",
     kFullyConnected,
     FullyConnectedParams{true, Activation::kNone},
     {{{2, -1, 12}}, {{5, 12}}, {{5}}},
     {{{2, -1, 5}}}},
    {"UnknownRows", kFullyConnected, FullyConnectedParams{}, {{{-1, 12}}, {{5, 12}}}, {{{-1, 5}}}},
    {"NoWholeRows",
     kFullyConnected,
     FullyConnectedParams{},
     {{{2, 3, 4}}, {{5, 7}}},
     {{}},
     "does not divide into rows of 7"},
    {"KeptMismatch",
     kFullyConnected,
     FullyConnectedParams{true, Activation::kNone},
     {{{2, 3, 4}}, {{5, 12}}},
     {{}},
     "do not agree"},
    {"BatchMatMul",
     kBatchMatMul,
     BatchMatMulParams{},
     {{{7, 1, 2, 3}}, {{5, 3, 4}}},
     {{{7, 5, 2, 4}}}},
    {"BatchMatMulTransposed",
     kBatchMatMul,
     BatchMatMulParams{true, true},
     {{{3, 2}}, {{4, 3}}},
     {{{2, 4}}}},
    {"BatchMatMulDepth",
     kBatchMatMul,
     BatchMatMulParams{},
     {{{2, 3}}, {{4, 3}}},
     {{}},
     "3 columns meet 4 rows"},
    {"BatchMatMulInt8",
     kBatchMatMul,
     BatchMatMulParams{},
     {{{2, 3}, kI8, kQ}, {{3, 2}, kI8, kQ}},
     {{{2, 2}, kI8, kQ}}},
    {"BatchMatMulPerChannel",
     kBatchMatMul,
     BatchMatMulParams{},
     {{{2, 3}, kI8, kQ}, {{3, 2}, kI8, channels(2, 1)}},
     {{{}, kI8, kQ}},
     "2 scales"},
};
MATH_CASES(Products);

// Ranks of constants are checked before any shape of an activation is known.
TEST(MathValidation, ConstantWeightsOfTheWrongRank) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2});
  const TensorId w = b.constant<float>("w", {1, 2}, {1, 2});
  b.output(b.op(kConv2D, Conv2DParams{}, {x, w}, "y"));
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message, HasSubstr("'w' has shape 1x2; it must have 4 dimensions"));
}

TEST(MathValidation, AbsentBiasIsFine) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2});
  const TensorId w = b.input("w", {3, 1, 1, 2});
  const TensorId y = b.op(kConv2D, Conv2DParams{}, {x, w, kNoTensor}, "y");
  b.output(y);
  ASSERT_TRUE(check(b.graph));
  EXPECT_EQ(b.graph.tensor(y).shape, (Shape{1, 4, 4, 3}));
}

TEST(MathInference, ConstantParametersCount) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 5, 6, 3});
  const TensorId size = b.constant<int32_t>("size", {2}, {7, 8});
  const TensorId axes = b.constant<int64_t>("axes", {2}, {1, 2});
  const TensorId k = b.constant<int32_t>("k", {}, {2});
  const TensorId resized = b.op(kResize, ResizeParams{}, {x, size}, "resized");
  const TensorId mean = b.op(kReduce, ReduceParams{}, {resized, axes}, "mean");
  const TensorId values = b.tensor("values", {}), indices = b.tensor("indices", {}, kI32);
  b.graph.ops.push_back({kTopK, TopKParams{}, {mean, k}, {values, indices}, ""});
  b.output(indices);
  const Status s = check(b.graph);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(b.graph.tensor(resized).shape, (Shape{2, 7, 8, 3}));
  EXPECT_EQ(b.graph.tensor(mean).shape, (Shape{2, 3}));
  EXPECT_EQ(b.graph.tensor(indices).shape, (Shape{2, 2}));
}

int64_t macs_of(const Case& c) {
  GraphBuilder b = build(c);
  EXPECT_TRUE(check(b.graph)) << c.name;
  return mac_count(b.graph, b.graph.ops[0]);
}

TEST(MacCount, CountsProducts) {
  EXPECT_EQ(macs_of({"", kConv2D, conv(PadMode::kValid), {kImage, kFilter}, {{}}}),
            8 * 9 * 8 * 3 * 3 * 4);
  EXPECT_EQ(macs_of({"", kConv2D, conv(PadMode::kSame), {kImage, {{6, 1, 1, 2}}}, {{}}}),
            10 * 11 * 6 * 2);
  EXPECT_EQ(
      macs_of({"", kDepthwiseConv2D, depthwise(PadMode::kSame, 2), {kImage, {{1, 3, 3, 8}}}, {{}}}),
      5 * 6 * 8 * 9);
  EXPECT_EQ(
      macs_of(
          {"", kTransposeConv2D, transposed(PadMode::kSame, 2, 20, 22), {kImage, kFilter}, {{}}}),
      10 * 11 * 8 * 9 * 4);
  EXPECT_EQ(macs_of({"", kFullyConnected, FullyConnectedParams{}, {{{2, 3, 4}}, {{5, 12}}}, {{}}}),
            2 * 5 * 12);
  EXPECT_EQ(
      macs_of({"", kBatchMatMul, BatchMatMulParams{true, false}, {{{7, 3, 2}}, {{3, 4}}}, {{}}}),
      7 * 2 * 4 * 3);
  EXPECT_EQ(macs_of({"", kSoftmax, SoftmaxParams{}, {kImage}, {{}}}), 0);
}

}  // namespace
}  // namespace pj::math_test
