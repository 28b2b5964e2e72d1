// What is written is read back, in place, and always as the same bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "runtime/base/file.h"
#include "tests/format/graphs.h"
#include "tests/support/temporary.h"

namespace pj {
namespace {

Result<ModelFile> write_and_read(const Graph& graph, std::span<const TargetRecord> targets = {}) {
  PJ_ASSIGN(const std::vector<std::byte> file, serialize_model(graph, targets));
  return read_model(SharedBytes::copy_of(file));
}

std::vector<std::byte> bytes_of(const Graph& graph, std::span<const TargetRecord> targets = {}) {
  auto file = serialize_model(graph, targets);
  EXPECT_TRUE(file) << file.error().message;
  return file ? *file : std::vector<std::byte>();
}

TargetRecord bare_target() {
  TargetRecord t;
  t.name = "bare";
  return t;
}

Graph inferred(Graph graph) {
  const Status valid = validate(graph);
  EXPECT_TRUE(valid) << valid.error().message;
  if (valid) {
    const Status shapes = infer_shapes(graph);
    EXPECT_TRUE(shapes) << shapes.error().message;
  }
  return graph;
}

TEST(RoundTrip, EveryOperatorKeepsItsAttributes) {
  const Graph graph = inferred(graph_of_all_operators());
  std::set<OpKind> kinds;
  for (const Op& op : graph.ops) kinds.insert(op.kind);
  ASSERT_EQ(kinds.size(), static_cast<size_t>(kOpKindCount)) << "an operator is missing above";
  const auto model = write_and_read(graph);
  ASSERT_TRUE(model) << model.error().message;
  expect_equal(graph, model->graph);
}

TEST(RoundTrip, QuantizedGraphAndTargets) {
  const Graph graph = inferred(small_graph());
  const TargetRecord targets[] = {small_target(), bare_target()};
  const auto file = serialize_model(graph, targets, "test 1.2");
  ASSERT_TRUE(file) << file.error().message;
  const auto model = read_model(SharedBytes::copy_of(*file));
  ASSERT_TRUE(model) << model.error().message;
  expect_equal(graph, model->graph);
  ASSERT_EQ(model->targets.size(), 2u);
  expect_equal(targets[0], model->targets[0]);
  expect_equal(targets[1], model->targets[1]);
  EXPECT_EQ(model->producer, "test 1.2");
}

TEST(RoundTrip, FileInfoDescribesTheSections) {
  const TargetRecord targets[] = {bare_target(), small_target()};
  const auto file = SharedBytes::copy_of(bytes_of(small_graph(), targets));
  const auto model = read_model(file);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->info.major, 1);
  EXPECT_EQ(model->info.file_bytes, file.bytes.size());
  ASSERT_EQ(model->info.sections.size(), 2u);  // a target without packed weights has none
  const SectionInfo& weights = model->info.sections[0];
  const SectionInfo& packed = model->info.sections[1];
  EXPECT_EQ(weights.kind, SectionKind::kWeights);
  EXPECT_EQ(weights.target, -1);
  // 72 bytes of int8, 16 of bias at 128, 48 of float at 192.
  EXPECT_EQ(weights.size, 240u);
  EXPECT_EQ(packed.kind, SectionKind::kPacked);
  EXPECT_EQ(packed.target, 1);
  EXPECT_EQ(packed.offset, weights.offset + 256);
  EXPECT_EQ(packed.size, 228u);  // 77 bytes, and 100 at 128
  EXPECT_EQ(packed.offset + packed.size, file.bytes.size());
  EXPECT_TRUE(verify_sections(file));
}

bool lies_in(std::span<const std::byte> part, std::span<const std::byte> whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

TEST(RoundTrip, ConstantsAreUsedInPlaceAndAligned) {
  const TargetRecord target = small_target();
  const auto file = SharedBytes::copy_of(bytes_of(small_graph(), {&target, 1}));
  const auto model = read_model(file);
  ASSERT_TRUE(model) << model.error().message;
  std::vector<SharedBytes> blocks;
  for (const Tensor& t : model->graph.tensors)
    if (t.constant) blocks.push_back(t.data);
  for (const PackedEntry& p : model->targets[0].packed) blocks.push_back(p.data);
  ASSERT_EQ(blocks.size(), 6u);
  for (const SharedBytes& b : blocks) {
    EXPECT_TRUE(lies_in(b.bytes, file.bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(b.bytes.data()) % 64, 0u);
    EXPECT_EQ(b.owner, file.owner);
  }
}

TEST(RoundTrip, ConstantsKeepTheFileAlive) {
  auto model = write_and_read(small_graph());
  ASSERT_TRUE(model) << model.error().message;
  const SharedBytes bias = model->graph.tensors[2].data;
  model = error(ErrorCode::kWrongState, "gone");
  int32_t last;
  std::memcpy(&last, bias.bytes.data() + 12, sizeof last);
  EXPECT_EQ(last, 1000000);
}

TEST(RoundTrip, EqualConstantsAreStoredOnce) {
  auto graph_with = [](float first, float second) {
    GraphBuilder b;
    const TensorId x = b.input({1000});
    const TensorId sum = b.op(OpKind::kBinary, BinaryParams{}, {x, b.weights({1000}, first)})[0];
    b.op(OpKind::kBinary, BinaryParams{}, {sum, b.weights({1000}, second)});
    return b.graph;
  };
  const auto same = write_and_read(graph_with(1, 1));
  const auto different = write_and_read(graph_with(1, 2));
  ASSERT_TRUE(same && different);
  EXPECT_EQ(same->info.sections[0].size, 4000u);
  EXPECT_EQ(different->info.sections[0].size, 4032u + 4000u);
  EXPECT_EQ(same->graph.tensors[1].data.bytes.data(), same->graph.tensors[3].data.bytes.data());
  expect_equal(inferred(graph_with(1, 2)), different->graph);
}

TEST(RoundTrip, GraphWithoutOperators) {
  GraphBuilder b;
  b.graph.outputs = {b.input({2, 3})};
  const auto model = write_and_read(b.graph);
  ASSERT_TRUE(model) << model.error().message;
  expect_equal(b.graph, model->graph);
  EXPECT_EQ(model->info.sections[0].size, 0u);
}

TEST(RoundTrip, ScalarsUnknownDimsAndEmptyTensors) {
  GraphBuilder b;
  const TensorId x = b.input({kUnknownDim, 3, kUnknownDim});
  const TensorId y =
      b.op(OpKind::kBinary, BinaryParams{BinaryFn::kMul}, {x, b.weights(Shape{}, 7)})[0];
  const TensorId empty = b.weights({0, 3, 1});
  b.op(OpKind::kConcat, ConcatParams{0}, {empty, b.input({1, 3, 1})});
  const Graph graph = inferred(b.graph);
  ASSERT_EQ(graph.tensor(y).shape, (Shape{kUnknownDim, 3, kUnknownDim}));
  const auto model = write_and_read(graph);
  ASSERT_TRUE(model) << model.error().message;
  expect_equal(graph, model->graph);
  EXPECT_TRUE(model->graph.tensor(empty).constant);
  EXPECT_FLOAT_EQ(model->graph.tensor(1).as<float>()[0], 7.0f);
}

TEST(RoundTrip, FloatsKeepTheirBits) {
  using Limits = std::numeric_limits<float>;
  for (float alpha : {0.0f, -0.0f, 0.1f, Limits::denorm_min(), -Limits::max()}) {
    GraphBuilder b;
    b.op(OpKind::kUnary, UnaryParams{UnaryFn::kLeakyRelu, alpha}, {b.input({4})});
    const auto model = write_and_read(b.graph);
    ASSERT_TRUE(model) << alpha << ": " << model.error().message;
    EXPECT_EQ(attributes_text(b.graph.ops[0]), attributes_text(model->graph.ops[0]));
  }
}

TEST(RoundTrip, NamesMayHoldAnything) {
  GraphBuilder b;
  b.graph.outputs = {b.input({1})};
  b.graph.tensors[0].name = std::string("zero\0inside\xff", 12);
  b.graph.name = std::string(3000, 'n');
  const auto model = write_and_read(b.graph);
  ASSERT_TRUE(model) << model.error().message;
  expect_equal(b.graph, model->graph);
}

TEST(Writer, IsDeterministic) {
  const TargetRecord targets[] = {small_target(), small_target()};
  for (const Graph& graph : {small_graph(), graph_of_all_operators()}) {
    const std::vector<std::byte> first = bytes_of(graph, targets);
    EXPECT_EQ(first, bytes_of(graph, targets));
    const auto model = read_model(SharedBytes::copy_of(first));
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(first, bytes_of(model->graph, model->targets));
  }
}

TEST(Writer, WritesTheSameBytesToAFile) {
  const std::string path = testing::temporary_path("round_trip.pj");
  const TargetRecord target = small_target();
  const Status written = write_model(path, small_graph(), {&target, 1});
  ASSERT_TRUE(written) << written.error().message;
  const auto map = MappedFile::open(path);
  ASSERT_TRUE(map) << map.error().message;
  const std::vector<std::byte> file((*map)->bytes().begin(), (*map)->bytes().end());
  EXPECT_EQ(file, bytes_of(small_graph(), {&target, 1}));
  EXPECT_TRUE(looks_like_pj((*map)->bytes()));
  const auto model = read_model({(*map)->bytes(), *map});
  EXPECT_TRUE(model) << model.error().message;
  std::remove(path.c_str());
}

TEST(Writer, RefusesWhatCouldNotBeRead) {
  Graph no_output = small_graph();
  no_output.outputs.clear();
  EXPECT_EQ(serialize_model(no_output).error().code, ErrorCode::kModelInvalid);

  Graph nan = graph_of_all_operators();
  for (Op& op : nan.ops)
    if (op.kind == OpKind::kSoftmax) op.as<SoftmaxParams>().beta = std::nanf("");
  EXPECT_EQ(serialize_model(nan).error().code, ErrorCode::kModelInvalid);

  auto refused = [](auto change) {
    TargetRecord target = small_target();
    change(target);
    const auto file = serialize_model(small_graph(), {&target, 1});
    return !file && file.error().code == ErrorCode::kInvalidArgument &&
           file.error().message.find("'invented'") != std::string::npos;
  };
  EXPECT_TRUE(refused([](TargetRecord& t) { t.choices[1].op = 3; }));
  EXPECT_TRUE(refused([](TargetRecord& t) { t.packed[1].op = -1; }));
  EXPECT_TRUE(refused([](TargetRecord& t) { t.cores = 0; }));
  EXPECT_TRUE(refused([](TargetRecord& t) { t.l2_bytes = -1; }));
}

TEST(Writer, ReportsAnUnwritablePath) {
  const Status status = write_model("/nonexistent/folder/model.pj", small_graph());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kFileUnwritable);
}

}  // namespace
}  // namespace pj
