#include "runtime/exec/periodic.h"

#include <gtest/gtest.h>
#include <time.h>

#include "kernels/registry.h"
#include "runtime/base/clock.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

constexpr int64_t kMs = 1'000'000;

std::unique_ptr<Session> small_session() {
  ModelOptions options;
  options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
  auto model = Model::create(*testing::inverted_residual(8, 8, 8, 16), options);
  EXPECT_TRUE(model) << model.error().message;
  return *Session::create(*model);
}

void sleep_ms(int64_t ms) {
  const timespec t{0, static_cast<long>(ms * kMs)};
  nanosleep(&t, nullptr);
}

TEST(Periodic, KeepsThePeriodAndSleepsBetweenFrames) {
  auto session = small_session();
  const int64_t start = now_ns();
  auto stats = run_periodic(
      *session, 20 * kMs, [](void*, int64_t frame, int64_t) { return frame < 9; }, nullptr);
  const int64_t elapsed = now_ns() - start;
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_EQ(stats->frames, 10);
  EXPECT_GE(elapsed, 9 * 20 * kMs);  // never early
  EXPECT_GT(stats->mean_latency_ms, 0);
  EXPECT_LE(stats->mean_latency_ms, stats->max_latency_ms);
  EXPECT_LT(stats->cpu_ms, 10) << "a thread is awake between frames";
}

TEST(Periodic, AFrameThatTakesTooLongIsMissedAndTheScheduleStays) {
  auto session = small_session();
  const int64_t start = now_ns();
  auto stats = run_periodic(
      *session, 30 * kMs,
      [](void*, int64_t frame, int64_t) {
        if (frame == 1) sleep_ms(70);  // due at 30, done after 100: 60 and 90 are left out
        return frame < 2;
      },
      nullptr);
  ASSERT_TRUE(stats) << stats.error().message;
  EXPECT_EQ(stats->frames, 3);
  EXPECT_GE(stats->missed, 1);
  EXPECT_GE(now_ns() - start, 120 * kMs);  // the third frame began when the fifth was due
}

TEST(Periodic, RefusesAPeriodThatIsNotPositive) {
  auto session = small_session();
  auto stats = run_periodic(
      *session, 0, [](void*, int64_t, int64_t) { return false; }, nullptr);
  ASSERT_FALSE(stats);
  EXPECT_EQ(stats.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace pj
