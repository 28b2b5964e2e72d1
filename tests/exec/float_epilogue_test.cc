// Float layers with sums and slopes behind them, which join their kernels, against the
// reference kernels of both, one after the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "runtime/passes/evaluate.h"
#include "runtime/plan/bands.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

constexpr int32_t kHeight = 9, kWidth = 31;

struct Layer {
  const char* name;
  OpKind kind;
  OpParams params;
  Shape input, weights, output;
};

std::vector<Layer> layers() {
  auto same = [](auto params) {
    params.padding.mode = PadMode::kSame;
    return params;
  };
  const Conv2DParams conv = same(Conv2DParams{});
  const DepthwiseConv2DParams depthwise = same(DepthwiseConv2DParams{});
  const auto image = [](int32_t channels) { return Shape{1, kHeight, kWidth, channels}; };
  return {
      {"pointwise", OpKind::kConv2D, conv, image(20), {83, 1, 1, 20}, image(83)},
      {"3x3", OpKind::kConv2D, conv, image(5), {40, 3, 3, 5}, image(40)},
      {"to 8 channels", OpKind::kConv2D, conv, image(16), {7, 3, 3, 16}, image(7)},
      {"to 2 channels", OpKind::kConv2D, conv, image(33), {2, 1, 1, 33}, image(2)},
      {"depthwise 3x3", OpKind::kDepthwiseConv2D, depthwise, image(21), {1, 3, 3, 21}, image(21)},
      {"depthwise 7x7", OpKind::kDepthwiseConv2D, depthwise, image(21), {1, 7, 7, 21}, image(21)},
      {"fully connected",
       OpKind::kFullyConnected,
       FullyConnectedParams{},
       {99, 64},
       {70, 64},
       {99, 70}},
  };
}

enum class Behind { kSum, kPRelu };

Graph make_graph(const Layer& layer, Behind behind) {
  testing::GraphBuilder b;
  const DType f32 = DType::kF32;
  const TensorId x = b.input("x", f32, layer.input);
  const TensorId other = b.input("other", f32, layer.output);
  const TensorId w = b.constant("w", f32, layer.weights);
  const TensorId y = b.activation("y", f32, {}), z = b.activation("z", f32, {});
  b.op(layer.kind, layer.params, {x, w}, {y});
  switch (behind) {
    case Behind::kSum:
      b.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kRelu6}, {other, y}, {z});
      break;
    case Behind::kPRelu:
      b.op(OpKind::kPRelu, NoParams{}, {y, b.constant("slopes", f32, {layer.output.back(0)})}, {z});
      break;
  }
  auto graph = b.finish({z});
  EXPECT_TRUE(graph) << graph.error().message;
  return *graph;
}

std::vector<float> floats_of(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<float> by_reference(Graph graph, const Session& session) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    Tensor& t = graph.tensor(graph.inputs[i]);
    t.constant = true;
    t.data = SharedBytes::copy_of(const_cast<Session&>(session).input_data(i));
  }
  for (const Op& op : graph.ops) {
    const auto values = evaluate(graph, op);
    EXPECT_TRUE(values);
    graph.tensor(op.outputs[0]).data = (*values)[0];
  }
  return floats_of(graph.tensor(graph.outputs[0]).data.bytes);
}

// Levels whose float convolutions add and scale what they have just stored.
bool has_level(const char* level) {
  return (host_cpu().isa & built_isa()).includes(*isa_by_name(level));
}
constexpr const char* kAddingLevels[] = {"avx2", "avx512", "neon"};

void check(const Layer& layer, Behind behind, const std::string& level) {
  SCOPED_TRACE(std::string(layer.name) + ", " + std::to_string(static_cast<int>(behind)) + ", " +
               level);
  const Graph graph = make_graph(layer, behind);
  ModelOptions options;
  options.target = target_of(host_cpu(), *isa_by_name(level));
  auto model = Model::create(graph, options);
  ASSERT_TRUE(model) << model.error().message;
  for (const int threads : {1, 2}) {
    auto session = Session::create(*model, {.threads = threads});
    ASSERT_TRUE(session);
    testing::GraphBuilder random(5);
    for (size_t i = 0; i < (*session)->input_count(); ++i)
      random.fill(DType::kF32, (*session)->input_data(i));
    EXPECT_EQ((*session)->program().steps.size(), 1u) << "it was not fused";
    ASSERT_TRUE((*session)->run());
    const std::vector<float> actual = floats_of((*session)->output_data(0));
    const std::vector<float> expected = by_reference(graph, **session);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
      ASSERT_NEAR(actual[i], expected[i], 2e-5f * std::max(1.0f, std::fabs(expected[i]))) << i;
  }
}

TEST(FloatEpilogue, GivesWhatTheOperatorBehindWouldGive) {
  for (const char* level : kAddingLevels) {
    if (!has_level(level)) continue;
    for (const Layer& layer : layers())
      for (const Behind behind : {Behind::kSum, Behind::kPRelu}) check(layer, behind, level);
  }
}

// Rows of a strip are shorter than those of the tensor that a sum adds: in front of another member
// such a layer is not cut.
TEST(FloatEpilogue, AddsWholeTensorsInBands) {
  if (std::none_of(std::begin(kAddingLevels), std::end(kAddingLevels), has_level))
    GTEST_SKIP() << "no level here adds in a convolution";
  testing::GraphBuilder b;
  const DType f32 = DType::kF32;
  auto same = Conv2DParams{};
  same.padding.mode = PadMode::kSame;
  auto depthwise = DepthwiseConv2DParams{};
  depthwise.padding.mode = PadMode::kSame;
  const TensorId x = b.input("x", f32, {1, 16, 32, 8});
  const TensorId other = b.input("other", f32, {1, 16, 32, 16});
  const TensorId y = b.activation("y", f32, {}), z = b.activation("z", f32, {});
  const TensorId sum = b.activation("sum", f32, {});
  b.op(OpKind::kConv2D, same, {x, b.constant("w", f32, {16, 3, 3, 8})}, {y});
  b.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone}, {y, other}, {sum});
  b.op(OpKind::kDepthwiseConv2D, depthwise, {sum, b.constant("v", f32, {1, 3, 3, 16})}, {z});
  const auto graph = b.finish({z});
  ASSERT_TRUE(graph);
  auto run = [&](std::vector<BandChoice> chosen, size_t bands) {
    ModelOptions options;
    options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
    options.chosen = PlanChoices{.bands = std::move(chosen)};
    auto session = *Session::create(*Model::create(*graph, options), {});
    EXPECT_EQ(bands_of(session->program()).size(), bands);
    testing::GraphBuilder random(5);
    for (size_t i = 0; i < 2; ++i) random.fill(f32, session->input_data(i));
    EXPECT_TRUE(session->run());
    return floats_of(session->output_data(0));
  };
  const std::vector<float> expected = run({}, 0);
  const std::vector<float> in_rows = run({{.op = 0, .members = 2, .rows = 4, .cols = 0}}, 1);
  const std::vector<float> in_strips = run({{.op = 0, .members = 2, .rows = 4, .cols = 8}}, 0);
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(expected[i], in_rows[i], 1e-5f) << i;
    ASSERT_NEAR(expected[i], in_strips[i], 1e-5f) << i;
  }
}

// Kernels may have an order of instructions for cores that do not reorder them.
TEST(FloatConvolution, OrdersOfInstructionsAgree) {
  for (const int32_t width : {1, 2, 4, 5, 6, 7, 8, 9, 10, 19}) {
    for (const int32_t in_c : {3, 4, 21}) {
      SCOPED_TRACE(std::to_string(width) + " columns, " + std::to_string(in_c) + " channels");
      testing::GraphBuilder b;
      const DType f32 = DType::kF32;
      Conv2DParams p;
      p.padding.mode = PadMode::kSame;
      const TensorId x = b.input("x", f32, {1, 3, width, in_c});
      std::vector<TensorId> outputs;
      for (const int32_t out_c : {6, 35}) {
        for (const int32_t k : {1, 3}) {
          outputs.push_back(b.activation("y" + std::to_string(outputs.size()), f32, {}));
          b.op(OpKind::kConv2D, p, {x, b.constant("w", f32, {out_c, k, k, in_c})},
               {outputs.back()});
        }
      }
      const auto graph = b.finish(outputs);
      ASSERT_TRUE(graph);
      std::vector<std::vector<float>> results[2];
      for (const bool in_order : {false, true}) {
        ModelOptions options;
        options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
        options.target.in_order = in_order;
        auto model = Model::create(*graph, options);
        ASSERT_TRUE(model);
        auto session = Session::create(*model, {});
        ASSERT_TRUE(session);
        testing::GraphBuilder(5).fill(f32, (*session)->input_data(0));
        ASSERT_TRUE((*session)->run());
        for (size_t i = 0; i < outputs.size(); ++i)
          results[in_order].push_back(floats_of((*session)->output_data(i)));
      }
      for (size_t o = 0; o < outputs.size(); ++o)
        for (size_t i = 0; i < results[0][o].size(); ++i)
          ASSERT_NEAR(results[0][o][i], results[1][o][i], 1e-4f) << o << ", " << i;
    }
  }
}

}  // namespace
}  // namespace pj
