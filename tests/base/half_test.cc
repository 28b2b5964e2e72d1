#include "runtime/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace pj {
namespace {

// The definition of binary16, in double: (-1)^s * 2^(e-25) * (1024 + f), or 2^-24 * f if e is 0.
double value_of(uint16_t bits) {
  const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}
bool is_special(uint16_t bits) { return (bits & 0x7c00u) == 0x7c00u; }

TEST(Half, ToFloatIsExact) {
  for (uint32_t i = 0; i < 0x10000u; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float f = to_float({bits});
    if (!is_special(bits)) {
      ASSERT_EQ(f, value_of(bits)) << i;
    } else if ((bits & 1023u) != 0) {
      ASSERT_TRUE(std::isnan(f)) << i;
    } else {
      ASSERT_TRUE(std::isinf(f)) << i;
    }
    ASSERT_EQ(std::signbit(f), (bits & 0x8000u) != 0) << i;
  }
}

TEST(Half, RoundTripsEveryValue) {
  for (uint32_t i = 0; i < 0x10000u; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const Half h = to_half(to_float({bits}));
    if (is_special(bits) && (bits & 1023u) != 0) {
      ASSERT_TRUE(std::isnan(to_float(h))) << i;
    } else {
      ASSERT_EQ(h.bits, bits);
    }
  }
}

// Between two neighbours: the middle goes to the even one, anything off it to the nearer one.
TEST(Half, RoundsToNearestEven) {
  for (uint32_t i = 0; i < 0x7bffu; ++i) {
    const auto low = static_cast<uint16_t>(i), high = static_cast<uint16_t>(i + 1);
    const auto middle = static_cast<float>((value_of(low) + value_of(high)) / 2);
    const uint16_t even = (low & 1u) == 0 ? low : high;
    ASSERT_EQ(to_half(middle).bits, even) << i;
    ASSERT_EQ(to_half(-middle).bits, even | 0x8000u) << i;
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0f)).bits, low) << i;
    ASSERT_EQ(to_half(std::nextafter(middle, 1e6f)).bits, high) << i;
  }
}

TEST(Half, OverflowsToInfinity) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(to_half(65504.0f).bits, 0x7bff);
  EXPECT_EQ(to_half(65519.996f).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7c00);  // the middle to 2^16
  EXPECT_EQ(to_half(-1e30f).bits, 0xfc00);
  EXPECT_EQ(to_half(kInfinity).bits, 0x7c00);
  EXPECT_EQ(to_half(-kInfinity).bits, 0xfc00);
}

TEST(Half, UnderflowsToZeroWithItsSign) {
  EXPECT_EQ(to_half(0x1p-25f).bits, 0);  // the middle between 0 and the smallest
  EXPECT_EQ(to_half(0x1.000002p-25f).bits, 1);
  EXPECT_EQ(to_half(-1e-30f).bits, 0x8000);
  EXPECT_EQ(to_half(-0.0f).bits, 0x8000);
  EXPECT_EQ(to_half(std::numeric_limits<float>::denorm_min()).bits, 0);
}

TEST(Half, KeepsNaNsQuiet) {
  EXPECT_EQ(to_half(std::numeric_limits<float>::quiet_NaN()).bits & 0x7e00, 0x7e00);
  // A NaN whose upper bits are 0 must not become infinity.
  EXPECT_EQ(to_half(std::bit_cast<float>(0x7f800001u)).bits & 0x7e00, 0x7e00);
  EXPECT_EQ(to_half(std::bit_cast<float>(0xff800001u)).bits & 0xfe00, 0xfe00);
}

}  // namespace
}  // namespace pj
