#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/reference/unary_table.h"
#include "tests/reference/operands.h"

namespace pj::math_test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

template <typename T>
std::vector<T> unary(UnaryFn fn, std::vector<T> x, Q qx = {}, Q qy = {}, float alpha = 0) {
  const auto n = static_cast<int32_t>(x.size());
  return compute<T>(OpKind::kUnary, UnaryParams{fn, alpha}, {in<T>({n}, x, qx)}, {n}, qy);
}
float one(UnaryFn fn, float x, float alpha = 0) { return unary<float>(fn, {x}, {}, {}, alpha)[0]; }

TEST(Unary, FloatDefinitions) {
  EXPECT_EQ(one(UnaryFn::kAbs, -2.5f), 2.5f);
  EXPECT_EQ(one(UnaryFn::kNeg, -2.5f), 2.5f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kExp, 1), 2.7182818f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kLog, 10), 2.3025851f);
  EXPECT_EQ(one(UnaryFn::kSqrt, 9), 3);
  EXPECT_EQ(one(UnaryFn::kRsqrt, 4), 0.5f);
  EXPECT_EQ(one(UnaryFn::kSquare, -3), 9);
  EXPECT_FLOAT_EQ(one(UnaryFn::kSin, 1), 0.84147098f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kCos, 1), 0.54030231f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kTanh, 0.5f), 0.46211716f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kLogistic, 2), 0.88079708f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kElu, -1), -0.63212056f);
  EXPECT_EQ(one(UnaryFn::kElu, 3), 3);
  EXPECT_FLOAT_EQ(one(UnaryFn::kGelu, 1), 0.84134475f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kGelu, -1), -0.15865525f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kGeluTanh, 1), 0.84119199f);
  EXPECT_FLOAT_EQ(one(UnaryFn::kHardSwish, 1), 4.0f / 6.0f);
  EXPECT_EQ(one(UnaryFn::kHardSwish, -3), 0);
  EXPECT_EQ(one(UnaryFn::kHardSwish, 4), 4);
  EXPECT_FLOAT_EQ(one(UnaryFn::kSilu, 1), 0.73105858f);
  EXPECT_EQ(one(UnaryFn::kLeakyRelu, -4, 0.25f), -1);
  EXPECT_EQ(one(UnaryFn::kLeakyRelu, 4, 0.25f), 4);
  EXPECT_EQ(one(UnaryFn::kFloor, -1.5f), -2);
  EXPECT_EQ(one(UnaryFn::kCeil, -1.5f), -1);
}

TEST(Unary, RoundsHalvesToEven) {
  EXPECT_THAT(unary<float>(UnaryFn::kRound, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f}),
              ElementsAre(0, 2, 2, 0, -2));
}

TEST(Unary, ClampsAndLetsNanThrough) {
  EXPECT_THAT(unary<float>(UnaryFn::kRelu, {-1, 0, 7}), ElementsAre(0, 0, 7));
  EXPECT_THAT(unary<float>(UnaryFn::kRelu6, {-1, 3, 7}), ElementsAre(0, 3, 6));
  EXPECT_THAT(unary<float>(UnaryFn::kReluN1To1, {-2, 0.5f, 7}), ElementsAre(-1, 0.5f, 1));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int fn = 0; fn < enum_count(UnaryFn{}); ++fn) {
    if (static_cast<UnaryFn>(fn) == UnaryFn::kLogicalNot) continue;
    EXPECT_TRUE(std::isnan(one(static_cast<UnaryFn>(fn), nan, 0.5f))) << fn;
  }
}

TEST(Unary, InfinitiesReachTheLimits) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(one(UnaryFn::kLogistic, -infinity), 0);
  EXPECT_EQ(one(UnaryFn::kLogistic, infinity), 1);
  EXPECT_EQ(one(UnaryFn::kTanh, -infinity), -1);
  EXPECT_EQ(one(UnaryFn::kElu, -infinity), -1);
  EXPECT_TRUE(std::isnan(one(UnaryFn::kSqrt, -1)));
}

TEST(Unary, IntegersWrap) {
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  EXPECT_THAT(unary<int32_t>(UnaryFn::kAbs, {-5, 5, kMin}), ElementsAre(5, 5, kMin));
  EXPECT_THAT(unary<int32_t>(UnaryFn::kNeg, {5, kMin}), ElementsAre(-5, kMin));
  EXPECT_THAT(unary<int64_t>(UnaryFn::kSquare, {-3, int64_t{1} << 32}), ElementsAre(9, 0));
  EXPECT_THAT(unary<int64_t>(UnaryFn::kRelu, {-3, 3}), ElementsAre(0, 3));
}

TEST(Unary, LogicalNot) {
  EXPECT_THAT(compute_bools(OpKind::kUnary, UnaryParams{UnaryFn::kLogicalNot, 0},
                            {bools({3}, {0, 1, 77})}, {3}),
              ElementsAre(1, 0, 0));
}

// All 256 values of both 8-bit types: the rounded real function, within half a unit.
TEST(Unary, TablesAreTheRoundedFunction) {
  const Q qx{0.05f, 4}, qy{1.0f / 128, -3};
  for (UnaryFn fn : {UnaryFn::kTanh, UnaryFn::kLogistic, UnaryFn::kAbs, UnaryFn::kElu}) {
    std::vector<int8_t> x;
    for (int32_t q = -128; q < 128; ++q) x.push_back(static_cast<int8_t>(q));
    const std::vector<int8_t> y = unary<int8_t>(fn, x, qx, qy);
    for (int32_t q = -128; q < 128; ++q) {
      const double real = (q - 4) * 0.05;
      double f = std::abs(real);
      if (fn == UnaryFn::kTanh) f = std::tanh(real);
      if (fn == UnaryFn::kLogistic) f = 1 / (1 + std::exp(-real));
      if (fn == UnaryFn::kElu) f = real < 0 ? std::expm1(real) : real;
      const double exact = std::min(127.0, std::max(-128.0, f * 128 - 3));
      EXPECT_NEAR(y[static_cast<size_t>(q + 128)], exact, 0.5001) << q;
    }
  }
}

TEST(Unary, Uint8TablesUseTheUnsignedRange) {
  EXPECT_THAT(unary<uint8_t>(UnaryFn::kRelu, {0, 128, 255}, {1, 128}, {1, 0}),
              ElementsAre(0, 0, 127));
  EXPECT_THAT(unary<uint8_t>(UnaryFn::kNeg, {0, 128, 255}, {1, 128}, {1, 128}),
              ElementsAre(255, 128, 1));
}

TEST(Unary, SixteenBits) {
  EXPECT_THAT(unary<int16_t>(UnaryFn::kNeg, {-32768, 1000}, {0.5f, 0}, {0.5f, 0}),
              ElementsAre(32767, -1000));
  EXPECT_THAT(unary<int16_t>(UnaryFn::kLeakyRelu, {-1000, 1000}, {0.5f, 0}, {0.5f, 0}, 0.5f),
              ElementsAre(-500, 1000));
}

// Fixed point with multipliers of 256 (exact here) and 26 = round(25.6), halves upwards.
TEST(Unary, LeakyReluOn8Bits) {
  // -100 * 26 = -2600 -> -10.156; -64 * 26 = -1664 -> -6.5 -> -6
  EXPECT_THAT(unary<int8_t>(UnaryFn::kLeakyRelu, {50, 0, -100, -64}, {1, 0}, {1, 0}, 0.1f),
              ElementsAre(50, 0, -10, -6));
}

// TFLite's fixed point is within a unit of the real function, and saturates at both ends.
TEST(Unary, HardSwishOn8Bits) {
  for (const Q qy : {Q{0.04f, -10}, Q{0.025f, -118}, Q{0.06f, 0}}) {
    std::vector<uint8_t> x;
    for (int32_t q = 0; q < 256; ++q) x.push_back(static_cast<uint8_t>(q));
    const Q shifted{qy.scale, qy.zero_point + 128};
    const std::vector<uint8_t> y = unary<uint8_t>(UnaryFn::kHardSwish, x, {0.05f, 130}, shifted);
    for (int32_t q = 0; q < 256; ++q) {
      const double real = (q - 130) * 0.05;
      const double f = real * std::min(6.0, std::max(0.0, real + 3)) / 6;
      const double exact =
          std::min(255.0, std::max(0.0, f / double{qy.scale} + shifted.zero_point));
      EXPECT_NEAR(y[static_cast<size_t>(q)], exact, 1.0) << q;
    }
  }
}

// Ratios beyond TFLite's fixed point: computed in reals.
TEST(Unary, HardSwishWithExtremeScales) {
  EXPECT_THAT(unary<int8_t>(UnaryFn::kHardSwish, {-1, 1, 2}, {100, 0}, {50, 0}),
              ElementsAre(0, 2, 4));
  EXPECT_THAT(unary<int8_t>(UnaryFn::kHardSwish, {-1, 1}, {1e30f, 0}, {1e-30f, 0}),
              ElementsAre(0, 127));
}

TEST(UnaryTable, IndexesByStoredByte) {
  OperandDesc x, y;
  x.dtype = y.dtype = DType::kI8;
  x.scale = y.scale = 1;
  uint8_t table[256];
  make_unary_table({UnaryFn::kNeg, 0}, x, y, table);
  EXPECT_EQ(table[1], 0xff);  // -1
  EXPECT_EQ(table[0xff], 1);
  EXPECT_EQ(table[0x80], 0x7f);  // 128 saturates
}

TEST(PRelu, SlopesBroadcastOverChannels) {
  EXPECT_THAT(
      compute<float>(OpKind::kPRelu, NoParams{},
                     {in<float>({2, 2}, {-1, -1, 3, -4}), in<float>({1, 2}, {0.5f, 2})}, {2, 2}),
      ElementsAre(-0.5f, -2, 3, -8));
  EXPECT_THAT(compute<float>(OpKind::kPRelu, NoParams{},
                             {in<float>({2}, {-1, -4}), in<Half>({1}, {to_half(0.25f)})}, {2}),
              ElementsAre(-0.25f, -1));
}

TEST(PRelu, Int8) {
  // d = 4: 4 * 0.5 / 0.25 = 8. d = -4, alpha = (3 - 1) * 0.25: -4 * 2 * 0.5 = -4.
  EXPECT_THAT(
      compute<int8_t>(OpKind::kPRelu, NoParams{},
                      {in<int8_t>({3}, {5, -3, 127}, {0.5f, 1}), in<int8_t>({1}, {3}, {0.25f, 1})},
                      {3}, {0.25f, 10}),
      ElementsAre(18, 6, 127));
}

TEST(Select, ChoosesWithBroadcasting) {
  EXPECT_THAT(
      compute<int64_t>(OpKind::kSelect, NoParams{},
                       {bools({2, 1}, {9, 0}), in<int64_t>({3}, {1, 2, 3}), in<int64_t>({}, {-1})},
                       {2, 3}),
      ElementsAre(1, 2, 3, -1, -1, -1));
  EXPECT_THAT(
      compute<int8_t>(OpKind::kSelect, NoParams{},
                      {bools({2}, {0, 1}), in<int8_t>({2}, {1, 2}), in<int8_t>({2}, {3, 4})}, {2}),
      ElementsAre(3, 2));
}

}  // namespace
}  // namespace pj::math_test
