// Steps of real sessions as a counter sees them: the counter here is made up.
#include "runtime/metering/session_bench.h"

#include <gtest/gtest.h>

#include "kernels/registry.h"
#include "runtime/metering/session_profile.h"
#include "tests/support/graphs.h"

namespace pj::energy {
namespace {

// A block of 4 x 4 x 64 with 384 channels within, on a machine with caches of these sizes.
std::unique_ptr<Session> block_session(int64_t l1, int64_t l2, int64_t l3 = 0) {
  ModelOptions options;
  options.target = target_of(host_cpu(), {});  // where the sum is a step of its own
  options.target.l1_bytes = l1, options.target.l2_bytes = l2, options.target.l3_bytes = l3;
  options.bands = false;
  auto session =
      *Session::create(*Model::create(*testing::inverted_residual(4, 4, 64, 384), options));
  testing::GraphBuilder(3).fill(session->input(0).dtype, session->input_data(0));
  EXPECT_TRUE(session->run());
  return session;
}

Result<double> no_counter() { return 0.0; }

size_t colder_steps(const SessionBench& bench) {
  size_t n = 0;
  for (size_t i = 0; i < bench.steps(); ++i) n += bench.colder_in_context(i) ? 1 : 0;
  return n;
}

TEST(SessionBench, StepsAreColderWhereAnInferenceLeavesTheCacheThatHoldsThem) {
  EXPECT_EQ(colder_steps({*block_session(1 << 20, 1 << 22), no_counter}), 0u);
  // A last cache that holds each layer's weights and little more.
  const auto session = block_session(1 << 10, 48 << 10);
  const SessionBench bench(*session, no_counter);
  const size_t colder = colder_steps(bench);
  EXPECT_GT(colder, 0u);
  EXPECT_LT(colder, bench.steps());
  for (size_t i = 0; i < bench.steps(); ++i) {
    if (!bench.colder_in_context(i)) continue;
    EXPECT_GT(session->weight_bytes(i), 0u);
    EXPECT_GT(static_cast<int64_t>(session->weight_bytes(i)) * bench.copies_of(i), 2 * (48 << 10));
  }
}

TEST(SessionBench, RunsInContextWithoutChangingWhatIsComputed) {
  const auto session = block_session(1 << 10, 48 << 10);
  const auto output = [&] {
    return std::vector<std::byte>(session->output_data(0).begin(), session->output_data(0).end());
  };
  const std::vector<std::byte> expected = output();
  SessionBench bench(*session, no_counter);
  for (size_t i = 0; i < bench.steps(); ++i) {
    bench.prepare_in_context(i);
    bench.run_in_context(i, 3, 2);
    EXPECT_EQ(output(), expected) << i;
  }
  EXPECT_TRUE(bench.status());
}

TEST(SessionProfile, TimesEveryStepAndComputesItsEnergy) {
  const auto session = block_session(32 << 10, 1 << 20);
  const Result<Profile> profile = take_profile(*session, 7);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->runs, 7);
  const std::vector<double> seconds = step_seconds(*profile);
  ASSERT_EQ(seconds.size(), session->program().steps.size());
  for (double s : seconds) EXPECT_GT(s, 0);
  EXPECT_EQ(session_traffic(*session).size(), seconds.size());
}

}  // namespace
}  // namespace pj::energy
