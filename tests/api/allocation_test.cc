// pj_run() allocates nothing, in whatever thread.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "tests/api/allocations.h"
#include "tests/api/models.h"

namespace pj::testing {
namespace {

TEST(Counting, SeesMallocAndNewAndTheLibrary) {
  // Kept where the compiler cannot see that nobody uses it.
  static void* volatile sink;
  Allocations a = allocations_of([] { sink = std::malloc(100); });
  std::free(sink);
  EXPECT_EQ(a.count, 1);
  EXPECT_EQ(a.bytes, 100);

  std::unique_ptr<int> number;
  a = allocations_of([&] { number.reset(new int(3)); });
  EXPECT_EQ(a.count, 1);

  void* aligned = nullptr;
  a = allocations_of([&] { EXPECT_EQ(posix_memalign(&aligned, 64, 640), 0); });
  std::free(aligned);
  EXPECT_EQ(a.count, 1);
  EXPECT_GE(a.bytes, 640);

  const ModelHandle model = load(dense_model());
  SessionHandle session;
  a = allocations_of([&] { session = open(model); });
  EXPECT_GT(a.count, 3);
}

struct Case {
  const char* name;
  int32_t threads;
  pj_pool_kind pool_kind;
  bool callers_pool;
  const char* xnnpack = "off";
};
void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

class Run : public ::testing::TestWithParam<Case> {};

ModelHandle load_as(const Case& c, const Bytes& bytes) {
  pj_model_options options = PJ_MODEL_OPTIONS_INIT;
  options.xnnpack = c.xnnpack;
  pj_model* model = nullptr;
  EXPECT_EQ(pj_model_load_memory(bytes.data(), bytes.size(), &options, &model), pj_ok)
      << pj_last_error();
  return ModelHandle(model);
}

void expect_no_allocation(const ModelHandle& model, const Case& c) {
  pj_session_options options = PJ_SESSION_OPTIONS_INIT;
  options.threads = c.threads;
  options.pool_kind = c.pool_kind;
  if (c.callers_pool) {
    options.parallel = [](void*, int32_t slots, pj_work work, void* context, int32_t) {
      for (int32_t slot = 0; slot < slots; ++slot) work(context, slot);
    };
  }
  const SessionHandle s = open(model, &options);
  // The first run counts as well, unless threads that are still starting would disturb. No run
  // waits for a late thread, so the test does.
  if (kThreadStartsAllocate) {
    run_on_noise(s.get());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  int failures = 0;
  const Allocations a = allocations_of([&] {
    for (int i = 0; i < 10; ++i) failures += pj_run(s.get()) != pj_ok;
  });
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(a.count, 0) << a.bytes << " bytes";
}

TEST_P(Run, AllocatesNothingWithIntegers) {
  expect_no_allocation(load_as(GetParam(), block_model()), GetParam());
}

TEST_P(Run, AllocatesNothingWithFloats) {
  expect_no_allocation(load_as(GetParam(), heavy_model()), GetParam());
}

TEST_P(Run, AllocatesNothingWithAWholeNetwork) {
  pj_model* model = nullptr;
  ASSERT_EQ(pj_model_load(PJ_SOURCE_DIR "/models/fashion/fashion.tflite", nullptr, &model), pj_ok)
      << pj_last_error();
  expect_no_allocation(ModelHandle(model), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Pools, Run,
                         ::testing::Values(Case{"one", 1, pj_pool_pthreadpool, false},
                                           Case{"one_builtin", 1, pj_pool_builtin, false},
                                           Case{"two", 2, pj_pool_pthreadpool, false},
                                           Case{"two_builtin", 2, pj_pool_builtin, false},
                                           Case{"two_callers", 2, pj_pool_default, true},
                                           // In a build without XNNPACK the same as the above.
                                           Case{"one_xnnpack", 1, pj_pool_default, false, "auto"},
                                           Case{"two_xnnpack", 2, pj_pool_default, false, "auto"}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace pj::testing
