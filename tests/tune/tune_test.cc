// The tuner changes no output, and what it chose is found again where it was measured and nowhere
// else.
#include "runtime/tune/tune.h"

#include <gtest/gtest.h>

#include "converters/load/choices.h"
#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "runtime/plan/bands.h"
#include "runtime/plan/lower.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

ModelOptions small_machine() {
  ModelOptions options;
  options.target.isa = host_cpu().isa & built_isa();
  options.target.l1_bytes = 4 << 10;
  options.target.l2_bytes = 32 << 10;
  return options;
}

std::vector<std::byte> run(const Graph& graph, const ModelOptions& options) {
  auto session = *Session::create(*Model::create(graph, options));
  testing::GraphBuilder(7).fill(session->input(0).dtype, session->input_data(0));
  EXPECT_TRUE(session->run());
  const auto out = session->output_data(0);
  return {out.begin(), out.end()};
}

std::vector<BandChoice> planned(const Graph& graph, const ModelOptions& options) {
  return bands_of((*Session::create(*Model::create(graph, options)))->program());
}

std::string ignored(const Graph& graph, const ModelOptions& options) {
  auto model = *Model::create(graph, options);
  return model->ignored_choices((*Session::create(model))->compiled());
}

TEST(Tune, MeasuresEveryPlanAndChangesNoOutput) {
  const Graph graph = *testing::inverted_residual(28, 28, 16, 96);
  ModelOptions options = small_machine();
  ASSERT_FALSE(planned(graph, options).empty());
  size_t calls = 0;
  TuneOptions tuning;
  tuning.progress = [&](size_t done, size_t total) {
    EXPECT_LT(done, total);
    ++calls;
  };
  const auto result = tune(*Model::create(graph, options), tuning);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->complete);
  EXPECT_GE(result->candidates, 2u);
  EXPECT_GE(calls, result->candidates);
  EXPECT_GT(result->before_ns, 0);
  const std::vector<std::byte> expected = run(graph, options);
  options.chosen = result->plan;
  EXPECT_EQ(planned(graph, options), result->plan.bands);
  EXPECT_EQ(run(graph, options), expected);
}

TEST(Tune, StopsWhenTheBudgetIsUsed) {
  const Graph graph = *testing::inverted_residual(28, 28, 16, 96);
  TuneOptions tuning;
  tuning.budget_ns = 0;
  const auto result = tune(*Model::create(graph, small_machine()), tuning);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->complete);
}

TEST(ChosenBands, AreIgnoredWhereTheyCannotBe) {
  const Graph graph = *testing::inverted_residual(28, 28, 16, 96);
  ModelOptions options = small_machine();
  const std::vector<BandChoice> usual = planned(graph, options);
  const std::vector<std::vector<BandChoice>> impossible = {
      {{0, 1, 2}},             // one member
      {{0, 17, 2}},            // more than a band may have
      {{0, 5, 2}},             // beyond the last step
      {{2, 3, 2}},             //
      {{0, 2, 0}},             // no rows
      {{0, 2, -5}},            //
      {{0, 2, 28}},            // one step
      {{7, 2, 2}},             // no such operator
      {{-1, 2, 2}},            //
      {{0, 2, 2}, {1, 2, 2}},  // overlapping
      {{0, 2, 2, -1}},         // no columns
      {{0, 2, 2, 28}},         // one strip
      {{INT32_MAX, INT32_MAX, INT32_MAX}}};
  for (const auto& bands : impossible) {
    options.chosen = PlanChoices{.bands = bands};
    EXPECT_EQ(planned(graph, options), usual) << bands[0].op << " " << bands[0].members;
    EXPECT_NE(ignored(graph, options).find("bands"), std::string::npos);
  }
  options.chosen = PlanChoices{};
  EXPECT_EQ(ignored(graph, options), "");
  EXPECT_TRUE(planned(graph, options).empty());
}

TargetRecord record_of(const Target& t, std::vector<Choice> choices) {
  return {t.name, t.isa, t.cores, t.l1_bytes, t.l2_bytes, t.l3_bytes, {}, std::move(choices)};
}

// A block that AVX2 has two depthwise kernels for, and any level at least the planner's.
Graph block_of_layers() { return *testing::inverted_residual(20, 20, 24, 144); }

// Kernels of an operator that this machine can run, the planner's first.
std::vector<KernelId> kernels_of(const Graph& graph, const ModelOptions& options, int32_t op) {
  auto session = *Session::create(*Model::create(graph, options));
  Plan unused;
  const std::function<BufferRef(TensorId)> nowhere;
  const LowerContext context{session->compiled().graph, options.target, options.catalog, nowhere,
                             unused};
  return fitting_kernels(context, op);
}

TEST(ChosenLayers, KernelsAndTilesChangeNoBit) {
  const Graph graph = block_of_layers();
  ModelOptions options = small_machine();
  options.bands = false;
  const std::vector<std::byte> expected = run(graph, options);
  for (int32_t op = 0; op < 3; ++op) {
    const std::vector<KernelId> kernels = kernels_of(graph, options, op);
    ASSERT_FALSE(kernels.empty());
    for (const KernelId kernel : kernels) {
      for (const int32_t size : {0, 1, 3, 7, 16, 50, INT32_MAX}) {
        for (const Dim dim : {kRow, kCol, kChannel}) {
          LayerChoice layer{.op = op, .kernel = kernel};
          layer.tile[dim] = size;
          options.chosen = PlanChoices{.layers = {layer}};
          auto session = *Session::create(*Model::create(graph, options));
          const Step& step = session->program().steps[static_cast<size_t>(op)];
          EXPECT_EQ(step.members[0].kernel, kernel);
          EXPECT_EQ(ignored(graph, options), "");
          EXPECT_EQ(run(graph, options), expected)
              << options.catalog[static_cast<size_t>(kernel)].name << " " << size << " " << dim;
        }
      }
    }
  }
}

TEST(ChosenLayers, HaveTheirThreads) {
  const Graph graph = block_of_layers();
  ModelOptions options = small_machine();
  options.bands = false;
  options.chosen = PlanChoices{.layers = {{.op = 0, .threads = 1}, {.op = 1, .threads = 2}}};
  auto session = *Session::create(*Model::create(graph, options), {.threads = 3});
  EXPECT_EQ(session->program().steps[0].threads, 1);
  EXPECT_EQ(session->program().steps[1].threads, 2);
}

TEST(ChosenThreads, AreThoseThatTheProcessMayUse) {
  const Graph graph = block_of_layers();
  ModelOptions options = small_machine();
  EXPECT_EQ((*Model::create(graph, options))->tuned_threads(), 0);
  options.chosen = PlanChoices{.threads = 1};
  EXPECT_EQ((*Model::create(graph, options))->tuned_threads(), 1);
  options.chosen->threads = INT32_MAX;
  EXPECT_EQ((*Model::create(graph, options))->tuned_threads(), granted_cpu().default_threads);
}

TEST(ChosenLayers, KernelsThatDoNotFitAreNotUsed) {
  const Graph graph = block_of_layers();
  ModelOptions options = small_machine();
  options.bands = false;
  const std::vector<std::byte> expected = run(graph, options);
  // Another class, another type, another machine's, and none at all.
  std::vector<KernelId> others = {kernels_of(graph, options, 1)[0], INT32_MAX, INT32_MIN + 1};
  for (size_t i = 0; i < options.catalog.size(); ++i) {
    const KernelDesc& k = options.catalog[i];
    if (k.cls == KernelClass::kConv &&
        (k.input != DType::kI8 || !options.target.isa.includes(k.isa)))
      others.push_back(static_cast<KernelId>(i));
  }
  for (const KernelId kernel : others) {
    options.chosen = PlanChoices{.layers = {{.op = 0, .kernel = kernel}, {.op = 77}}};
    EXPECT_EQ(run(graph, options), expected) << kernel;
    if (kernel >= 0) {
      EXPECT_NE(ignored(graph, options).find("kernel"), std::string::npos) << kernel;
    }
  }
}

TEST(Choices, AreReadWhereTheyWereWritten) {
  const Target here = small_machine().target;
  const PlanChoices plan = {.bands = {{0, 3, 4}, {5, 2, 1, 14}},
                            .layers = {{.op = 7, .kernel = 3},
                                       {.op = 8, .tile = {0, 2, 30, 16}},
                                       {.op = 9, .kernel = 0, .threads = 1}},
                            .threads = 2};
  const std::vector<TargetRecord> records = {record_of(here, write_choices(plan, {2, 1, 7, 1}))};
  EXPECT_EQ(read_choices(records, here).choices, plan);
  EXPECT_EQ(read_choices(records, here).problem, "");
  Target other = here;
  other.name = "another CPU";
  EXPECT_EQ(read_choices(records, other).choices, std::nullopt);
  EXPECT_EQ(read_choices(records, other).problem, "");
  other = here;
  other.l2_bytes *= 2;
  EXPECT_EQ(read_choices(records, other).choices, std::nullopt);
  other = here;
  other.isa = IsaSet::from_bits(here.isa.bits() ^ 1);
  EXPECT_EQ(read_choices(records, other).choices, std::nullopt);
}

TEST(Choices, NothingElseIsAChoiceToo) {
  const Target here = small_machine().target;
  EXPECT_EQ(read_choices({record_of(here, write_choices({}, {}))}, here).choices, PlanChoices{});
  EXPECT_EQ(read_choices({record_of(here, {})}, here).choices, std::nullopt);
  EXPECT_EQ(read_choices({record_of(here, {})}, here).problem, "");
}

TEST(Choices, DamagedRecordsAreNotFollowed) {
  const Target here = small_machine().target;
  const std::vector<Choice> good = write_choices(
      {.bands = {{0, 3, 4}}, .layers = {{.op = 4, .kernel = 2, .tile = {0, 5, 0, 0}}}}, {});
  auto expect_ignored = [&](auto&& change) {
    std::vector<Choice> choices = good;
    change(choices);
    const ReadChoices read = read_choices({record_of(here, choices)}, here);
    EXPECT_EQ(read.choices, std::nullopt);
    EXPECT_NE(read.problem, "");
    // The message is the user's, and the plan is the planner's.
    const Graph graph = block_of_layers();
    ModelOptions options = small_machine();
    const std::vector<BandChoice> usual = planned(graph, options);
    options.chosen = read.choices;
    options.unread_choices = read.problem;
    EXPECT_NE(ignored(graph, options).find(read.problem), std::string::npos);
    EXPECT_EQ(planned(graph, options), usual);
  };
  expect_ignored([](auto& c) { c[1].kernel = "ribbon"; });
  expect_ignored([](auto& c) { c[1].values.clear(); });
  expect_ignored([](auto& c) { c[1].values[0].second = 0; });
  expect_ignored([](auto& c) { c[1].values[1].second = int64_t{1} << 40; });
  expect_ignored([](auto& c) { c[2].kernel = "qs8_conv_3x5c7_abacus"; });
  expect_ignored([](auto& c) { c[2].values[0].second = -5; });
  expect_ignored([](auto& c) { c.push_back(c[2]); });
  expect_ignored([](auto& c) { c[0].values.push_back({"fastest_threads", -1}); });
  expect_ignored([](auto& c) { c.erase(c.begin()); });
}

}  // namespace
}  // namespace pj
