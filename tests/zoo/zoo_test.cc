// Whole real models against their golden outputs: from .tflite and from .pj, with 1 and 2 threads.
#include "tests/support/zoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "converters/load/load.h"
#include "converters/load/pack_target.h"
#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "runtime/passes/passes.h"
#include "tests/support/temporary.h"

namespace pj {
namespace {

using testing::ZooModel;
using Outputs = std::vector<std::vector<std::byte>>;

std::unique_ptr<Session> session_for(std::shared_ptr<Model> model, const ZooModel& zoo,
                                     int threads) {
  auto session = Session::create(std::move(model), {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  if (!session) return nullptr;
  EXPECT_EQ((*session)->input_count(), zoo.inputs.size());
  for (size_t i = 0; i < zoo.inputs.size(); ++i) {
    const std::vector<std::byte> bytes = testing::read_bytes(zoo.inputs[i]);
    const std::span<std::byte> memory = (*session)->input_data(i);
    EXPECT_EQ(memory.size(), bytes.size());
    std::copy_n(bytes.begin(), std::min(bytes.size(), memory.size()), memory.begin());
  }
  return std::move(*session);
}

Outputs run(Session& session) {
  const Status status = session.run();
  EXPECT_TRUE(status) << status.error().message;
  Outputs outputs;
  for (size_t i = 0; i < session.output_count(); ++i) {
    const auto data = session.output_data(i);
    outputs.emplace_back(data.begin(), data.end());
  }
  return outputs;
}

std::vector<float> as_floats(const std::vector<std::byte>& bytes) {
  std::vector<float> v(bytes.size() / sizeof(float));
  std::memcpy(v.data(), bytes.data(), v.size() * sizeof(float));
  return v;
}

void expect_within_units(const std::vector<std::byte>& actual,
                         const std::vector<std::byte>& expected, bool is_signed) {
  ASSERT_EQ(actual.size(), expected.size());
  int worst = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    auto value = [&](std::byte b) {
      return is_signed ? static_cast<int>(static_cast<int8_t>(b)) : static_cast<int>(b);
    };
    worst = std::max(worst, std::abs(value(actual[i]) - value(expected[i])));
  }
  EXPECT_LE(worst, 1);
}

// Relative to the range of the golden output.
void expect_within_range(const std::vector<std::byte>& actual,
                         const std::vector<std::byte>& expected, float tolerance) {
  const std::vector<float> a = as_floats(actual), e = as_floats(expected);
  ASSERT_EQ(a.size(), e.size());
  const auto [low, high] = std::minmax_element(e.begin(), e.end());
  float worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - e[i]));
  // A single value has no range but its size.
  const float range = e.size() == 1 ? std::fabs(e[0]) : *high - *low;
  EXPECT_LE(worst, tolerance * range);
  EXPECT_FALSE(std::any_of(a.begin(), a.end(), [](float v) { return std::isnan(v); }));
}

// Boxes, classes, scores, count: the same decisions, boxes and scores within 1e-2.
void expect_same_detections(const Outputs& actual, const std::vector<std::vector<std::byte>>& e) {
  ASSERT_EQ(actual.size(), 4u);
  EXPECT_EQ(as_floats(actual[1]), as_floats(e[1]));
  EXPECT_EQ(as_floats(actual[3]), as_floats(e[3]));
  for (size_t i : {size_t{0}, size_t{2}}) {
    const std::vector<float> a = as_floats(actual[i]), g = as_floats(e[i]);
    ASSERT_EQ(a.size(), g.size());
    for (size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], g[k], 1e-2f) << "output " << i;
  }
}

void expect_golden(const ZooModel& zoo, const Outputs& outputs) {
  ASSERT_EQ(outputs.size(), zoo.outputs.size());
  std::vector<std::vector<std::byte>> golden;
  for (const std::string& path : zoo.outputs) golden.push_back(testing::read_bytes(path));
  if (zoo.name == "ssd_mobilenet_v1_uint8") return expect_same_detections(outputs, golden);
  for (size_t i = 0; i < outputs.size(); ++i) {
    SCOPED_TRACE("output " + std::to_string(i));
    if (zoo.output_types[i] == "float32") {
      expect_within_range(outputs[i], golden[i], zoo.numeric == "fp16-weights" ? 1e-2f : 1e-4f);
    } else {
      expect_within_units(outputs[i], golden[i], zoo.output_types[i] == "int8");
    }
  }
}

bool integer(const ZooModel& zoo) { return zoo.numeric.find("int8") != std::string::npos; }

std::vector<ZooModel> tflite_models() {
  std::vector<ZooModel> models = testing::zoo_models();
  std::erase_if(models, [](const ZooModel& m) { return !m.tflite(); });
  return models;
}

LoadOptions own_kernels() {
  LoadOptions options;
  options.xnnpack = XnnpackMode::kOff;
  return options;
}

class Zoo : public ::testing::TestWithParam<ZooModel> {};

TEST_P(Zoo, ReachesItsGoldenOutputs) {
  const ZooModel& zoo = GetParam();
  auto model = load_model(zoo.path, own_kernels());
  ASSERT_TRUE(model) << model.error().message;
  auto session = session_for(*model, zoo, 1);
  ASSERT_NE(session, nullptr);
  const Outputs one = run(*session);
  expect_golden(zoo, one);
  EXPECT_EQ(run(*session), one) << "a second run differs";
  const Program& program = session->program();
  EXPECT_LE(static_cast<double>(program.arena_bytes),
            1.1 * static_cast<double>(program.arena_lower_bound));

  const Outputs two = run(*session_for(*model, zoo, 2));
  if (integer(zoo)) {
    EXPECT_EQ(two, one) << "2 threads differ";
  } else {
    expect_golden(zoo, two);
  }
}

TEST_P(Zoo, ReachesItsGoldenOutputsWithXnnpack) {
  if (xnnpack_generation() == nullptr) GTEST_SKIP() << "this build has no XNNPACK";
  const ZooModel& zoo = GetParam();
  LoadOptions options;
  options.xnnpack = XnnpackMode::kOnly;
  auto model = load_model(zoo.path, options);
  ASSERT_TRUE(model) << model.error().message;
  for (const int threads : {1, 2}) {
    auto session = session_for(*model, zoo, threads);
    ASSERT_NE(session, nullptr);
    const auto& steps = session->program().steps;
    EXPECT_TRUE(std::any_of(steps.begin(), steps.end(), [](const Step& s) { return s.prepared; }));
    const Outputs outputs = run(*session);
    expect_golden(zoo, outputs);
    if (!integer(zoo)) continue;
    auto own = load_model(zoo.path, own_kernels());
    ASSERT_TRUE(own);
    EXPECT_EQ(outputs, run(*session_for(*own, zoo, 1)));
  }
}

TEST_P(Zoo, GivesTheSameBitsFromItsPjFile) {
  const ZooModel& zoo = GetParam();
  auto loaded = load_file(zoo.path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  Graph graph = loaded->graph;
  auto model = make_model(std::move(*loaded), own_kernels());
  ASSERT_TRUE(model);
  const Outputs expected = run(*session_for(*model, zoo, 1));

  ASSERT_TRUE(run_passes(graph, nullptr));
  // Packed for this machine and for one that it is not.
  std::vector<TargetRecord> targets;
  const Target host = (*model)->options().target;
  for (const Target& t : {host, *target_by_name("neondot")}) {
    auto record = pack_for_target(graph, t);
    ASSERT_TRUE(record) << record.error().message;
    EXPECT_FALSE(record->packed.empty());
    targets.push_back(std::move(*record));
  }
  const std::string path = testing::temporary_path(zoo.name + ".pj");
  ASSERT_TRUE(write_model(path, graph, targets));
  auto packed = load_model(path, own_kernels());
  ASSERT_TRUE(packed) << packed.error().message;
  auto session = session_for(*packed, zoo, 1);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->compiled().bytes_packed_at_load, 0);
  EXPECT_EQ(run(*session), expected);
  std::filesystem::remove(path);
}

TEST_P(Zoo, KeepsItsOutputsWithF16Weights) {
  const ZooModel& zoo = GetParam();
  if (zoo.numeric != "fp32") GTEST_SKIP() << "its weights are not f32";
  auto loaded = load_file(zoo.path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  ASSERT_TRUE(run_passes(loaded->graph));
  EXPECT_GT(narrow_weights(loaded->graph), 0);
  auto half = make_model(std::move(*loaded), own_kernels());
  ASSERT_TRUE(half) << half.error().message;
  auto session = session_for(*half, zoo, 1);
  ASSERT_NE(session, nullptr);
  const Outputs outputs = run(*session);
  // The largest golden probability of this one is 0.11: 1e-2 of that is little.
  const float tolerance = zoo.name == "mobilenet_v1_025_fp32" ? 1.2e-2f : 1e-2f;
  for (size_t i = 0; i < outputs.size(); ++i)
    expect_within_range(outputs[i], testing::read_bytes(zoo.outputs[i]), tolerance);
}

INSTANTIATE_TEST_SUITE_P(Models, Zoo, ::testing::ValuesIn(tflite_models()),
                         [](const auto& info) { return info.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Zoo);

TEST(ZooFolder, IsThere) {
  if (testing::zoo_models().empty()) GTEST_SKIP() << testing::kNoZoo;
  EXPECT_EQ(tflite_models().size(), 19u);
}

}  // namespace
}  // namespace pj
