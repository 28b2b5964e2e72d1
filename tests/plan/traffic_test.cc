// The caches of the traffic model by hand-counted sequences, and what must hold for every program.
#include "runtime/plan/traffic.h"

#include <gtest/gtest.h>

#include "runtime/passes/passes.h"
#include "runtime/plan/plan.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

Target with_caches(CacheSize l1, CacheSize l2) {
  Target t;
  t.l1_bytes = l1.bytes, t.l1_ways = l1.ways;
  t.l2_bytes = l2.bytes, t.l2_ways = l2.ways;
  return t;
}

// Two sets of two lines, then eight lines in one set.
CacheModel small_caches() { return CacheModel(with_caches({4 * 64, 2}, {8 * 64, 8})); }
constexpr uint64_t at(uint64_t line) { return (line + 1000) * 64; }

TEST(CacheModel, ALineStaysUntilItsSetNeedsTheRoom) {
  CacheModel caches = small_caches();
  for (const uint64_t line : {0, 2, 0, 4}) caches.read(at(line), 1);  // 2 has to leave
  EXPECT_EQ(caches.counts().misses[0], 3);
  caches.read(at(0), 1);
  EXPECT_EQ(caches.counts().misses[0], 3);
  caches.read(at(2), 1);
  EXPECT_EQ(caches.counts().misses[0], 4);
  EXPECT_EQ(caches.counts().misses[1], 3) << "the second cache has room for all";
}

TEST(CacheModel, OtherSetsAreNotTouched) {
  CacheModel caches = small_caches();
  for (const uint64_t line : {1, 0, 2, 4, 6}) caches.read(at(line), 1);
  const int64_t misses = caches.counts().misses[0];
  caches.read(at(1), 1);
  EXPECT_EQ(caches.counts().misses[0], misses);
}

TEST(CacheModel, AnAccessTouchesEveryLineThatItReaches) {
  CacheModel caches = small_caches();
  caches.read(at(0) + 60, 8);
  EXPECT_EQ(caches.counts().misses[0], 2);
  EXPECT_EQ(caches.counts().accessed_bytes, 8);
  caches.read(at(0), 0);
  EXPECT_EQ(caches.counts().misses[0], 2);
}

TEST(CacheModel, ChangedLinesAreWrittenBackOnce) {
  CacheModel caches = small_caches();
  caches.write(at(0), 64);
  for (const uint64_t line : {2, 4}) caches.read(at(line), 64);
  EXPECT_EQ(caches.counts().written_back[0], 1);
  EXPECT_EQ(caches.counts().written_back[1], 0) << "the second cache keeps it";
  caches.read(at(0), 64);
  for (const uint64_t line : {2, 4}) caches.read(at(line), 64);
  EXPECT_EQ(caches.counts().written_back[0], 1) << "it had not changed again";
  for (uint64_t line = 6; line < 40; line += 2) caches.read(at(line), 64);
  EXPECT_EQ(caches.counts().written_back[1], 1);
}

TEST(CacheModel, SetsNeedNotBeAPowerOfTwo) {
  CacheModel caches(with_caches({3 * 64, 1}, {64 << 10, 16}));
  for (int round = 0; round < 2; ++round)
    for (const uint64_t line : {0, 1, 2}) caches.read(line * 64 + 64, 64);
  EXPECT_EQ(caches.counts().misses[0], 3);
  caches.read(4 * 64, 64);
  caches.read(1 * 64, 64);
  EXPECT_EQ(caches.counts().misses[0], 5);
}

Plan plan_of(const Target& target, bool bands = false) {
  Graph graph = *testing::inverted_residual(56, 56, 16, 96);
  EXPECT_TRUE(run_passes(graph));
  PlanOptions options;
  options.bands = bands;
  return *make_plan(graph, target, kernel_catalog(), options);
}

Traffic total(const Plan& plan, const Target& target) {
  Traffic sum;
  for (const Traffic& t : traffic_of(plan.program, kernel_catalog(), target)) sum += t;
  return sum;
}

int64_t weight_bytes(const Plan& plan) {
  int64_t bytes = 0;
  for (const PackedConstant& c : plan.program.packed) bytes += c.bytes;
  return bytes;
}

// For every level that a PC can plan for, whose kernels read in different orders.
class TrafficOf : public ::testing::TestWithParam<const char*> {
 protected:
  Target target(CacheSize l1, CacheSize l2) const {
    Target t = with_caches(l1, l2);
    t.isa = target_by_name(GetParam())->isa;
    return t;
  }
};

TEST_P(TrafficOf, NothingComesFromMemoryWhereEverythingFits) {
  const Target t = target({32 << 10, 8}, {16 << 20, 16});
  const Traffic sum = total(plan_of(t), t);
  EXPECT_EQ(sum.dram_bytes, 0);
  EXPECT_GT(sum.l2_bytes, 0);
  EXPECT_EQ(sum.l3_bytes, 0);
}

TEST_P(TrafficOf, SmallCachesReadAllWeightsAndTensorsOnceAtLeast) {
  const Target t = target({8 << 10, 8}, {16 << 10, 8});
  const Plan plan = plan_of(t);
  int64_t tensors = 0;
  for (const Step& step : plan.program.steps)
    for (const LoopNest& nest : step.members) tensors += nest.in[0].bytes + nest.out[0].bytes;
  const Traffic sum = total(plan, t);
  EXPECT_GE(sum.dram_bytes, tensors);
  EXPECT_LE(sum.dram_bytes, 60 * (tensors + weight_bytes(plan)));
  EXPECT_GE(sum.l2_bytes, sum.dram_bytes);
  EXPECT_GE(sum.l1_bytes, tensors);
}

TEST_P(TrafficOf, LargerCachesNeverFetchMore) {
  const Target t = target({32 << 10, 8}, {64 << 10, 16});
  const Plan plan = plan_of(t);
  int64_t before = INT64_MAX;
  for (const int64_t kilobytes : {64, 256, 1024, 4096}) {
    Target larger = t;
    larger.l2_bytes = kilobytes << 10;
    larger.l2_ways = static_cast<int32_t>(kilobytes / 4);  // more ways, as many sets
    const int64_t fetched = total(plan, larger).last_misses;
    EXPECT_LE(fetched, before) << kilobytes;
    before = fetched;
  }
}

TEST_P(TrafficOf, BandsKeepTheExpandedTensorOutOfMemory) {
  const Target t = target({32 << 10, 8}, {128 << 10, 16});
  const Plan layers = plan_of(t), bands = plan_of(t, true);
  ASSERT_LT(bands.program.steps.size(), layers.program.steps.size());
  EXPECT_LT(total(bands, t).dram_bytes * 2, total(layers, t).dram_bytes);
}

// Windows slide along rows: even where three rows share the two lines of a set, a column of them is
// fetched once for all outputs of a row, not for each of three.
TEST(Traffic, FloatDepthwiseFetchesAColumnOnceARow) {
  constexpr int32_t kChannels = 16, kWidth = 64, kHeight = 16;
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, kHeight, kWidth, kChannels});
  const TensorId w = b.constant("w", DType::kF32, {1, 3, 3, kChannels});
  const TensorId bias = b.constant("b", DType::kF32, {kChannels});
  const TensorId y = b.activation("y", DType::kF32, {1, kHeight - 2, kWidth - 2, kChannels});
  DepthwiseConv2DParams params;
  params.padding.mode = PadMode::kValid;
  b.op(OpKind::kDepthwiseConv2D, params, {x, w, bias}, {y});
  Graph graph = *b.finish({y});
  ASSERT_TRUE(run_passes(graph));
  Target t = with_caches({2 * kWidth * kChannels * 4, 2}, {1 << 20, 16});
  t.isa = target_by_name("avx2")->isa;
  const Plan plan = *make_plan(graph, t, kernel_catalog());
  const KernelId kernel = plan.program.steps[0].members[0].kernel;
  const int32_t panels = kChannels / kernel_catalog()[static_cast<size_t>(kernel)].nr;
  const int64_t pixels = int64_t{kHeight - 2} * (kWidth - 2) * panels;
  const int64_t fetched = total(plan, t).l1_misses;
  EXPECT_GE(fetched, 3 * pixels);
  EXPECT_LE(fetched, 3 * pixels + pixels + pixels / 2);
}

// Lines are used whole while they are there: each is fetched once, though the rows of the input lie
// far apart.
TEST(Traffic, TransposingFetchesEachLineOnce) {
  constexpr int32_t kChannels = 12, kWidth = 64, kHeight = 64;
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, kChannels, kHeight, kWidth});
  const TensorId y = b.activation("y", DType::kF32, {1, kHeight, kWidth, kChannels});
  b.op(OpKind::kTranspose, TransposeParams{{0, 2, 3, 1}}, {x}, {y});
  const Graph graph = *b.finish({y});
  Target t = with_caches({8 << 10, 16}, {64 << 10, 16});
  t.isa = target_by_name("avx2")->isa;
  const Traffic sum = total(*make_plan(graph, t, kernel_catalog()), t);
  constexpr int64_t kLines = int64_t{kChannels} * kWidth * kHeight * 4 / 64;
  EXPECT_GE(sum.l1_misses, 2 * kLines);
  EXPECT_LE(sum.l1_misses, 2 * kLines + kLines / 2);  // pieces of 48 bytes share lines
  EXPECT_LE(sum.last_misses, 2 * kLines + kLines / 10);
}

INSTANTIATE_TEST_SUITE_P(Levels, TrafficOf,
                         ::testing::Values("scalar", "avx2", "avxvnni", "avx512vnni"));

}  // namespace
}  // namespace pj
