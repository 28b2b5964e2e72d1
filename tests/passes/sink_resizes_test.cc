#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::GraphBuilder;
using test::quant;
using test::run_pass;
using test::values_of;
using enum OpKind;

// A 2x2 image made larger, whose one use is `kind`.
GraphBuilder resized(ResizeFn fn, int32_t size, OpKind kind, OpParams params, int32_t kernel = 1) {
  GraphBuilder b;
  ResizeParams resize;
  resize.fn = fn;
  resize.out_h = resize.out_w = size;
  const TensorId x = b.input("x", {1, 2, 2, 2}, DType::kI8, quant(0.5f, 3));
  std::vector<TensorId> inputs = {b.op(kResize, resize, {x}, "large")};
  if (kind == kConv2D) {
    const std::vector<int8_t> values(static_cast<size_t>(kernel * kernel * 2), 1);
    inputs.push_back(b.constant<int8_t>("w", {1, kernel, kernel, 2}, values, quant(0.5f)));
  }
  b.output(b.op(kind, params, inputs, "y", DType::kI8, quant(0.25f, 1)));
  return b;
}

TEST(SinkResizes, BelowWhatWorksPixelByPixel) {
  const std::pair<OpKind, OpParams> all[] = {{kConv2D, Conv2DParams{}},
                                             {kUnary, UnaryParams{.fn = UnaryFn::kTanh}},
                                             {kQuantize, NoParams{}}};
  for (const auto& [kind, params] : all) {
    GraphBuilder b = resized(ResizeFn::kNearest, 4, kind, params);
    EXPECT_EQ(run_pass(sink_resizes, b.graph), 1) << name_of(kind);
    ASSERT_EQ(b.graph.ops.size(), 2u);
    EXPECT_EQ(b.graph.ops[0].kind, kind);
    EXPECT_EQ(b.graph.ops[1].kind, kResize);
    const Tensor& small = b.graph.tensor(b.graph.ops[0].outputs[0]);
    EXPECT_EQ(small.shape[1], 2);
    const Tensor& y = b.graph.tensor(b.graph.outputs[0]);
    EXPECT_EQ(y.name, "y");
    EXPECT_EQ(y.shape[1], 4);
    EXPECT_EQ(y.quant, small.quant);
    EXPECT_EQ(run_pass(sink_resizes, b.graph), 0);
  }
}

TEST(SinkResizes, NotBelowOthers) {
  Conv2DParams strided, padded;
  strided.stride_w = 2;
  padded.padding.left = 1;
  const UnaryParams tanh{.fn = UnaryFn::kTanh};
  for (GraphBuilder b : {resized(ResizeFn::kNearest, 4, kConv2D, strided),
                         resized(ResizeFn::kNearest, 4, kConv2D, padded),
                         resized(ResizeFn::kNearest, 4, kConv2D, Conv2DParams{}, 3),
                         resized(ResizeFn::kBilinear, 4, kUnary, tanh),
                         resized(ResizeFn::kNearest, 1, kUnary, tanh)})
    EXPECT_EQ(run_pass(sink_resizes, b.graph), 0);
}

TEST(SinkResizes, NotOfWhatIsUsedElsewhere) {
  GraphBuilder b = resized(ResizeFn::kNearest, 4, kUnary, UnaryParams{.fn = UnaryFn::kTanh});
  b.output(b.graph.ops[0].outputs[0]);
  EXPECT_EQ(run_pass(sink_resizes, b.graph), 0);
}

}  // namespace
}  // namespace pj
