#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "runtime/exec/thread_pool.h"

namespace pj {
namespace {

class Pool : public ::testing::TestWithParam<PoolKind> {};

TEST_P(Pool, RunsEverySlotOnce) {
  for (int threads : {1, 2, 4}) {
    auto pool = *make_pool(GetParam(), threads);
    EXPECT_EQ(pool->threads(), threads);
    for (int slots = 1; slots <= threads; ++slots) {
      std::array<std::atomic<int>, 4> runs{};
      for (int i = 0; i < 50; ++i) {
        pool->run(
            slots,
            [](void* r, int slot) {
              ++(*static_cast<std::array<std::atomic<int>, 4>*>(r))[static_cast<size_t>(slot)];
            },
            &runs, i % 2 == 0);
      }
      for (int s = 0; s < 4; ++s)
        EXPECT_EQ(runs[static_cast<size_t>(s)].load(), s < slots ? 50 : 0);
    }
  }
}

// Regions of changing widths back to back, with work that ends at different times: every slot of
// every region runs exactly once, before run() returns.
TEST_P(Pool, RegionsDoNotMix) {
  struct Region {
    std::array<std::atomic<int>, 8> runs{};
    std::atomic<int64_t> work{0};
  };
  auto pool = *make_pool(GetParam(), 8);
  // With more threads than cores pthreadpool takes milliseconds for a region.
  const int regions = GetParam() == PoolKind::kBuiltin ? 5000 : 50;
  for (int i = 0; i < regions; ++i) {
    Region region;
    const int slots = 1 + i % 8;
    pool->run(
        slots,
        [](void* r, int slot) {
          auto& region = *static_cast<Region*>(r);
          for (int k = 0; k < slot * 40; ++k) region.work += k;
          ++region.runs[static_cast<size_t>(slot)];
        },
        &region, i % 5 == 0);
    for (int s = 0; s < 8; ++s)
      ASSERT_EQ(region.runs[static_cast<size_t>(s)].load(), s < slots ? 1 : 0) << "region " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Pool,
                         ::testing::Values(PoolKind::kPthreadpool, PoolKind::kBuiltin));

TEST(PoolNames, AreChecked) {
  EXPECT_EQ(*pool_by_name("builtin"), PoolKind::kBuiltin);
  EXPECT_FALSE(pool_by_name("openmp"));
}

}  // namespace
}  // namespace pj
