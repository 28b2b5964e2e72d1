#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "tests/reference/operands.h"

namespace pj::math_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

const std::vector<float> kNine = {1, 2, 3, 4, 5, 6, 7, 8, 9};

Conv2DParams conv(PadMode mode, int32_t stride = 1, int32_t dilation = 1,
                  Activation activation = Activation::kNone) {
  Conv2DParams p;
  p.padding.mode = mode;
  p.stride_h = p.stride_w = stride;
  p.dilation_h = p.dilation_w = dilation;
  p.activation = activation;
  return p;
}
DepthwiseConv2DParams depthwise(PadMode mode, int32_t stride = 1) {
  return DepthwiseConv2DParams{conv(mode, stride)};
}

TEST(Conv2D, SlidesAndAddsBias) {
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kValid),
      {in<float>({1, 3, 3, 1}, kNine), in<float>({1, 2, 2, 1}, {1, 2, 3, 4}), in<float>({1}, {10})},
      {1, 2, 2, 1});
  EXPECT_THAT(y, ElementsAre(47, 57, 77, 87));
}

TEST(Conv2D, SamePaddingPutsTheOddRowLast) {
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kSame, 2),
      {in<float>({1, 3, 3, 1}, kNine), in<float>({1, 2, 2, 1}, {1, 2, 3, 4})}, {1, 2, 2, 1});
  EXPECT_THAT(y, ElementsAre(37, 21, 23, 9));
}

TEST(Conv2D, ExplicitPaddingMayDifferOnEachSide) {
  Conv2DParams p = conv(PadMode::kExplicit);
  p.padding.top = 1;
  p.padding.right = 2;
  const auto y = compute<float>(
      OpKind::kConv2D, p,
      {in<float>({1, 1, 2, 1}, {5, 7}), in<float>({1, 2, 2, 1}, {1, 2, 3, 4}), absent()},
      {1, 1, 3, 1});
  EXPECT_THAT(y, ElementsAre(3 * 5 + 4 * 7, 3 * 7, 0));
}

TEST(Conv2D, DilationSpreadsTheTaps) {
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kValid, 1, 2),
      {in<float>({1, 3, 3, 1}, kNine), in<float>({1, 2, 2, 1}, {1, 2, 3, 4})}, {1, 1, 1, 1});
  EXPECT_THAT(y, ElementsAre(1 + 6 + 21 + 36));
}

TEST(Conv2D, GroupsReadTheirOwnChannels) {
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kValid),
      {in<float>({1, 1, 1, 4}, {1, 2, 3, 4}), in<float>({2, 1, 1, 2}, {1, 10, 100, 1000})},
      {1, 1, 1, 2});
  EXPECT_THAT(y, ElementsAre(21, 4300));
}

TEST(Conv2D, HalfWeightsAndBiasAreExact) {
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kValid),
      {in<float>({1, 1, 1, 2}, {3, 5}), in<Half>({1, 1, 1, 2}, {to_half(0.5f), to_half(-0.25f)}),
       in<Half>({1}, {to_half(100.0f)})},
      {1, 1, 1, 1});
  EXPECT_THAT(y, ElementsAre(100.25f));
}

// More channels than the lanes that are summed at once, and not a multiple of them.
TEST(Conv2D, SumsManyChannels) {
  std::vector<float> x(19), w(19, 1.0f);
  std::iota(x.begin(), x.end(), 1.0f);
  const auto y =
      compute<float>(OpKind::kConv2D, conv(PadMode::kValid),
                     {in<float>({1, 1, 1, 19}, x), in<float>({1, 1, 1, 19}, w)}, {1, 1, 1, 1});
  EXPECT_THAT(y, ElementsAre(190));
}

TEST(Conv2D, ActivationClampsAndLetsNanThrough) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto y = compute<float>(
      OpKind::kConv2D, conv(PadMode::kValid, 1, 1, Activation::kRelu6),
      {in<float>({1, 1, 4, 1}, {-1, 5, 7, nan}), in<float>({1, 1, 1, 1}, {1})}, {1, 1, 4, 1});
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 5);
  EXPECT_EQ(y[2], 6);
  EXPECT_TRUE(std::isnan(y[3]));
}

TEST(Conv2D, Int8PerChannelRoundsToEvenAndSaturates) {
  // x - zx = {4, -4}; sums 8 - 12 + 10 = 6, 1016, 4 + 1 = 5, 4 + 3 = 7; scales 1, then 0.5.
  Operand w = in<int8_t>({4, 1, 1, 2}, {2, 3, 127, -127, 1, 0, 1, 0});
  w.per_channel({0.5f, 0.25f, 0.25f, 0.25f}, 0);
  const auto y = compute<int8_t>(
      OpKind::kConv2D, conv(PadMode::kValid),
      {in<int8_t>({1, 1, 1, 2}, {3, -5}, {0.5f, -1}), w, in<int32_t>({4}, {10, 0, 1, 3})},
      {1, 1, 1, 4}, {0.25f, 2});
  EXPECT_THAT(y, ElementsAre(6 + 2, 127, 2 + 2, 4 + 2));
}

TEST(Conv2D, Int8PaddingIsRealZero) {
  const auto y = compute<int8_t>(
      OpKind::kConv2D, conv(PadMode::kSame),
      {in<int8_t>({1, 2, 2, 1}, {5, 5, 5, 5}, {1, 5}),
       in<int8_t>({1, 3, 3, 1}, std::vector<int8_t>(9, 100), {1, 0}), in<int32_t>({1}, {7})},
      {1, 2, 2, 1}, {1, -3});
  EXPECT_THAT(y, Each(7 - 3));
}

TEST(Conv2D, Uint8ExtremesAndZeroPoints) {
  // (255 - 0) * (0 - 255) and (255 - 0) * (255 - 255)
  const auto y = compute<uint8_t>(OpKind::kConv2D, conv(PadMode::kValid),
                                  {in<uint8_t>({1, 1, 1, 1}, {255}, {0.5f, 0}),
                                   in<uint8_t>({2, 1, 1, 1}, {0, 255}, {0.5f, 255})},
                                  {1, 1, 1, 2}, {0.25f * 1000, 200});
  EXPECT_THAT(y, ElementsAre(200 - 65, 200));
}

TEST(Conv2D, QuantisedActivationTightensTheLimits) {
  // Output scale 0.5, zero point -100: relu6 is [-100, -88].
  const auto y = compute<int8_t>(
      OpKind::kConv2D, conv(PadMode::kValid, 1, 1, Activation::kRelu6),
      {in<int8_t>({1, 1, 3, 1}, {-9, 7, 100}, {0.5f, 0}), in<int8_t>({1, 1, 1, 1}, {1}, {1, 0})},
      {1, 1, 3, 1}, {0.5f, -100});
  EXPECT_THAT(y, ElementsAre(-100, -93, -88));
}

TEST(DepthwiseConv2D, MultiplierSharesInputChannels) {
  const auto y =
      compute<float>(OpKind::kDepthwiseConv2D, depthwise(PadMode::kValid),
                     {in<float>({1, 1, 1, 2}, {2, 3}), in<float>({1, 1, 1, 4}, {1, 10, 100, 1000}),
                      in<float>({4}, {0, 0, 0, 5})},
                     {1, 1, 1, 4});
  EXPECT_THAT(y, ElementsAre(2, 20, 300, 3005));
}

TEST(DepthwiseConv2D, WindowMeetsTheBorder) {
  const auto y = compute<float>(
      OpKind::kDepthwiseConv2D, depthwise(PadMode::kSame, 2),
      {in<float>({1, 3, 3, 1}, kNine), in<float>({1, 3, 3, 1}, std::vector<float>(9, 1))},
      {1, 2, 2, 1});
  EXPECT_THAT(y, ElementsAre(1 + 2 + 4 + 5, 2 + 3 + 5 + 6, 4 + 5 + 7 + 8, 5 + 6 + 8 + 9));
}

TEST(DepthwiseConv2D, ManyChannelsKeepTheirPlace) {
  constexpr int32_t kChannels = 131;
  std::vector<int8_t> x(kChannels, 3), w(kChannels);
  for (int32_t c = 0; c < kChannels; ++c) w[static_cast<size_t>(c)] = static_cast<int8_t>(c - 65);
  Operand weights = in<int8_t>({1, 1, 1, kChannels}, w);
  weights.per_channel(std::vector<float>(kChannels, 0.5f), 3);
  const auto y = compute<int8_t>(OpKind::kDepthwiseConv2D, depthwise(PadMode::kValid),
                                 {in<int8_t>({1, 1, 1, kChannels}, x, {1, 1}), weights},
                                 {1, 1, 1, kChannels}, {1, 0});
  // (3 - 1) * w * 0.5
  EXPECT_EQ(y, w);
}

TransposeConv2DParams transpose(PadMode mode, int32_t out_w) {
  TransposeConv2DParams p;
  p.stride_w = 2;
  p.out_h = 1;
  p.out_w = out_w;
  p.padding.mode = mode;
  return p;
}

TEST(TransposeConv2D, SpreadsEachInput) {
  const std::vector<Operand> operands = {in<float>({1, 1, 2, 1}, {1, 2}),
                                         in<float>({1, 1, 3, 1}, {1, 10, 100})};
  EXPECT_THAT(compute<float>(OpKind::kTransposeConv2D, transpose(PadMode::kValid, 5), operands,
                             {1, 1, 5, 1}),
              ElementsAre(1, 10, 102, 20, 200));
  EXPECT_THAT(compute<float>(OpKind::kTransposeConv2D, transpose(PadMode::kSame, 4), operands,
                             {1, 1, 4, 1}),
              ElementsAre(1, 10, 102, 20));
  TransposeConv2DParams cropped = transpose(PadMode::kExplicit, 4);
  cropped.padding.left = 1;
  EXPECT_THAT(compute<float>(OpKind::kTransposeConv2D, cropped, operands, {1, 1, 4, 1}),
              ElementsAre(10, 102, 20, 200));
}

TEST(TransposeConv2D, Uint8WithBiasAndChannels) {
  // Two input channels, two output channels, 1x1 window: y = bias + (x - 1) * (w - 2).
  const auto y = compute<uint8_t>(
      OpKind::kTransposeConv2D, transpose(PadMode::kSame, 2),
      {in<uint8_t>({1, 1, 1, 2}, {4, 6}, {1, 1}), in<uint8_t>({2, 1, 1, 2}, {3, 4, 5, 0}, {1, 2}),
       in<int32_t>({2}, {50, 100})},
      {1, 1, 2, 2}, {1, 10});
  // Pixel 0: 3 + 10, 9 - 10; pixel 1 has no source.
  EXPECT_THAT(y, ElementsAre(73, 109, 60, 110));
}

TEST(FullyConnected, RowsTimesWeights) {
  const auto y =
      compute<float>(OpKind::kFullyConnected, FullyConnectedParams{},
                     {in<float>({2, 1, 2}, {1, 2, 3, 4}), in<float>({3, 2}, {1, 0, 0, 1, 1, 1}),
                      in<float>({3}, {0, 0, 100})},
                     {2, 3});
  EXPECT_THAT(y, ElementsAre(1, 2, 103, 3, 4, 107));
}

// The accumulator wraps modulo 2^32: 33100 * 255 * 255 = 2152327500 becomes -2142639796.
TEST(FullyConnected, AccumulatorWraps) {
  constexpr int32_t kDepth = 33100;
  const std::vector<uint8_t> ones(kDepth, 255);
  const auto y = compute<uint8_t>(
      OpKind::kFullyConnected, FullyConnectedParams{},
      {in<uint8_t>({1, kDepth}, ones, {1, 0}), in<uint8_t>({1, kDepth}, ones, {1, 0})}, {1, 1},
      {2e7f, 128});
  EXPECT_THAT(y, ElementsAre(128 - 107));
}

TEST(BatchMatMul, TransposesAndBroadcasts) {
  // a: one 2x2 matrix for two of b.
  const Operand a = in<float>({1, 2, 2}, {1, 2, 3, 4});
  const Operand b = in<float>({2, 2, 1}, {1, 10, 100, 1000});
  EXPECT_THAT(compute<float>(OpKind::kBatchMatMul, BatchMatMulParams{}, {a, b}, {2, 2, 1}),
              ElementsAre(21, 43, 2100, 4300));
  EXPECT_THAT(
      compute<float>(OpKind::kBatchMatMul, BatchMatMulParams{true, false}, {a, b}, {2, 2, 1}),
      ElementsAre(31, 42, 3100, 4200));
  const Operand rows = in<float>({1, 2}, {1, 10});
  EXPECT_THAT(
      compute<float>(OpKind::kBatchMatMul, BatchMatMulParams{false, true}, {a, rows}, {1, 2, 1}),
      ElementsAre(21, 43));
}

TEST(BatchMatMul, Int8ZeroPointsOnBothSides) {
  // (a - 1) = {1, 2}; (b - 2) = {{3, 4}, {5, -130}}
  const auto y = compute<int8_t>(
      OpKind::kBatchMatMul, BatchMatMulParams{},
      {in<int8_t>({1, 2}, {2, 3}, {0.5f, 1}), in<int8_t>({2, 2}, {5, 6, 7, -128}, {0.5f, 2})},
      {1, 2}, {0.25f, 0});
  EXPECT_THAT(y, ElementsAre(13, -128));
}

}  // namespace
}  // namespace pj::math_test
