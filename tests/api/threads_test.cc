// Threads: the library's pools, the caller's, and many sessions at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

#include "tests/api/models.h"

namespace pj::testing {
namespace {

pj_session_options with_threads(int32_t threads, pj_pool_kind kind = pj_pool_default) {
  pj_session_options options = PJ_SESSION_OPTIONS_INIT;
  options.threads = threads;
  options.pool_kind = kind;
  return options;
}

// A caller's pool that starts a thread for each slot but the first, and remembers its calls.
struct SpawningPool {
  static void run(void* pool, int32_t slots, pj_work work, void* context, int32_t last) {
    auto* self = static_cast<SpawningPool*>(pool);
    self->slots.push_back(slots);
    self->last.push_back(last);
    std::vector<std::thread> threads;
    for (int32_t slot = 1; slot < slots; ++slot) threads.emplace_back([=] { work(context, slot); });
    work(context, 0);
    for (std::thread& t : threads) t.join();
  }
  pj_session_options options(int32_t threads) {
    pj_session_options o = with_threads(threads);
    o.parallel = run;
    o.pool = this;
    return o;
  }
  std::vector<int32_t> slots, last;
};

TEST(Threads, DoNotChangeResults) {
  const ModelHandle model = load(block_model());
  const Bytes expected = run_on_noise(open(model).get());
  for (const int32_t threads : {1, 2, 3, 8}) {
    for (const pj_pool_kind kind : {pj_pool_default, pj_pool_pthreadpool, pj_pool_builtin}) {
      const pj_session_options options = with_threads(threads, kind);
      const SessionHandle s = open(model, &options);
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(run_on_noise(s.get()), expected) << threads << " threads, pool " << kind;
    }
  }
}

TEST(CallersPool, IsUsed) {
  const ModelHandle model = load(large_block_model());
  const Bytes expected = run_on_noise(open(model).get());
  SpawningPool pool;
  const pj_session_options options = pool.options(3);
  const SessionHandle s = open(model, &options);
  EXPECT_TRUE(pool.slots.empty());
  EXPECT_EQ(run_on_noise(s.get()), expected);
  ASSERT_FALSE(pool.slots.empty());
  for (const int32_t slots : pool.slots) {
    EXPECT_GE(slots, 2);  // one thread needs no pool
    EXPECT_LE(slots, 3);
  }
  // Only the last region of a run says so.
  EXPECT_EQ(std::count(pool.last.begin(), pool.last.end(), 0),
            static_cast<std::ptrdiff_t>(pool.last.size()) - 1);
  EXPECT_NE(pool.last.back(), 0);
}

TEST(CallersPool, MayRunOneSlotAfterTheOther) {
  const ModelHandle model = load(large_block_model());
  const Bytes expected = run_on_noise(open(model).get());
  pj_session_options options = with_threads(4);
  int calls = 0;
  options.pool = &calls;
  options.parallel = [](void* pool, int32_t slots, pj_work work, void* context, int32_t) {
    ++*static_cast<int*>(pool);
    for (int32_t slot = slots - 1; slot >= 0; --slot) work(context, slot);
  };
  const SessionHandle s = open(model, &options);
  EXPECT_EQ(run_on_noise(s.get()), expected);
  EXPECT_GT(calls, 0);
}

TEST(CallersPool, OfOneThreadIsNotCalled) {
  SpawningPool pool;
  const pj_session_options options = pool.options(1);
  const SessionHandle s = open(load(large_block_model()), &options);
  run_on_noise(s.get());
  EXPECT_TRUE(pool.slots.empty());
}

TEST(Sessions, OfOneModelRunAtTheSameTime) {
  const ModelHandle model = load(large_block_model());
  const Bytes expected = run_on_noise(open(model).get());
  std::vector<Bytes> results(4);
  std::vector<std::thread> threads;
  for (Bytes& result : results) {
    threads.emplace_back([&] {
      const pj_session_options options = with_threads(2);
      const SessionHandle s = open(model, &options);
      for (int i = 0; i < 5; ++i) result = run_on_noise(s.get());
    });
  }
  for (std::thread& t : threads) t.join();
  for (const Bytes& result : results) EXPECT_EQ(result, expected);
}

}  // namespace
}  // namespace pj::testing
