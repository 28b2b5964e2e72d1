// Bands that the planner forms give the bits of layer by layer, whatever the shapes, batches and
// threads, and their inner tensors need no place in the arena.
#include <gtest/gtest.h>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "runtime/passes/passes.h"
#include "runtime/plan/bands.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

// A machine whose caches are so small that bands pay off on small shapes.
Target small_target() {
  Target t;
  t.isa = host_cpu().isa & built_isa();
  t.l1_bytes = 4 << 10;
  t.l2_bytes = 32 << 10;
  return t;
}

std::unique_ptr<Session> session_of(const Graph& graph, bool bands, int threads) {
  ModelOptions options;
  options.target = small_target();
  options.bands = bands;
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  return std::move(*session);
}

std::vector<std::byte> run(Session& s) {
  testing::GraphBuilder(7).fill(s.input(0).dtype, s.input_data(0));
  EXPECT_TRUE(s.run());
  const auto out = s.output_data(0);
  return {out.begin(), out.end()};
}

size_t bands_in(const Session& s) {
  size_t count = 0;
  for (const Step& step : s.program().steps) count += step.band() ? 1 : 0;
  return count;
}

struct Block {
  int32_t height, width, channels, expanded;
};

class PlannedBand : public ::testing::TestWithParam<Block> {};

TEST_P(PlannedBand, GivesTheBitsOfLayerByLayer) {
  const Block c = GetParam();
  const Graph graph = *testing::inverted_residual(c.height, c.width, c.channels, c.expanded);
  auto layers = session_of(graph, false, 1);
  ASSERT_EQ(bands_in(*layers), 0u);
  EXPECT_EQ(layers->program().ring_bytes, 0);
  const std::vector<std::byte> expected = run(*layers);
  for (int threads : {1, 2, 3}) {
    auto banded = session_of(graph, true, threads);
    ASSERT_GE(bands_in(*banded), 1u);
    EXPECT_GT(banded->program().ring_bytes, 0);
    EXPECT_LT(banded->program().arena_bytes, layers->program().arena_bytes);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(run(*banded), expected) << threads << " threads";
  }
}

TEST_P(PlannedBand, BatchesAreDoneOneAfterTheOther) {
  const Block c = GetParam();
  const Graph graph = *testing::inverted_residual(c.height, c.width, c.channels, c.expanded);
  const Shape three{3, c.height, c.width, c.channels};
  auto layers = session_of(graph, false, 1), banded = session_of(graph, true, 2);
  ASSERT_TRUE(layers->resize_input(0, three));
  ASSERT_TRUE(banded->resize_input(0, three));
  ASSERT_GE(bands_in(*banded), 1u);
  EXPECT_EQ(run(*banded), run(*layers));
}

// Strips, of which the last one is narrower, and threads that each walk a range of rows of them.
TEST_P(PlannedBand, StripsGiveTheBitsOfLayerByLayer) {
  const Block c = GetParam();
  const Graph graph = *testing::inverted_residual(c.height, c.width, c.channels, c.expanded);
  const std::vector<std::byte> expected = run(*session_of(graph, false, 1));
  for (const IsaLevel& level : isa_levels()) {
    ModelOptions options;
    options.target = small_target();
    if (!options.target.isa.includes(level.features)) continue;
    options.target.isa = level.features;
    for (const int32_t cols : {1, 5, 8, c.width - 1}) {
      options.chosen = PlanChoices{.bands = {{0, 3, 2, cols}}};
      auto model = *Model::create(graph, options);
      for (int threads : {1, 3}) {
        auto session = *Session::create(model, {.threads = threads});
        const bool followed = bands_of(session->program()) == options.chosen->bands;
        EXPECT_TRUE(followed || level.name == std::string_view("scalar")) << level.name;
        for (int i = 0; i < 2; ++i) EXPECT_EQ(run(*session), expected) << level.name << " " << cols;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, PlannedBand,
                         ::testing::Values(Block{28, 28, 16, 96}, Block{27, 31, 10, 61},
                                           Block{56, 14, 24, 144}, Block{19, 40, 3, 70}));

// The block with its input added at the end, and quantised anew at the start: sums and tables are
// members of bands too.
Graph residual_block(const Block& c) {
  Graph graph = *testing::inverted_residual(c.height, c.width, c.channels, c.expanded);
  const TensorId x = graph.inputs[0], y = graph.outputs[0];
  Tensor raw = graph.tensor(x);
  raw.name = "raw";
  raw.quant = {{0.11f}, {-7}, 0};
  Tensor sum = graph.tensor(y);
  sum.name = "sum";
  graph.inputs[0] = graph.add_tensor(raw);
  graph.ops.insert(graph.ops.begin(), {OpKind::kQuantize, NoParams{}, {graph.inputs[0]}, {x}, ""});
  graph.outputs[0] = graph.add_tensor(sum);
  graph.ops.push_back(
      {OpKind::kBinary, BinaryParams{.fn = BinaryFn::kAdd}, {x, y}, {graph.outputs[0]}, ""});
  return graph;
}

TEST_P(PlannedBand, SumsAndTablesAreCutIntoStripsToo) {
  const Graph graph = residual_block(GetParam());
  const std::vector<std::byte> expected = run(*session_of(graph, false, 1));
  ModelOptions options;
  options.target = small_target();
  for (const int32_t members : {4, 5}) {
    options.chosen = PlanChoices{.bands = {{0, members, 2, 6}}};
    auto session = *Session::create(*Model::create(graph, options), {.threads = 2});
    EXPECT_EQ(run(*session), expected) << members;
  }
}

// The block without its sum, behind a nearest-neighbour resize to twice the size, which the passes
// move behind the expansion.
Graph upsampled_block(const Block& c) {
  Graph graph =
      *testing::inverted_residual(2 * (c.height / 2), 2 * (c.width / 2), c.channels, c.expanded);
  graph.ops.pop_back();
  graph.outputs = graph.ops.back().outputs;
  const TensorId x = graph.inputs[0];
  Tensor small = graph.tensor(x);
  small.name = "small";
  small.shape[1] /= 2;
  small.shape[2] /= 2;
  const Shape& large = graph.tensor(x).shape;
  const ResizeParams twice{.fn = ResizeFn::kNearest, .out_h = large[1], .out_w = large[2]};
  graph.inputs[0] = graph.add_tensor(small);
  graph.ops.insert(graph.ops.begin(), {OpKind::kResize, twice, {graph.inputs[0]}, {x}, ""});
  return graph;
}

TEST_P(PlannedBand, ResizesAreCutIntoStripsToo) {
  const Graph graph = upsampled_block(GetParam());
  auto layers = session_of(graph, false, 1);
  const std::vector<std::byte> expected = run(*layers);
  ModelOptions options;
  options.target = small_target();
  for (const int32_t cols : {0, 5, 8}) {
    options.chosen = PlanChoices{.bands = {{0, 4, 2, cols}}};
    for (int threads : {1, 2}) {
      auto session = *Session::create(*Model::create(graph, options), {.threads = threads});
      EXPECT_EQ(bands_of(session->program()), options.chosen->bands) << cols;
      EXPECT_EQ(run(*session), expected) << cols;
    }
  }
}

TEST_P(PlannedBand, SumsAreMembers) {
  const Graph graph = residual_block(GetParam());
  auto layers = session_of(graph, false, 1);
  const std::vector<std::byte> expected = run(*layers);
  const std::vector<Step>& steps = layers->program().steps;
  const KernelDesc& kernel = kernel_catalog()[static_cast<size_t>(steps.back().members[0].kernel)];
  ModelOptions options;
  options.target = small_target();
  options.chosen = PlanChoices{.bands = {{1, static_cast<int32_t>(steps.size()) - 1, 2}}};
  auto model = *Model::create(graph, options);
  for (int threads : {1, 3}) {
    auto banded = *Session::create(model, {.threads = threads});
    // Reference kernels know no rows.
    if (kernel.cls == KernelClass::kSum) {
      EXPECT_EQ(bands_of(banded->program()), options.chosen->bands);
    }
    for (int i = 0; i < 2; ++i) EXPECT_EQ(run(*banded), expected) << threads << " threads";
  }
}

// Where rings and weights are far below what L2 holds and tensors above it, a sum belongs to the
// band of what it adds. Near that limit it depends on how large a level packs its weights.
TEST(PlannedBand, SumsJoinWhereRingsFitAndTensorsDoNot) {
  Graph graph = residual_block({112, 14, 16, 96});
  ASSERT_TRUE(run_passes(graph));
  Target target = small_target();
  target.l2_bytes = 48 << 10;
  for (const IsaLevel& level : isa_levels()) {
    if (level.name == std::string_view("scalar")) continue;  // has no kernel for sums
    target.isa = level.features;
    const Plan plan = *make_plan(graph, target, kernel_catalog());
    EXPECT_TRUE(plan.program.steps.back().band()) << level.name;
    EXPECT_EQ(plan.program.steps.size(), 2u) << level.name;
  }
}

// A tensor that somebody else reads too cannot live in a ring.
TEST(PlannedBand, TensorsWithSeveralReadersStayWhole) {
  const Graph graph = *testing::inverted_residual(28, 28, 16, 96);
  Graph shared = graph;
  // The expanded tensor becomes an output of the graph besides.
  shared.outputs.push_back(shared.ops[0].outputs[0]);
  auto banded = session_of(shared, true, 1);
  for (const Step& step : banded->program().steps) {
    for (const LoopNest& nest : step.members) {
      if (nest.out[0].buffer.space != Space::kRing) continue;
      EXPECT_NE(step.op_indices[0], 0) << "the expanded tensor is an output";
    }
  }
  EXPECT_EQ(run(*banded), run(*session_of(shared, false, 1)));
}

TEST(PlannedBand, NothingIsBandedWhereEverythingFits) {
  const Graph graph = *testing::inverted_residual(8, 8, 8, 16);
  ModelOptions options;
  options.target = small_target();
  options.target.l1_bytes = options.target.l2_bytes = 8 << 20;
  auto model = *Model::create(graph, options);
  auto session = *Session::create(model);
  EXPECT_EQ(bands_in(*session), 0u);
}

}  // namespace
}  // namespace pj
