// The builtin topologies: their names, their sizes against the published ones, and that every one
// runs in every type, with outputs that say something.
#include "models/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "converters/named/named.h"
#include "converters/tflite/export.h"
#include "models/builders/random.h"
#include "runtime/base/checksum.h"
#include "runtime/exec/session.h"
#include "runtime/graph/op_table.h"

namespace pj {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Graph build(const std::string& name) {
  const Result<TopologySpec> spec = parse_topology(name);
  EXPECT_TRUE(spec) << spec.error().message;
  if (!spec) return {};
  Result<Graph> graph = build_topology(*spec);
  EXPECT_TRUE(graph) << name << ": " << graph.error().message;
  return graph ? std::move(*graph) : Graph();
}

uint32_t constants_checksum(const Graph& graph) {
  uint32_t crc = 0;
  for (const Tensor& t : graph.tensors) crc = crc32(t.data.bytes, crc);
  return crc;
}

// --- names ---------------------------------------------------------------------------------------

TEST(TopologyName, PartsMayComeInAnyOrder) {
  for (const char* name : {"mobilenet_v2-f16-192-0.5x", "mobilenet_v2-0.5x-192-f16"}) {
    const Result<TopologySpec> spec = parse_topology(name);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(canonical_name(*spec), "mobilenet_v2-f16-192-0.5x");
  }
  const Result<TopologySpec> spec = parse_topology("mobilenet_v2");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(canonical_name(*spec), "mobilenet_v2-int8-224-1x");
  EXPECT_EQ(build("mobilenet_v2-0.35x-96").name, "mobilenet_v2-int8-96-0.35x");
}

TEST(TopologyName, MistakesAreNamedWithWhatIsAllowed) {
  const struct {
    const char *name, *message;
  } mistakes[] = {
      {"nothing", "there is no model 'nothing'; there are: builtin:fashion builtin:mobilenet_v1"},
      {"", "there is no model ''"},
      {"resnet18-fp32", "'fp32' is no type (f32, f16, int8), no size (224) and no width (0.5x)"},
      {"resnet18-", "'' is no type"},
      {"resnet18--f32", "'' is no type"},
      {"resnet18-16", "size 16; that of resnet18 is from 32 to 1024"},
      {"resnet18-99999999999", "'99999999999' is no type"},
      {"fastdepth-100", "a multiple of 32 from 32 to 1024"},
      {"dscnn-50", "dscnn has a fixed size, leave it out"},
      {"resnet18-9x", "width 9x; it is from 0.1x to 2x"},
      {"resnet18-nanx", "width nanx"},
      {"resnet18-x", "'x' is no type"},
      {"resnet18-f32-int8", "'int8' is the second of its kind"},
      {"resnet18-64-96", "'96' is the second of its kind"},
  };
  for (const auto& mistake : mistakes) {
    const Result<TopologySpec> spec = parse_topology(mistake.name);
    ASSERT_FALSE(spec) << mistake.name;
    EXPECT_EQ(spec.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(spec.error().message, HasSubstr(mistake.message));
  }
}

TEST(TopologyName, LoadNamedKnowsThem) {
  const Result<LoadedFile> file = load_named("builtin:dscnn");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->kind, FileKind::kTopology);
  const Result<LoadedFile> wrong = load_named("builtin:dscnn-f99");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, AllOf(HasSubstr("builtin:dscnn-f99: "), HasSubstr("'f99'")));
}

TEST(TopologyName, ChannelsAreMultiplesOfEight) {
  const auto scaled = [](float width, int32_t channels) {
    return TopologySpec{.width = width}.scaled(channels);
  };
  EXPECT_EQ(scaled(1, 24), 24);
  EXPECT_EQ(scaled(0.1f, 16), 8);
  EXPECT_EQ(scaled(0.5f, 24), 16);  // 12 would round to 8, too far below
  EXPECT_EQ(scaled(0.75f, 32), 24);
}

// --- sizes ---------------------------------------------------------------------------------------

struct Published {
  const char* name;
  double macs, weights;  // millions
};

// Papers and model cards; their way of counting differs by the biases and activations.
constexpr Published kPublished[] = {
    {"mobilenet_v1", 569, 4.24},       {"mobilenet_v2", 300, 3.5}, {"mobilenet_v3_large", 219, 5.4},
    {"efficientnet_lite0", 407, 4.65}, {"resnet18", 1814, 11.7},   {"resnet50", 4089, 25.6},
    {"squeezenet", 349, 1.24},         {"dscnn", 2.66, 0.0227},    {"fastdepth", 740, 3.93},
};

TEST(Topology, SizesAreThePublishedOnes) {
  for (const Published& p : kPublished) {
    const Graph graph = build(p.name);
    double macs = 0, weights = 0;
    for (const Op& op : graph.ops) macs += static_cast<double>(mac_count(graph, op));
    for (const Tensor& t : graph.tensors)
      if (t.constant) weights += static_cast<double>(elements(t.shape));
    EXPECT_NEAR(macs * 1e-6, p.macs, 0.055 * p.macs) << p.name;
    EXPECT_NEAR(weights * 1e-6, p.weights, 0.03 * p.weights) << p.name;
  }
}

// --- runs ----------------------------------------------------------------------------------------

// Every topology in every type, as small as it may be, and narrow.
std::vector<std::string> small_names() {
  std::vector<std::string> names;
  for (const Topology& t : topologies())
    for (const char* type : {"f32", "f16", "int8"})
      names.push_back(fmt::format("{}-{}-{}-0.5x", t.name, type, t.min_size));
  return names;
}

class SmallTopology : public ::testing::TestWithParam<std::string> {};

void fill(Session& session) {
  const std::span<std::byte> memory = session.input_data(0);
  if (session.input(0).dtype == DType::kF32) {
    fill_units(7, {reinterpret_cast<float*>(memory.data()), memory.size() / sizeof(float)});
  } else {
    fill_bytes(7, {reinterpret_cast<int8_t*>(memory.data()), memory.size()});
  }
}

// The real values of the only output; empty after a failure, which is reported.
std::vector<float> run(Graph graph, std::vector<std::byte>* raw = nullptr) {
  LoadedFile file;
  file.graph = std::move(graph);
  const Result<std::shared_ptr<Model>> model = make_model(std::move(file));
  EXPECT_TRUE(model) << model.error().message;
  if (!model) return {};
  const Result<std::unique_ptr<Session>> session = Session::create(*model, {});
  EXPECT_TRUE(session) << session.error().message;
  if (!session) return {};
  fill(**session);
  const Status status = (*session)->run();
  EXPECT_TRUE(status) << status.error().message;
  const std::span<const std::byte> bytes = (*session)->output_data(0);
  if (raw != nullptr) raw->assign(bytes.begin(), bytes.end());
  const Tensor& t = (*session)->output(0);
  std::vector<float> values(static_cast<size_t>(elements(t.shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    if (t.dtype == DType::kF32) {
      values[i] = reinterpret_cast<const float*>(bytes.data())[i];
    } else {
      const int32_t q = reinterpret_cast<const int8_t*>(bytes.data())[i];
      values[i] = t.quant.scale[0] * static_cast<float>(q - t.quant.zero_point[0]);
    }
  }
  return values;
}

TEST_P(SmallTopology, IsTheSameEveryTime) {
  const Graph graph = build(GetParam());
  EXPECT_EQ(constants_checksum(graph), constants_checksum(build(GetParam())));
  EXPECT_TRUE(validate(graph));
}

TEST_P(SmallTopology, OutputsVaryAndAreNeitherHugeNorTiny) {
  const std::vector<float> values = run(build(GetParam()));
  ASSERT_FALSE(values.empty());
  double sum = 0, squares = 0;
  for (float v : values) {
    ASSERT_TRUE(std::isfinite(v));
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const auto n = static_cast<double>(values.size());
  const double deviation = std::sqrt(squares / n - sum / n * (sum / n));
  EXPECT_GT(deviation, 0.03);
  EXPECT_LT(deviation, 10);
}

TEST_P(SmallTopology, OutputsAreNeitherConstantNorSaturated) {
  const std::vector<float> values = run(build(GetParam()));
  const std::set<float> distinct(values.begin(), values.end());
  ASSERT_GE(distinct.size(), std::min<size_t>(values.size() / 2, 10));
  const auto smallest = std::count(values.begin(), values.end(), *distinct.begin());
  const auto largest = std::count(values.begin(), values.end(), *distinct.rbegin());
  // ReLU makes zeros of about half.
  EXPECT_LE(smallest, static_cast<std::ptrdiff_t>(values.size() * 2 / 3));
  EXPECT_LE(largest, 1 + static_cast<std::ptrdiff_t>(values.size() / 20));
}

TEST_P(SmallTopology, ExportAndImportKeepTheBits) {
  const Graph graph = build(GetParam());
  const Result<SharedBytes> file = export_tflite(graph, "test");
  ASSERT_TRUE(file) << file.error().message;
  Result<LoadedFile> loaded = load_bytes(*file, "exported");
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->graph.name, graph.name);
  std::vector<std::byte> before, after;
  run(graph, &before);
  run(std::move(loaded->graph), &after);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(before, after);
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(All, SmallTopology, ::testing::ValuesIn(small_names()), test_name);

}  // namespace
}  // namespace pj
