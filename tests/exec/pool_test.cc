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
      for (int i = 0; i < 200; ++i) {
        pool->run(
            slots,
            [](void* r, int slot) {
              ++(*static_cast<std::array<std::atomic<int>, 4>*>(r))[static_cast<size_t>(slot)];
            },
            &runs, i % 2 == 0);
      }
      for (int s = 0; s < 4; ++s)
        EXPECT_EQ(runs[static_cast<size_t>(s)].load(), s < slots ? 200 : 0);
    }
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
