// What the builders of topologies are made of: made-up numbers, expected statistics, number types.
#include "models/builders/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/builders/random.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

TEST(Random, BytesAreSymmetricAndSpreadAsPromised) {
  std::vector<int8_t> bytes(100003);
  fill_bytes(1, bytes);
  double sum = 0, squares = 0;
  for (int8_t b : bytes) {
    ASSERT_GE(b, -127);
    sum += b;
    squares += double{1} * b * b;
  }
  const auto n = static_cast<double>(bytes.size());
  EXPECT_NEAR(sum / n, 0, 1);
  EXPECT_NEAR(std::sqrt(squares / n), kByteDeviation, 0.5);
}

TEST(Random, IsFixedForAllTimes) {
  std::vector<int8_t> bytes(9);
  fill_bytes(0, bytes);
  // Draw 0 mixes 0 to 0; draw 1 is the first of splitmix64 with seed 0: e220a8397b1dcdaf.
  EXPECT_EQ(bytes, (std::vector<int8_t>{0, 0, 0, 0, 0, 0, 0, 0, static_cast<int8_t>(0xaf)}));
  std::vector<float> units(2);
  fill_units(0, units);
  EXPECT_EQ(units[0], -1);
  EXPECT_EQ(units[1], static_cast<float>(0xe220a8 - 0x800000) / 0x800000);
}

TEST(Statistics, OfFunctionsOfNormalNumbers) {
  const Statistics x = normal_statistics(2);
  const Statistics relu = apply(Activation::kRelu, x);
  EXPECT_NEAR(relu.mean, 2 / std::sqrt(2 * M_PI), 1e-3);
  EXPECT_NEAR(relu.power(), 2, 1e-2);
  EXPECT_EQ(relu.low, 0);
  EXPECT_EQ(relu.high, 12);
  EXPECT_EQ(apply(Activation::kRelu6, x).high, 6);
  const Statistics gelu = apply(UnaryFn::kGelu, x);
  EXPECT_NEAR(gelu.low, -0.17f, 0.005f);  // its minimum
  EXPECT_NEAR(gelu.high, 12, 1e-3);
}

TEST(Statistics, OfSumsAndProducts) {
  const Statistics a = normal_statistics(3), b = apply(Activation::kRelu, normal_statistics(1));
  const Statistics sum = combine(BinaryFn::kAdd, a, b);
  EXPECT_NEAR(sum.mean, b.mean, 1e-6);
  EXPECT_NEAR(sum.deviation, std::hypot(3, b.deviation), 1e-4);
  EXPECT_GE(sum.low, a.low);
  const Statistics product = combine(BinaryFn::kMul, a, b);
  EXPECT_NEAR(product.power(), 9 * 0.5, 0.02);
  EXPECT_NEAR(combine(BinaryFn::kSquaredDifference, a, a).mean, 18, 1e-3);
}

Graph one_conv(Numbers numbers) {
  Network n("test", numbers);
  const Network::Value x = n.input({1, 4, 4, 3});
  Result<Graph> graph = n.finish(n.depthwise("dw", n.conv("conv", x, 5, square(3)), square(3)));
  EXPECT_TRUE(graph) << graph.error().message;
  return graph ? std::move(*graph) : Graph();
}

const Tensor& named(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const Tensor& t) { return t.name == name; });
  EXPECT_NE(found, graph.tensors.end()) << name;
  return *found;
}

TEST(Network, AllTypesHoldTheSameWeights) {
  const Graph f32 = one_conv(Numbers::kF32), f16 = one_conv(Numbers::kF16),
              int8 = one_conv(Numbers::kInt8);
  for (const char* name : {"conv/weights", "dw/weights"}) {
    const Tensor& q = named(int8, name);
    const auto bytes = q.as<int8_t>();
    const auto floats = named(f32, name).as<float>();
    const auto halves = named(f16, name).as<Half>();
    ASSERT_EQ(bytes.size(), floats.size());
    ASSERT_EQ(bytes.size(), halves.size());
    const auto inner = static_cast<size_t>(elements(q.shape, q.quant.axis + 1, q.shape.rank()));
    for (size_t i = 0; i < bytes.size(); ++i) {
      const float scale = q.quant.scale[i / inner % q.quant.scale.size()];
      EXPECT_EQ(floats[i], static_cast<float>(bytes[i]) * scale);
      EXPECT_EQ(halves[i].bits, to_half(floats[i]).bits);
    }
  }
}

TEST(Network, QuantisesAsConvertersDo) {
  const Graph graph = one_conv(Numbers::kInt8);
  const Tensor &x = named(graph, "input"), &w = named(graph, "conv/weights"),
               &bias = named(graph, "conv/bias"), &y = named(graph, "conv");
  EXPECT_EQ(x.quant, (Quantization{{1.0f / 128}, {0}, 0}));
  EXPECT_EQ(w.quant.scale.size(), 5u);
  EXPECT_EQ(named(graph, "dw/weights").quant.axis, 3);
  EXPECT_EQ(bias.dtype, DType::kI32);
  for (size_t c = 0; c < 5; ++c)
    EXPECT_EQ(bias.quant.scale[c], x.quant.scale[0] * w.quant.scale[c]);
  EXPECT_EQ(y.dtype, DType::kI8);
  EXPECT_NEAR(y.quant.scale[0], 12.0f / 255, 1e-5);
}

TEST(Network, Float16WeightsStandBehindDequantize) {
  const Graph graph = one_conv(Numbers::kF16);
  EXPECT_EQ(std::count_if(graph.ops.begin(), graph.ops.end(),
                          [](const Op& op) { return op.kind == OpKind::kDequantize; }),
            4);
  EXPECT_EQ(graph.tensor(graph.inputs[0]).dtype, DType::kF32);
}

TEST(Network, SizesThatDoNotFitAreAnError) {
  Network n("test", Numbers::kF32);
  const Network::Value x = n.input({1, 4, 4, 3});
  const Network::Value y = n.conv("conv", x, 5, square(7, 1, kValidPadding));
  const Result<Graph> graph = n.finish(n.global_mean(y));
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, ErrorCode::kModelInvalid);
}

}  // namespace
}  // namespace pj
