#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::GraphBuilder;
using test::input_name;
using test::only;
using test::quant;
using test::run_pass;
using enum OpKind;

PadParams border(int32_t top, int32_t bottom, int32_t left, int32_t right) {
  return {PadFn::kConstant, {0, top, left, 0}, {0, bottom, right, 0}};
}

Conv2DParams conv(PadMode mode, int32_t stride = 1) {
  Conv2DParams p;
  p.stride_h = p.stride_w = stride;
  p.padding.mode = mode;
  return p;
}

// A 3x3 convolution of `params` behind a pad of a 7x8 image.
struct PaddedConv {
  GraphBuilder b;
  TensorId x, padded, w, y;

  explicit PaddedConv(PadParams pad, Conv2DParams params, OpKind kind = kConv2D,
                      Shape image = {1, 7, 8, 1}) {
    x = b.input("x", image);
    padded = b.op(kPad, pad, {x}, "padded");
    w = b.constant<float>("w", {1, 3, 3, 1}, std::vector<float>(9, 1));
    OpParams p = params;
    if (kind == kDepthwiseConv2D) p = DepthwiseConv2DParams{params};
    y = b.op(kind, p, {padded, w}, "y");
    b.output(y);
  }
};

void expect_padding(const Padding& p, int32_t top, int32_t bottom, int32_t left, int32_t right) {
  EXPECT_EQ(p.mode, PadMode::kExplicit);
  EXPECT_EQ(p.top, top);
  EXPECT_EQ(p.bottom, bottom);
  EXPECT_EQ(p.left, left);
  EXPECT_EQ(p.right, right);
}

TEST(FusePad, IntoValidPadding) {
  PaddedConv g(border(0, 1, 2, 0), conv(PadMode::kValid, 2));
  ASSERT_TRUE(infer_shapes(g.b.graph));
  const Shape before = g.b.graph.tensor(g.y).shape;
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 1);
  ASSERT_EQ(g.b.graph.ops.size(), 1u);
  const Op& op = g.b.graph.ops[0];
  expect_padding(op.as<Conv2DParams>().padding, 0, 1, 2, 0);
  EXPECT_EQ(input_name(g.b.graph, op, 0), "x");
  EXPECT_EQ(g.b.graph.tensor(op.outputs[0]).shape, before);
}

TEST(FusePad, AddsToExplicitPadding) {
  Conv2DParams p = conv(PadMode::kExplicit);
  p.padding = {PadMode::kExplicit, 1, 2, 3, 4};
  PaddedConv g(border(1, 1, 1, 1), p, kDepthwiseConv2D);
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 1);
  expect_padding(only(g.b.graph, kDepthwiseConv2D).as<DepthwiseConv2DParams>().padding, 2, 3, 4, 5);
}

// The padded image is 9x8: SAME with stride 2 needs (5-1)*2+3-9 = 2 rows and (4-1)*2+3-8 = 1
// column.
TEST(FusePad, ResolvesSamePaddingFirst) {
  PaddedConv g(border(1, 1, 0, 0), conv(PadMode::kSame, 2));
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 1);
  expect_padding(only(g.b.graph, kConv2D).as<Conv2DParams>().padding, 2, 2, 0, 1);
}

TEST(FusePad, NotIntoSamePaddingOfUnknownSize) {
  PaddedConv g(border(1, 1, 0, 0), conv(PadMode::kSame, 2), kConv2D, {1, -1, 8, 1});
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 0);
  PaddedConv valid(border(1, 1, 0, 0), conv(PadMode::kValid, 2), kConv2D, {1, -1, 8, 1});
  EXPECT_EQ(run_pass(fuse_pad, valid.b.graph), 1);
}

TEST(FusePad, OfSeveralConvolutions) {
  PaddedConv g(border(1, 1, 1, 1), conv(PadMode::kValid));
  g.b.output(g.b.op(kConv2D, conv(PadMode::kSame), {g.padded, g.w}, "z"));
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 1);
  EXPECT_EQ(count_ops(g.b.graph, kPad), 0);
  expect_padding(g.b.graph.ops[0].as<Conv2DParams>().padding, 1, 1, 1, 1);
  expect_padding(g.b.graph.ops[1].as<Conv2DParams>().padding, 2, 2, 2, 2);
}

TEST(FusePad, OfTwoPadsInARow) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 1});
  const TensorId p1 = b.op(kPad, border(1, 0, 0, 0), {x}, "p1");
  const TensorId p2 = b.op(kPad, border(0, 2, 0, 0), {p1}, "p2");
  const TensorId w = b.constant<float>("w", {1, 1, 1, 1}, {1});
  b.output(b.op(kConv2D, conv(PadMode::kValid), {p2, w}, "y"));
  ASSERT_TRUE(run_passes(b.graph));
  expect_padding(only(b.graph, kConv2D).as<Conv2DParams>().padding, 1, 2, 0, 0);
}

TEST(FusePad, NotWithOtherUses) {
  PaddedConv g(border(1, 1, 1, 1), conv(PadMode::kValid));
  g.b.output(g.b.op(kUnary, UnaryParams{.fn = UnaryFn::kNeg}, {g.padded}, "z"));
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 0);
  PaddedConv output(border(1, 1, 1, 1), conv(PadMode::kValid));
  output.b.output(output.padded);
  EXPECT_EQ(run_pass(fuse_pad, output.b.graph), 0);
}

TEST(FusePad, NotOfOtherPaddings) {
  const Conv2DParams valid = conv(PadMode::kValid);
  PadParams mirror = border(1, 1, 1, 1);
  mirror.fn = PadFn::kReflect;
  PadParams batch = border(1, 1, 1, 1), channel = batch;
  batch.before[0] = 1;
  PaddedConv mirrored(mirror, valid), more_images(batch, valid);
  EXPECT_EQ(run_pass(fuse_pad, mirrored.b.graph), 0);
  EXPECT_EQ(run_pass(fuse_pad, more_images.b.graph), 0);
  channel.after[3] = 2;
  PaddedConv g(channel, valid);
  g.b.graph.tensor(g.w).shape = {1, 3, 1, 3};
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 0);
}

TEST(FusePad, NotOfAnotherValue) {
  PaddedConv g(border(1, 1, 1, 1), conv(PadMode::kValid));
  const TensorId value = g.b.constant<float>("v", {}, {1});
  g.b.graph.ops[0].inputs = {g.x, kNoTensor, value};
  EXPECT_EQ(run_pass(fuse_pad, g.b.graph), 0);
}

// Padding does not count in an average and never wins a maximum: a pad does both.
TEST(FusePad, NotIntoPooling) {
  for (const PoolFn fn : {PoolFn::kAverage, PoolFn::kMax}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {1, 4, 4, 1});
    const TensorId padded = b.op(kPad, border(1, 1, 1, 1), {x}, "padded");
    b.output(b.op(kPool2D, Pool2DParams{fn, 2, 2, 2, 2, {}, Activation::kNone}, {padded}, "y"));
    EXPECT_EQ(run_pass(fuse_pad, b.graph), 0);
  }
}

TEST(FusePad, OfIntegersAtEqualZeroPoints) {
  for (const int32_t zero_point : {3, 4}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {1, 4, 4, 1}, DType::kI8, quant(0.5f, 3));
    const TensorId padded =
        b.op(kPad, border(1, 1, 1, 1), {x}, "padded", DType::kI8, quant(0.5f, zero_point));
    const TensorId w = b.constant<int8_t>("w", {1, 1, 1, 1}, {1}, quant(0.5f));
    b.output(b.op(kConv2D, conv(PadMode::kValid), {padded, w}, "y"));
    EXPECT_EQ(run_pass(fuse_pad, b.graph), zero_point == 3 ? 1 : 0);
  }
}

}  // namespace
}  // namespace pj
