#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/common/quantized_add.h"
#include "tests/reference/operands.h"

namespace pj::math_test {
namespace {

using ::testing::ElementsAre;

constexpr int32_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int32_t kMax32 = std::numeric_limits<int32_t>::max();

template <typename T>
std::vector<T> binary(BinaryFn fn, std::vector<T> a, std::vector<T> b, Q qa = {}, Q qb = {},
                      Q qy = {}, Activation activation = Activation::kNone) {
  const auto n = static_cast<int32_t>(a.size());
  return compute<T>(OpKind::kBinary, BinaryParams{fn, activation},
                    {in<T>({n}, a, qa), in<T>({n}, b, qb)}, {n}, qy);
}
template <typename T>
std::vector<uint8_t> compared(BinaryFn fn, std::vector<T> a, std::vector<T> b, Q qa = {},
                              Q qb = {}) {
  const auto n = static_cast<int32_t>(a.size());
  return compute_bools(OpKind::kBinary, BinaryParams{fn, Activation::kNone},
                       {in<T>({n}, a, qa), in<T>({n}, b, qb)}, {n});
}

TEST(Binary, BroadcastsBothWays) {
  const auto y = compute<float>(
      OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone},
      {in<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6}), in<float>({2, 1}, {10, 20})}, {2, 2, 3});
  EXPECT_THAT(y, ElementsAre(11, 12, 13, 21, 22, 23, 14, 15, 16, 24, 25, 26));
}

TEST(Binary, BroadcastsScalarsAndRows) {
  const auto scalar =
      compute<int32_t>(OpKind::kBinary, BinaryParams{BinaryFn::kSub, Activation::kNone},
                       {in<int32_t>({}, {100}), in<int32_t>({2, 2}, {1, 2, 3, 4})}, {2, 2});
  EXPECT_THAT(scalar, ElementsAre(99, 98, 97, 96));
  const auto row =
      compute<int32_t>(OpKind::kBinary, BinaryParams{BinaryFn::kMul, Activation::kNone},
                       {in<int32_t>({2, 2}, {1, 2, 3, 4}), in<int32_t>({2}, {10, 100})}, {2, 2});
  EXPECT_THAT(row, ElementsAre(10, 200, 30, 400));
}

TEST(Binary, NothingHappensOnEmptyTensors) {
  EXPECT_TRUE(binary<float>(BinaryFn::kAdd, {}, {}).empty());
}

TEST(Binary, FloatFunctions) {
  EXPECT_THAT(binary<float>(BinaryFn::kDiv, {1, -6}, {4, 3}), ElementsAre(0.25f, -2));
  EXPECT_THAT(binary<float>(BinaryFn::kMinimum, {1, 5}, {4, 3}), ElementsAre(1, 3));
  EXPECT_THAT(binary<float>(BinaryFn::kMaximum, {1, 5}, {4, 3}), ElementsAre(4, 5));
  EXPECT_THAT(binary<float>(BinaryFn::kSquaredDifference, {1, 5}, {4, 3}), ElementsAre(9, 4));
  EXPECT_THAT(binary<float>(BinaryFn::kPow, {2, 4}, {3, 0.5f}), ElementsAre(8, 2));
  EXPECT_THAT(binary<float>(BinaryFn::kFloorDiv, {7, -7, 7}, {2, 2, -2}), ElementsAre(3, -4, -4));
  EXPECT_THAT(binary<float>(BinaryFn::kFloorMod, {7, -7, 7, -7}, {3, 3, -3, -3}),
              ElementsAre(1, 2, -2, -1));
}

TEST(Binary, FloatActivationAndNan) {
  const auto y = binary<float>(BinaryFn::kAdd, {-5, 3, 9, kNan, kInfinity}, {0, 0, 0, 1, 1}, {}, {},
                               {}, Activation::kRelu6);
  EXPECT_THAT(std::vector<float>(y.begin(), y.begin() + 3), ElementsAre(0, 3, 6));
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_EQ(y[4], 6);
  EXPECT_THAT(compared<float>(BinaryFn::kEqual, {kNan}, {kNan}), ElementsAre(0));
  EXPECT_THAT(compared<float>(BinaryFn::kNotEqual, {kNan}, {kNan}), ElementsAre(1));
  EXPECT_THAT(compared<float>(BinaryFn::kLessEqual, {kNan}, {1}), ElementsAre(0));
}

TEST(Binary, IntegersWrap) {
  EXPECT_THAT(binary<int32_t>(BinaryFn::kAdd, {kMax32}, {1}), ElementsAre(kMin32));
  EXPECT_THAT(binary<int32_t>(BinaryFn::kSub, {kMin32}, {1}), ElementsAre(kMax32));
  EXPECT_THAT(binary<int32_t>(BinaryFn::kMul, {65536}, {65536}), ElementsAre(0));
  EXPECT_THAT(binary<int32_t>(BinaryFn::kSquaredDifference, {kMin32}, {kMax32}), ElementsAre(1));
  EXPECT_THAT(binary<int64_t>(BinaryFn::kAdd, {std::numeric_limits<int64_t>::max()}, {1}),
              ElementsAre(std::numeric_limits<int64_t>::min()));
}

TEST(Binary, IntegerDivision) {
  EXPECT_THAT(binary<int32_t>(BinaryFn::kDiv, {7, -7, 5, kMin32}, {2, 2, 0, -1}),
              ElementsAre(3, -3, 0, kMin32));
  EXPECT_THAT(binary<int32_t>(BinaryFn::kFloorDiv, {7, -7, 7, 5, kMin32}, {2, 2, -2, 0, -1}),
              ElementsAre(3, -4, -4, 0, kMin32));
  EXPECT_THAT(
      binary<int32_t>(BinaryFn::kFloorMod, {7, -7, 7, -7, 5, kMin32}, {3, 3, -3, -3, 0, -1}),
      ElementsAre(1, 2, -2, -1, 0, 0));
}

TEST(Binary, IntegerPowers) {
  EXPECT_THAT(
      binary<int32_t>(BinaryFn::kPow, {3, -2, 7, 1, -1, -1, 0, 2}, {4, 3, 0, -5, -3, -4, -1, -1}),
      ElementsAre(81, -8, 1, 1, -1, 1, 0, 0));
  EXPECT_THAT(binary<int32_t>(BinaryFn::kPow, {2, 3}, {31, kMax32}).front(), kMin32);
}

TEST(Binary, IntegerActivation) {
  EXPECT_THAT(
      binary<int32_t>(BinaryFn::kAdd, {-9, 3, 9}, {0, 0, 0}, {}, {}, {}, Activation::kRelu6),
      ElementsAre(0, 3, 6));
}

TEST(Binary, LogicalTakesAnyByteButZeroAsTrue) {
  auto logical = [](BinaryFn fn) {
    return compute_bools(OpKind::kBinary, BinaryParams{fn, Activation::kNone},
                         {bools({4}, {0, 0, 2, 255}), bools({4}, {0, 1, 0, 1})}, {4});
  };
  EXPECT_THAT(logical(BinaryFn::kLogicalAnd), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(logical(BinaryFn::kLogicalOr), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(logical(BinaryFn::kEqual), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(logical(BinaryFn::kNotEqual), ElementsAre(0, 1, 1, 0));
}

TEST(QuantizedAdd, EqualScalesAddExactlyAndSaturate) {
  EXPECT_THAT(
      binary<int8_t>(BinaryFn::kAdd, {1, 127, -128}, {2, 127, -128}, {1, 0}, {1, 0}, {1, 0}),
      ElementsAre(3, 127, -128));
  EXPECT_THAT(binary<uint8_t>(BinaryFn::kSub, {10, 0, 255}, {3, 255, 0}, {1, 0}, {1, 0}, {1, 100}),
              ElementsAre(107, 0, 255));
}

TEST(QuantizedAdd, HalvesRoundUp) {
  // In units of the output: 0.5, -0.5, 1.5, -1.5.
  EXPECT_THAT(
      binary<int8_t>(BinaryFn::kAdd, {1, -1, 3, -3}, {0, 0, 0, 0}, {0.5f, 0}, {0.5f, 0}, {1, 0}),
      ElementsAre(1, 0, 2, -1));
}

TEST(QuantizedAdd, FusedActivation) {
  // Zero point 10, scale 0.1: relu6 is [10, 70].
  EXPECT_THAT(binary<int8_t>(BinaryFn::kAdd, {-50, 30, 100}, {0, 0, 0}, {0.1f, 0}, {0.1f, 0},
                             {0.1f, 10}, Activation::kRelu6),
              ElementsAre(10, 40, 70));
}

// Every pair of values against the real sum: the fixed point may be off by its own resolution only.
TEST(QuantizedAdd, IsTheRoundedRealSum) {
  const ScaleAndZero a{0.0371f, -11}, b{0.0213f, 90}, y{0.0497f, 5};
  for (bool subtract : {false, true}) {
    const QuantizedAdd rule =
        prepare_quantized_add(a, b, y, DType::kI8, Activation::kNone, subtract);
    ASSERT_TRUE(rule.fixed_point);
    for (int32_t qa = -128; qa <= 127; ++qa) {
      for (int32_t qb = -128; qb <= 127; ++qb) {
        const double real_b = (qb - b.zero_point) * double{b.scale};
        const double real = (qa - a.zero_point) * double{a.scale} + (subtract ? -real_b : real_b);
        const double exact = std::min(127.0, std::max(-128.0, real / double{y.scale} + 5));
        ASSERT_NEAR(quantized_add(rule, qa, qb), exact, 0.501) << qa << " " << qb;
      }
    }
  }
}

TEST(QuantizedAdd, RatiosOutsideTheFixedPointUseFloat) {
  const ScaleAndZero coarse{1000, 0}, fine{1, 0};
  const QuantizedAdd rule =
      prepare_quantized_add(coarse, fine, fine, DType::kI8, Activation::kNone, false);
  EXPECT_FALSE(rule.fixed_point);
  EXPECT_EQ(quantized_add(rule, 1, 0), 127);
  EXPECT_EQ(quantized_add(rule, 0, -7), -7);
  const QuantizedAdd edge =
      prepare_quantized_add({0x1p-10f, 0}, {255.99f, 0}, fine, DType::kI8, Activation::kNone, true);
  EXPECT_TRUE(edge.fixed_point);
  EXPECT_EQ(quantized_add(edge, 0, 127), -128);
}

TEST(QuantizedAdd, SixteenBits) {
  EXPECT_THAT(binary<int16_t>(BinaryFn::kAdd, {20000, 3}, {20000, 2}, {1, 0}, {1, 0}, {2, 0}),
              ElementsAre(20000, 2));
}

TEST(QuantizedMul, RoundsToEvenInTheOutputScale) {
  // (a - 1) * (b + 1) * 0.25 / 0.5: 1, 0.5, 1.5, 2.5
  EXPECT_THAT(
      binary<int8_t>(BinaryFn::kMul, {2, 2, 4, 6}, {1, 0, 0, 0}, {0.5f, 1}, {0.5f, -1}, {0.5f, 10}),
      ElementsAre(11, 10, 12, 12));
  EXPECT_THAT(binary<int8_t>(BinaryFn::kMul, {-128, -128}, {-128, 127}, {1, 127}, {1, 0}, {1, 0}),
              ElementsAre(127, -128));
}

TEST(QuantizedBinary, ExtremesOfOneQuantisationAreExact) {
  EXPECT_THAT(
      binary<int8_t>(BinaryFn::kMinimum, {-128, 5}, {127, 4}, {0.1f, 3}, {0.1f, 3}, {0.1f, 3}),
      ElementsAre(-128, 4));
  EXPECT_THAT(binary<uint8_t>(BinaryFn::kMaximum, {0, 5}, {255, 4}), ElementsAre(255, 5));
}

TEST(QuantizedBinary, DifferentQuantisationsMeetAsReals) {
  // a = 4 * 0.5 = 2, b = 3 * 1 = 3; output in quarters.
  EXPECT_THAT(binary<int8_t>(BinaryFn::kMaximum, {4}, {3}, {0.5f, 0}, {1, 0}, {0.25f, 0}),
              ElementsAre(12));
  EXPECT_THAT(binary<int8_t>(BinaryFn::kDiv, {4, 4, -4}, {2, 0, 0}, {0.5f, 0}, {1, 0}, {0.25f, 0}),
              ElementsAre(4, 127, -128));
  EXPECT_THAT(compared<int8_t>(BinaryFn::kLess, {4, 6, 8}, {3, 3, 3}, {0.5f, 0}, {1, 0}),
              ElementsAre(1, 0, 0));
  EXPECT_THAT(compared<uint8_t>(BinaryFn::kEqual, {130}, {128}, {0.5f, 128}, {1, 127}),
              ElementsAre(1));
}

}  // namespace
}  // namespace pj::math_test
