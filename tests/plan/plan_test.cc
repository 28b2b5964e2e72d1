#include "runtime/plan/plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/base/aligned.h"
#include "runtime/passes/passes.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

Graph block() {
  Result<Graph> graph = testing::inverted_residual(9, 7, 10, 37);
  EXPECT_TRUE(graph) << graph.error().message;
  return *graph;
}

std::vector<std::byte> pack_all(const Graph& graph, const Plan& plan) {
  std::vector<std::byte> all;
  for (const PackRecipe& recipe : plan.recipes) {
    std::vector<std::byte> bytes(static_cast<size_t>(recipe.spec.total_bytes()));
    pack(graph, recipe, bytes);
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

// A machine that does not exist, with kernels that no build has.
Target invented_target() {
  return {.name = "walnut",
          .isa = IsaSet::from_bits(uint64_t{1} << 40),
          .cores = 3,
          .l1_bytes = 12 << 10,
          .l2_bytes = 100 << 10};
}
std::vector<KernelDesc> invented_catalog() {
  const IsaSet isa = invented_target().isa;
  std::vector<KernelDesc> rows(kernel_catalog().begin(), kernel_catalog().end());
  rows.push_back({"qs8_conv_3x20c4_walnut", KernelClass::kConv, OpKind::kConv2D, DType::kI8,
                  DType::kI8, DType::kI8, isa, 3, 20, 4, PackingId::kConvPanels, fits::any_layer,
                  99});
  return rows;
}

TEST(Plan, IsAPureFunctionOfItsArguments) {
  const Graph graph = block();
  const std::vector<KernelDesc> catalog = invented_catalog();
  std::string text;
  std::vector<std::byte> bytes;
  for (const char* isa : {"", "scalar", "avx2", "avx512vnni", "neondot"}) {
    ASSERT_EQ(setenv("PJ_ISA", isa, 1), 0);
    const Result<Plan> plan = make_plan(graph, invented_target(), catalog);
    ASSERT_TRUE(plan) << plan.error().message;
    if (text.empty()) {
      text = to_string(plan->program);
      bytes = pack_all(graph, *plan);
      EXPECT_NE(text.find("nr=20,kr=4"), std::string::npos);
    }
    EXPECT_EQ(to_string(plan->program), text);
    EXPECT_EQ(pack_all(graph, *plan), bytes);
  }
  unsetenv("PJ_ISA");
}

TEST(Plan, ChoosesTheFastestKernelThatTheTargetRuns) {
  const Graph graph = block();
  const std::span<const KernelDesc> catalog = kernel_catalog();
  auto kernel = [&](const char* target) {
    const Result<Plan> plan = make_plan(graph, *target_by_name(target), catalog);
    const KernelId id = plan->program.steps[0].members[0].kernel;
    return catalog[static_cast<size_t>(id)];
  };
  EXPECT_EQ(kernel("scalar").isa, IsaSet{});
  EXPECT_TRUE(kernel("avx2").isa.has(Feature::kAvx2));
  EXPECT_EQ(kernel("neondot").isa & IsaSet{Feature::kAvx2}, IsaSet{});
}

TEST(Plan, LayersOfFewPanelsHaveAPartForEachCore) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, 8, 8, 64});
  const TensorId w = b.constant("w", DType::kF32, {64, 3, 3, 64});
  const TensorId y = b.activation("y", DType::kF32, {});
  Conv2DParams p;
  p.padding.mode = PadMode::kSame;
  b.op(OpKind::kConv2D, p, {x, w, kNoTensor}, {y});
  const Result<Graph> graph = b.finish({y});
  ASSERT_TRUE(graph) << graph.error().message;
  for (int cores : {1, 2, 4}) {
    Target target = *target_by_name("avx512");
    target.cores = cores;
    const Result<Plan> plan = make_plan(*graph, target, kernel_catalog());
    ASSERT_TRUE(plan) << plan.error().message;
    int32_t channels = 0;
    for (const Loop& loop : plan->program.steps[0].members[0].loops)
      if (loop.dim == kChannel) channels = loop.step;
    EXPECT_EQ(channels, 64 / cores);
  }
}

TEST(Plan, EveryOperandStaysInsideItsBuffer) {
  const Graph graph = block();
  const Result<Plan> plan = make_plan(graph, *target_by_name("avx2"), kernel_catalog());
  ASSERT_TRUE(plan);
  EXPECT_LE(plan->program.arena_bytes, plan->program.arena_lower_bound * 11 / 10);
  for (const Step& step : plan->program.steps) {
    for (const LoopNest& nest : step.members) {
      for (const Operand& o : nest.out) {
        if (o.buffer.space != Space::kArena) continue;
        EXPECT_LE(o.buffer.offset + o.bytes, plan->program.arena_bytes);
      }
    }
  }
}

TEST(Plan, UnknownShapesAndTheArenaLimitAreErrors) {
  Graph graph = block();
  const Result<Plan> small = make_plan(graph, Target{}, kernel_catalog(),
                                       PlanOptions{.max_arena_bytes = 1000, .prepared_ops = {}});
  ASSERT_FALSE(small);
  EXPECT_EQ(small.error().code, ErrorCode::kLimitExceeded);
  graph.tensor(graph.inputs[0]).shape[1] = kUnknownDim;
  const Result<Plan> open = make_plan(graph, Target{}, kernel_catalog());
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, ErrorCode::kWrongState);
  EXPECT_NE(open.error().message.find("'x'"), std::string::npos);
}

// Ranges of channels that threads share, of the step of that operator.
int64_t channel_ranges(const Plan& plan, const char* op) {
  for (const Step& step : plan.program.steps) {
    if (step.op != op) continue;
    for (const Loop& loop : step.members[0].loops)
      if (loop.dim == kChannel && loop.parallel)
        return ceil_div(step.members[0].extent[kChannel], loop.step);
    break;
  }
  return 1;
}

TEST(Plan, DepthwiseStepsAreSharedAsWhatWritesTheirInput) {
  Target target = *target_by_name("avx512vnni");
  target.cores = 2;
  PlanOptions layers;
  layers.bands = false;
  // Small maps of many channels: weights are more than what the expansion reads and writes.
  const Graph deep = *testing::inverted_residual(7, 7, 160, 960);
  const Plan by_channels = *make_plan(deep, target, kernel_catalog(), layers);
  EXPECT_GT(channel_ranges(by_channels, "conv_2d"), 1);
  EXPECT_EQ(channel_ranges(by_channels, "depthwise_conv_2d"),
            channel_ranges(by_channels, "conv_2d"));
  const Graph wide = *testing::inverted_residual(56, 56, 16, 96);
  const Plan by_rows = *make_plan(wide, target, kernel_catalog(), layers);
  EXPECT_EQ(channel_ranges(by_rows, "conv_2d"), 1);
  EXPECT_EQ(channel_ranges(by_rows, "depthwise_conv_2d"), 1);
}

TEST(Plan, HugeResizesNeedNoDescriptionOfEachRow) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kU8, {1, 1, 1, 1}), y = b.activation("y", DType::kU8, {});
  ResizeParams p;
  p.fn = ResizeFn::kNearest;
  p.out_h = INT32_MAX;
  p.out_w = 1;
  b.op(OpKind::kResize, p, {x}, {y});
  const Result<Graph> graph = b.finish({y});
  ASSERT_TRUE(graph) << graph.error().message;
  const Result<Plan> plan = make_plan(*graph, Target{}, kernel_catalog());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_LT(plan->program.steps[0].members[0].params.size(), 10'000u);
}

TEST(Plan, TheValueOfAPadIsAnOperand) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, 4});
  const TensorId value = b.constant("value", DType::kF32, {1});
  const TensorId y = b.activation("y", DType::kF32, {});
  b.op(OpKind::kPad, PadParams{PadFn::kConstant, {0, 1}, {0, 2}}, {x, kNoTensor, value}, {y});
  const Result<Graph> graph = b.finish({y});
  ASSERT_TRUE(graph) << graph.error().message;
  const Result<Plan> plan = make_plan(*graph, invented_target(), kernel_catalog());
  EXPECT_TRUE(plan) << plan.error().message;
}

TEST(Plan, ReshapesAreViewsAndOutputsAreWrittenInPlace) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {2, 6});
  const TensorId r = b.activation("r", DType::kF32, {3, 4});
  b.op(OpKind::kReshape, ReshapeParams{{3, 4}}, {x}, {r});
  const TensorId y = b.activation("y", DType::kF32, {3, 4});
  b.op(OpKind::kUnary, UnaryParams{UnaryFn::kNeg, 0}, {r}, {y});
  const TensorId z = b.activation("z", DType::kF32, {12});
  b.op(OpKind::kReshape, ReshapeParams{{12}}, {y}, {z});
  // x itself is an output too: only that one needs a copy.
  const Result<Graph> graph = b.finish({z, r});
  ASSERT_TRUE(graph) << graph.error().message;
  const Result<Plan> plan = make_plan(*graph, Target{}, kernel_catalog());
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->program.steps.size(), 2u);
  EXPECT_EQ(plan->program.steps[0].op, "neg");
  EXPECT_EQ(plan->program.steps[0].members[0].in[0].buffer.space, Space::kInput);
  EXPECT_EQ(plan->program.steps[0].members[0].out[0].buffer.space, Space::kOutput);
  EXPECT_EQ(plan->program.steps[1].op, "copy");
  EXPECT_EQ(plan->program.arena_bytes, 0);
}

}  // namespace
}  // namespace pj
