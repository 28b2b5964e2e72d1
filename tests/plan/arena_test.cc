#include "runtime/plan/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace pj {
namespace {

void expect_no_overlap(std::span<const Lifetime> t, const ArenaLayout& layout) {
  for (size_t a = 0; a < t.size(); ++a) {
    EXPECT_EQ(layout.offsets[a] % 64, 0);
    EXPECT_LE(layout.offsets[a] + t[a].bytes, layout.bytes);
    for (size_t b = 0; b < a; ++b) {
      if (t[a].first > t[b].last || t[b].first > t[a].last) continue;
      const bool apart = layout.offsets[a] + t[a].bytes <= layout.offsets[b] ||
                         layout.offsets[b] + t[b].bytes <= layout.offsets[a];
      EXPECT_TRUE(apart) << "tensors " << a << " and " << b;
    }
  }
}

TEST(Arena, AChainNeedsItsLargestPair) {
  const Lifetime chain[] = {{640, 0, 1}, {1280, 1, 2}, {640, 2, 3}, {64, 3, 4}};
  const ArenaLayout layout = layout_arena(chain);
  EXPECT_EQ(layout.lower_bound, 1920);
  EXPECT_EQ(layout.bytes, 1920);
  expect_no_overlap(chain, layout);
}

TEST(Arena, SizesRoundUpToCacheLines) {
  const Lifetime two[] = {{1, 0, 0}, {65, 0, 0}};
  const ArenaLayout layout = layout_arena(two);
  EXPECT_EQ(layout.bytes, 192);
  EXPECT_EQ(layout.lower_bound, 192);
}

TEST(Arena, EmptyIsEmpty) {
  const ArenaLayout layout = layout_arena({});
  EXPECT_EQ(layout.bytes, 0);
  EXPECT_EQ(layout.lower_bound, 0);
}

TEST(Arena, RandomLivesNeverOverlapAndStayNearTheBound) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Lifetime> lives;
    for (int32_t i = 0; i < 60; ++i) {
      const auto last = i + 1 + static_cast<int32_t>(random() % 4);
      lives.push_back({static_cast<int64_t>(random() % 10000 + 1), i, last});
    }
    const ArenaLayout layout = layout_arena(lives);
    expect_no_overlap(lives, layout);
    EXPECT_GE(layout.bytes, layout.lower_bound);
    EXPECT_LE(layout.bytes, layout.lower_bound * 3 / 2);
  }
}

// A detector's, whose heads wait for the end: orders by size, length or time alone need 7 % more
// than the bound.
TEST(Arena, SizesThatFitInFewOrders) {
  const Lifetime lives[] = {{138624, 0, 1},   {69312, 1, 2},    {138624, 2, 3},   {138624, 3, 4},
                            {138624, 4, 5},   {138624, 5, 6},   {138624, 6, 7},   {138624, 7, 8},
                            {138624, 8, 9},   {138624, 9, 10},  {138624, 10, 11}, {138624, 11, 12},
                            {138624, 12, 26}, {38400, 13, 14},  {76800, 14, 15},  {76800, 15, 16},
                            {76800, 16, 28},  {19200, 17, 18},  {9600, 18, 30},   {4332, 25, 36},
                            {98553, 26, 38},  {54600, 28, 38},  {13650, 30, 38},  {4914, 32, 38},
                            {7668, 36, 40},   {174447, 38, 39}, {174447, 39, 40}};
  const ArenaLayout layout = layout_arena(lives);
  expect_no_overlap(lives, layout);
  EXPECT_LE(static_cast<double>(layout.bytes), 1.06 * static_cast<double>(layout.lower_bound));
}

}  // namespace
}  // namespace pj
