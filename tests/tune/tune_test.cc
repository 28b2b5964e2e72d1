// The tuner changes no output, and what it chose is found again where it was measured and nowhere
// else.
#include "runtime/tune/tune.h"

#include <gtest/gtest.h>

#include "converters/load/choices.h"
#include "kernels/registry.h"
#include "runtime/exec/session.h"
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
  options.chosen_bands = result->bands;
  EXPECT_EQ(planned(graph, options), result->bands);
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
    options.chosen_bands = bands;
    EXPECT_EQ(planned(graph, options), usual) << bands[0].op << " " << bands[0].members;
  }
  options.chosen_bands = std::vector<BandChoice>{};
  EXPECT_TRUE(planned(graph, options).empty());
}

TargetRecord record_of(const Target& t, std::vector<Choice> choices) {
  return {t.name, t.isa, t.cores, t.l1_bytes, t.l2_bytes, t.l3_bytes, {}, std::move(choices)};
}

TEST(Choices, AreReadWhereTheyWereWritten) {
  const Target here = small_machine().target;
  const std::vector<BandChoice> bands = {{0, 3, 4}, {5, 2, 1, 14}};
  const std::vector<TargetRecord> records = {record_of(here, write_choices(bands, {2, 1, 7, 1}))};
  EXPECT_EQ(read_choices(records, here), bands);
  Target other = here;
  other.name = "another CPU";
  EXPECT_EQ(read_choices(records, other), std::nullopt);
  other = here;
  other.l2_bytes *= 2;
  EXPECT_EQ(read_choices(records, other), std::nullopt);
  other = here;
  other.isa = IsaSet::from_bits(here.isa.bits() ^ 1);
  EXPECT_EQ(read_choices(records, other), std::nullopt);
}

TEST(Choices, NoBandsIsAChoiceToo) {
  const Target here = small_machine().target;
  EXPECT_EQ(read_choices({record_of(here, write_choices({}, {}))}, here),
            std::vector<BandChoice>{});
  EXPECT_EQ(read_choices({record_of(here, {})}, here), std::nullopt);
}

TEST(Choices, DamagedRecordsAreNotFollowed) {
  const Target here = small_machine().target;
  const std::vector<Choice> good = write_choices({{0, 3, 4}}, {});
  auto with = [&](auto&& change) {
    std::vector<Choice> choices = good;
    change(choices);
    return read_choices({record_of(here, choices)}, here);
  };
  EXPECT_EQ(with([](auto& c) { c[1].kernel = "ribbon"; }), std::nullopt);
  EXPECT_EQ(with([](auto& c) { c[1].values.clear(); }), std::nullopt);
  EXPECT_EQ(with([](auto& c) { c[1].values[0].second = 0; }), std::nullopt);
  EXPECT_EQ(with([](auto& c) { c[1].values[1].second = int64_t{1} << 40; }), std::nullopt);
  EXPECT_EQ(with([](auto& c) { c.erase(c.begin()); }), std::nullopt);
}

}  // namespace
}  // namespace pj
