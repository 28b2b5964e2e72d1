// Operators along dimensions: softmax and its kin, reductions, pooling, top-k.
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
using ::testing::FloatEq;
using ::testing::FloatNear;
using ::testing::Pointwise;

TEST(Softmax, FloatRows) {
  const auto y = compute<float>(OpKind::kSoftmax, SoftmaxParams{1},
                                {in<float>({2, 2}, {0, std::log(3.0f), 1000, 1000})}, {2, 2});
  EXPECT_THAT(y, ElementsAre(FloatEq(0.25f), FloatEq(0.75f), 0.5f, 0.5f));
  const auto sharp = compute<float>(OpKind::kSoftmax, SoftmaxParams{2},
                                    {in<float>({2}, {0, std::log(3.0f)})}, {2});
  EXPECT_THAT(sharp, ElementsAre(FloatEq(0.1f), FloatEq(0.9f)));
}

TEST(Softmax, NanAndInfinities) {
  const auto y = compute<float>(OpKind::kSoftmax, SoftmaxParams{1},
                                {in<float>({2, 2}, {1, kNan, -kInfinity, 0})}, {2, 2});
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
  EXPECT_EQ(y[2], 0);
  EXPECT_EQ(y[3], 1);
}

TEST(Softmax, EightBits) {
  // 1/256 and -128: probabilities fill the range. Distances of 10 * 0.1 = 1.
  const auto y = compute<int8_t>(OpKind::kSoftmax, SoftmaxParams{1},
                                 {in<int8_t>({3, 2}, {5, 5, 0, 10, 127, -128}, {0.1f, 7})}, {3, 2},
                                 {1.0f / 256, -128});
  // e / (1 + e) = 0.7311: 187.15 and 68.85.
  EXPECT_THAT(y, ElementsAre(0, 0, 69 - 128, 187 - 128, 127, -128));
  EXPECT_THAT(compute<uint8_t>(OpKind::kSoftmax, SoftmaxParams{1}, {in<uint8_t>({1}, {9}, {1, 0})},
                               {1}, {1.0f / 256, 0}),
              ElementsAre(255));
}

TEST(LogSoftmax, IsTheLogarithm) {
  const auto y = compute<float>(OpKind::kLogSoftmax, NoParams{},
                                {in<float>({2}, {1000, 1000 + std::log(3.0f)})}, {2});
  EXPECT_THAT(y, ElementsAre(FloatNear(std::log(0.25f), 1e-4f), FloatNear(std::log(0.75f), 1e-4f)));
  EXPECT_THAT(compute<int8_t>(OpKind::kLogSoftmax, NoParams{}, {in<int8_t>({2}, {3, 3}, {0.1f, 0})},
                              {2}, {1.0f / 16, 127}),
              Each(127 - 11));  // log(0.5) * 16 = -11.09
}

TEST(L2Normalization, UnitRows) {
  const auto y = compute<float>(OpKind::kL2Normalization, NoParams{},
                                {in<float>({2, 2}, {3, 4, 0, 0})}, {2, 2});
  EXPECT_THAT(y, ElementsAre(FloatEq(0.6f), FloatEq(0.8f), 0, 0));
  EXPECT_THAT(compute<int8_t>(OpKind::kL2Normalization, NoParams{},
                              {in<int8_t>({2}, {13, -30}, {0.3f, 10})}, {2}, {1.0f / 128, 0}),
              ElementsAre(10, -128));  // 3 and -40: 0.0748, -0.9972
}

TEST(LayerNorm, UnitVarianceThenScaleAndShift) {
  const auto y = compute<float>(
      OpKind::kLayerNorm, LayerNormParams{0},
      {in<float>({2, 2}, {3, 5, -7, -7.5f}), in<float>({2}, {1, 10}), in<float>({2}, {0, 100})},
      {2, 2});
  EXPECT_THAT(y, ElementsAre(FloatEq(-1), FloatEq(110), FloatEq(1), FloatEq(90)));
  // Variance 1, epsilon 3: half as much.
  EXPECT_THAT(
      compute<float>(OpKind::kLayerNorm, LayerNormParams{3},
                     {in<float>({2}, {3, 5}), in<float>({2}, {1, 1}), in<float>({2}, {0, 0})}, {2}),
      ElementsAre(FloatEq(-0.5f), FloatEq(0.5f)));
}

ReduceParams reduction(ReduceFn fn, Dims axes) { return {fn, false, axes}; }

TEST(Reduce, AnyAxes) {
  const Operand x = in<float>({2, 3, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kSum, {1}), {x}, {2, 2}),
              ElementsAre(9, 12, 27, 30));
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kMean, {0, -1}), {x}, {3}),
              ElementsAre(4.5f, 6.5f, 8.5f));
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kMax, {-1}), {x}, {2, 3}),
              ElementsAre(2, 4, 6, 8, 10, 12));
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kMin, {}), {x}, {}),
              ElementsAre(1));
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kProd, {1}), {x}, {2, 2}),
              ElementsAre(15, 48, 693, 960));
}

TEST(Reduce, SumsOfManyFloatsAreAccurate) {
  const std::vector<float> x(1 << 20, 0.1f);
  EXPECT_THAT(compute<float>(OpKind::kReduce, reduction(ReduceFn::kSum, {0}),
                             {in<float>({1 << 20}, x)}, {}),
              ElementsAre(FloatEq(0.1f * (1 << 20))));
}

TEST(Reduce, NanAndNothing) {
  const Operand x = in<float>({3}, {1, kNan, 2});
  EXPECT_TRUE(
      std::isnan(compute<float>(OpKind::kReduce, reduction(ReduceFn::kSum, {0}), {x}, {})[0]));
  EXPECT_EQ(compute<float>(OpKind::kReduce, reduction(ReduceFn::kMax, {0}), {x}, {})[0], 2);
  EXPECT_EQ(compute<int32_t>(OpKind::kReduce, reduction(ReduceFn::kMean, {0}),
                             {in<int32_t>({0}, {})}, {})[0],
            0);
}

TEST(Reduce, IntegersWrapAndTruncate) {
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  EXPECT_THAT(compute<int32_t>(OpKind::kReduce, reduction(ReduceFn::kSum, {0}),
                               {in<int32_t>({2}, {kMax, 1})}, {}),
              ElementsAre(std::numeric_limits<int32_t>::min()));
  EXPECT_THAT(compute<int32_t>(OpKind::kReduce, reduction(ReduceFn::kMean, {0}),
                               {in<int32_t>({2}, {kMax, kMax})}, {}),
              ElementsAre(kMax));
  EXPECT_THAT(compute<int64_t>(OpKind::kReduce, reduction(ReduceFn::kMean, {0}),
                               {in<int64_t>({2}, {-3, -4})}, {}),
              ElementsAre(-3));
  EXPECT_THAT(compute<int64_t>(OpKind::kReduce, reduction(ReduceFn::kMin, {0}),
                               {in<int64_t>({2}, {-3, -4})}, {}),
              ElementsAre(-4));
}

TEST(Reduce, QuantisedMeanAndSum) {
  // x - zx = {1, 2, 4, 4}: sum 11, mean 2.75; scale 0.5 to 0.25 doubles.
  const Operand x = in<int8_t>({4}, {2, 3, 5, 5}, {0.5f, 1});
  EXPECT_THAT(
      compute<int8_t>(OpKind::kReduce, reduction(ReduceFn::kMean, {0}), {x}, {}, {0.25f, 10}),
      ElementsAre(10 + 6));  // 5.5 to even
  EXPECT_THAT(
      compute<int8_t>(OpKind::kReduce, reduction(ReduceFn::kSum, {0}), {x}, {}, {0.25f, 10}),
      ElementsAre(10 + 22));
  EXPECT_THAT(compute<uint8_t>(OpKind::kReduce, reduction(ReduceFn::kSum, {0}),
                               {in<uint8_t>({3}, {255, 255, 255}, {1, 0})}, {}, {1, 5}),
              ElementsAre(255));
}

TEST(Reduce, QuantisedExtremes) {
  const Operand x = in<int8_t>({3}, {-128, 4, 6}, {0.5f, 0});
  EXPECT_THAT(compute<int8_t>(OpKind::kReduce, reduction(ReduceFn::kMax, {0}), {x}, {}, {0.5f, 0}),
              ElementsAre(6));
  EXPECT_THAT(compute<int8_t>(OpKind::kReduce, reduction(ReduceFn::kMax, {0}), {x}, {}, {0.25f, 1}),
              ElementsAre(13));
  EXPECT_THAT(compute<int8_t>(OpKind::kReduce, reduction(ReduceFn::kMin, {0}), {x}, {}, {0.5f, 0}),
              ElementsAre(-128));
}

TEST(Reduce, BoolsAreAnyAndAll) {
  const Operand x = bools({2, 2}, {0, 7, 0, 0});
  auto reduced = [&](ReduceFn fn) {
    return compute_bools(OpKind::kReduce, reduction(fn, {1}), {x}, {2});
  };
  EXPECT_THAT(reduced(ReduceFn::kMax), ElementsAre(1, 0));
  EXPECT_THAT(reduced(ReduceFn::kMin), ElementsAre(0, 0));
}

TEST(ArgReduce, FirstOfEqualsAlongAnyAxis) {
  const Operand x = in<float>({2, 3}, {1, 5, 5, 9, 0, 0});
  EXPECT_THAT(compute<int32_t>(OpKind::kArgReduce, ArgReduceParams{true, -1, false}, {x}, {2}),
              ElementsAre(1, 0));
  EXPECT_THAT(compute<int64_t>(OpKind::kArgReduce, ArgReduceParams{false, 0, false}, {x}, {3}),
              ElementsAre(0, 1, 1));
  EXPECT_THAT(compute<int32_t>(OpKind::kArgReduce, ArgReduceParams{true, 0, false},
                               {in<float>({3}, {kNan, 1, 2})}, {}),
              ElementsAre(2));
}

Pool2DParams pool(PoolFn fn, int32_t kernel, int32_t stride, PadMode mode) {
  Pool2DParams p;
  p.fn = fn;
  p.kernel_h = p.kernel_w = kernel;
  p.stride_h = p.stride_w = stride;
  p.padding.mode = mode;
  return p;
}

TEST(Pool2D, PaddingDoesNotCount) {
  const Operand x = in<float>({1, 2, 2, 1}, {1, 2, 3, 4});
  EXPECT_THAT(compute<float>(OpKind::kPool2D, pool(PoolFn::kAverage, 2, 1, PadMode::kSame), {x},
                             {1, 2, 2, 1}),
              ElementsAre(2.5f, 3, 3.5f, 4));
  const Operand negative = in<float>({1, 1, 2, 1}, {-3, -2});
  EXPECT_THAT(compute<float>(OpKind::kPool2D, pool(PoolFn::kMax, 3, 1, PadMode::kSame), {negative},
                             {1, 1, 2, 1}),
              ElementsAre(-2, -2));
}

TEST(Pool2D, AveragesOfWholeImagesKeepTheirDigits) {
  std::vector<float> x;
  for (int i = 0; i < 128 * 128; ++i) x.push_back(0.1f + 0.01f * static_cast<float>(i % 13));
  const double exact = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  EXPECT_THAT(compute<float>(OpKind::kPool2D, pool(PoolFn::kAverage, 128, 1, PadMode::kValid),
                             {in<float>({1, 128, 128, 1}, x)}, {1, 1, 1, 1}),
              ElementsAre(FloatNear(static_cast<float>(exact), 3e-7f)));
}

TEST(Pool2D, WindowsAndChannels) {
  // Two channels of a 3x3 image: 1..9 and 10 times that.
  std::vector<float> x;
  for (int i = 1; i <= 9; ++i) x.insert(x.end(), {float(i), float(10 * i)});
  EXPECT_THAT(compute<float>(OpKind::kPool2D, pool(PoolFn::kAverage, 2, 1, PadMode::kValid),
                             {in<float>({1, 3, 3, 2}, x)}, {1, 2, 2, 2}),
              ElementsAre(3, 30, 4, 40, 6, 60, 7, 70));
  EXPECT_THAT(compute<float>(OpKind::kPool2D, pool(PoolFn::kMax, 3, 1, PadMode::kValid),
                             {in<float>({1, 3, 3, 2}, x)}, {1, 1, 1, 2}),
              ElementsAre(9, 90));
}

TEST(Pool2D, IntegerAverageRoundsHalvesAwayFromZero) {
  const Q q{0.5f, 3};
  EXPECT_THAT(
      compute<int8_t>(OpKind::kPool2D, pool(PoolFn::kAverage, 2, 2, PadMode::kSame),
                      {in<int8_t>({1, 1, 6, 1}, {1, 2, -1, -2, 127, 127}, q)}, {1, 1, 3, 1}, q),
      ElementsAre(2, -2, 127));
}

TEST(Pool2D, QuantisedActivation) {
  Pool2DParams p = pool(PoolFn::kMax, 1, 1, PadMode::kValid);
  p.activation = Activation::kRelu;
  const Q q{1, 100};
  EXPECT_THAT(compute<uint8_t>(OpKind::kPool2D, p, {in<uint8_t>({1, 1, 2, 1}, {90, 110}, q)},
                               {1, 1, 2, 1}, q),
              ElementsAre(100, 110));
}

TEST(Pool2D, ManyChannelsKeepTheirPlace) {
  std::vector<uint8_t> x(131);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(compute<uint8_t>(OpKind::kPool2D, pool(PoolFn::kMax, 3, 1, PadMode::kSame),
                             {in<uint8_t>({1, 1, 1, 131}, x, {1, 0})}, {1, 1, 1, 131}, {1, 0}),
            x);
}

TEST(TopK, TiesByIndexAndNanLast) {
  const auto y = run(OpKind::kTopK, TopKParams{3},
                     {in<float>({2, 4}, {1, 5, 5, 2, kNan, -1, kNan, kInfinity})},
                     {out(DType::kF32, {2, 3}), out(DType::kI32, {2, 3})});
  const auto values = y[0].as<float>();
  EXPECT_THAT(y[1].as<int32_t>(), ElementsAre(1, 2, 3, 3, 1, 0));
  EXPECT_THAT(std::vector<float>(values.begin(), values.begin() + 5),
              ElementsAre(5, 5, 2, kInfinity, -1));
  EXPECT_TRUE(std::isnan(values[5]));
}

TEST(TopK, AllOfARow) {
  const auto y = run(OpKind::kTopK, TopKParams{3}, {in<int8_t>({3}, {-128, 127, 0})},
                     {out(DType::kI8, {3}), out(DType::kI32, {3})});
  EXPECT_THAT(y[0].as<int8_t>(), ElementsAre(127, 0, -128));
  EXPECT_THAT(y[1].as<int32_t>(), ElementsAre(1, 2, 0));
}

}  // namespace
}  // namespace pj::math_test
