#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

TEST(AlignedBuffer, IsAlignedAndZero) {
  for (size_t size : {1u, 63u, 64u, 65u, 10000u}) {
    AlignedBuffer b(size);
    ASSERT_EQ(b.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % kCacheLine, 0u);
    EXPECT_TRUE(std::all_of(b.bytes().begin(), b.bytes().end(),
                            [](std::byte x) { return x == std::byte{0}; }));
    b.bytes()[size - 1] = std::byte{1};
  }
}

TEST(AlignedBuffer, IsEmptyWhereMemoryRunsOut) {
  EXPECT_EQ(AlignedBuffer(0).size(), 0u);
  EXPECT_EQ(AlignedBuffer(0).data(), nullptr);
  EXPECT_EQ(AlignedBuffer(SIZE_MAX).size(), 0u);
  EXPECT_EQ(AlignedBuffer(SIZE_MAX - kCacheLine).size(), 0u);
}

TEST(AlignedBuffer, Moves) {
  AlignedBuffer a(8), b(16);
  const std::byte* data = a.data();
  b = std::move(a);
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(b.size(), 8u);
  EXPECT_EQ(a.size(), 0u);  // NOLINT: moved from, and empty by contract
  AlignedBuffer c(std::move(b));
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(b.data(), nullptr);  // NOLINT
}

TEST(RoundUp, ToMultiples) {
  EXPECT_EQ(round_up(0, 64), 0u);
  EXPECT_EQ(round_up(1, 64), 64u);
  EXPECT_EQ(round_up(64, 64), 64u);
  EXPECT_EQ(ceil_div(7, 3), 3);
  EXPECT_EQ(ceil_div(6, 3), 2);
}

}  // namespace
}  // namespace pj
