#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::find;
using test::GraphBuilder;
using test::quant;
using test::run_pass;
using enum OpKind;

// A convolution of int8 with a bias that has a scale.
struct Convolution : GraphBuilder {
  Convolution() {
    const TensorId x = input("x", {1, 2, 2, 1}, DType::kI8, quant(0.5f, 3));
    const TensorId w = constant<int8_t>("w", {1, 1, 1, 1}, {1}, quant(0.25f));
    bias = constant<int32_t>("bias", {1}, {7}, quant(0.125f));
    output(op(kConv2D, Conv2DParams{}, {x, w, bias}, "y", DType::kI8, quant(1, 0)));
  }
  TensorId bias;
};

TEST(DropBiasScales, OfAConvolution) {
  Convolution b;
  EXPECT_EQ(run_pass(drop_bias_scales, b.graph), 1);
  EXPECT_TRUE(b.graph.tensor(find(b.graph, "bias")).quant.empty());
  EXPECT_FALSE(b.graph.tensor(find(b.graph, "w")).quant.empty());
  EXPECT_EQ(run_pass(drop_bias_scales, b.graph), 0) << "nothing is left to do";
}

TEST(DropBiasScales, NotWhereSomebodyElseReadsThem) {
  Convolution b;
  b.output(b.op(kDequantize, NoParams{}, {b.bias}, "real", DType::kF32));
  EXPECT_EQ(run_pass(drop_bias_scales, b.graph), 0);
  Convolution shown;
  shown.output(shown.bias);
  EXPECT_EQ(run_pass(drop_bias_scales, shown.graph), 0);
}

}  // namespace
}  // namespace pj
