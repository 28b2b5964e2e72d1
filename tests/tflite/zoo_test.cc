// Public models from end to end: every .tflite file of the zoo imports, with the operators, names,
// shapes and quantisation that its description states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <ostream>

#include "converters/tflite/tflite.h"
#include "runtime/base/file.h"

namespace pj::test {
namespace {

struct End {
  const char* name;
  DType dtype;
  Shape shape;
};
struct ZooModel {
  const char* name;
  size_t ops;
  std::vector<End> inputs, outputs;
};

void PrintTo(const ZooModel& m, std::ostream* out) { *out << m.name; }

// -1: the file leaves the batch open.
const ZooModel kZoo[] = {
    {"mobilenet_v2_uint8",
     66,
     {{"input", DType::kU8, {1, 224, 224, 3}}},
     {{"MobilenetV2/Predictions/Softmax", DType::kU8, {1, 1001}}}},
    {"mobilenet_v1_025_fp32",
     31,
     {{"input", DType::kF32, {1, 224, 224, 3}}},
     {{"MobilenetV1/Predictions/Reshape_1", DType::kF32, {1, 1001}}}},
    {"mobilenet_v2_int8",
     68,
     {{"input", DType::kU8, {1, 224, 224, 3}}},
     {{"Identity", DType::kU8, {1, 1001}}}},
    {"ssd_mobilenet_v1_uint8",
     64,
     {{"normalized_input_image_tensor", DType::kU8, {1, 300, 300, 3}}},
     {{"TFLite_Detection_PostProcess", DType::kF32, {1, 10, 4}},
      {"TFLite_Detection_PostProcess:1", DType::kF32, {1, 10}},
      {"TFLite_Detection_PostProcess:2", DType::kF32, {1, 10}},
      {"TFLite_Detection_PostProcess:3", DType::kF32, {1}}}},
    {"face_detection_fp16w",
     164,
     {{"input", DType::kF32, {1, 128, 128, 3}}},
     {{"regressors", DType::kF32, {1, 896, 16}}, {"classificators", DType::kF32, {1, 896, 1}}}},
    {"yolox_nano_fp16w",
     841,
     {{"serving_default_images:0", DType::kF32, {1, 3, 416, 416}}},
     {{"PartitionedCall:0", DType::kF32, {1, 3549, 85}}}},
    {"selfie_segmentation_fp16w",
     246,
     {{"input_1", DType::kF32, {1, 256, 256, 3}}},
     {{"activation_10", DType::kF32, {1, 256, 256, 1}}}},
    {"deeplab_v3_fp32",
     70,
     {{"sub_7", DType::kF32, {1, 257, 257, 3}}},
     {{"ResizeBilinear_3", DType::kF32, {1, 257, 257, 21}}}},
    {"fast_depth_int8",
     67,
     {{"serving_default_input_1:0", DType::kU8, {1, 224, 224, 3}}},
     {{"StatefulPartitionedCall:0", DType::kU8, {1, 224, 224, 1}}}},
    {"kws_dscnn_int8",
     13,
     {{"input_1", DType::kI8, {-1, 49, 10, 1}}},
     {{"Identity", DType::kI8, {-1, 12}}}},
    {"micro_speech_int8",
     4,
     {{"Reshape_1", DType::kI8, {1, 1960}}},
     {{"labels_softmax", DType::kI8, {1, 4}}}},
    {"kwt1_fp32",
     612,
     {{"input_1", DType::kF32, {1, 16000}}},
     {{"sequential_12/dense_73/BiasAdd", DType::kF32, {1, 12}}}},
    {"resnet8_int8",
     16,
     {{"input_1_int8", DType::kI8, {-1, 32, 32, 3}}},
     {{"Identity_int8", DType::kI8, {-1, 10}}}},
    {"pose_landmark_fp16w",
     305,
     {{"input_1", DType::kF32, {1, 256, 256, 3}}},
     {{"Identity", DType::kF32, {1, 195}},
      {"Identity_1", DType::kF32, {1, 1}},
      {"Identity_2", DType::kF32, {1, 256, 256, 1}},
      {"Identity_3", DType::kF32, {1, 64, 64, 39}},
      {"Identity_4", DType::kF32, {1, 117}}}},
    {"resnet8_fp32",
     16,
     {{"input_1", DType::kF32, {-1, 32, 32, 3}}},
     {{"Identity", DType::kF32, {-1, 10}}}},
    {"vww_mobilenet_fp32",
     31,
     {{"input_1", DType::kF32, {-1, 96, 96, 3}}},
     {{"Identity", DType::kF32, {-1, 2}}}},
    {"vww_mobilenet_int8",
     31,
     {{"input_1_int8", DType::kI8, {-1, 96, 96, 3}}},
     {{"Identity_int8", DType::kI8, {-1, 2}}}},
    {"ad_autoencoder_fp32",
     10,
     {{"input_1", DType::kF32, {-1, 640}}},
     {{"Identity", DType::kF32, {-1, 640}}}},
    {"ad_autoencoder_int8",
     10,
     {{"input_1", DType::kI8, {-1, 640}}},
     {{"Identity", DType::kI8, {-1, 640}}}},
};

std::filesystem::path zoo_path() {
  if (const char* path = std::getenv("PJ_ZOO")) return path;
  return std::filesystem::path(PJ_SOURCE_DIR) / ".." / "shared" / "zoo";
}

Result<std::shared_ptr<const MappedFile>> open_model(const std::string& name) {
  return MappedFile::open((zoo_path() / "models" / (name + ".tflite")).string());
}

#define REQUIRE_ZOO()                                    \
  if (!std::filesystem::exists(zoo_path() / "zoo.json")) \
  GTEST_SKIP() << "no model zoo at " << zoo_path() << "; set PJ_ZOO to its folder to run this test"

void expect_ends(const Graph& g, const std::vector<TensorId>& ids, const std::vector<End>& ends) {
  ASSERT_EQ(ids.size(), ends.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(g.tensor(ids[i]).name, ends[i].name);
    EXPECT_EQ(g.tensor(ids[i]).dtype, ends[i].dtype);
    EXPECT_EQ(to_string(g.tensor(ids[i]).shape), to_string(ends[i].shape));
  }
}

class TfliteZoo : public testing::TestWithParam<ZooModel> {};

TEST_P(TfliteZoo, Imports) {
  REQUIRE_ZOO();
  const ZooModel& expected = GetParam();
  const auto file = open_model(expected.name);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const std::span<const std::byte> bytes = (*file)->bytes();
  EXPECT_TRUE(looks_like_tflite(bytes));
  const Result<Graph> g = import_tflite({bytes, *file});
  ASSERT_TRUE(g.has_value()) << g.error().message;
  EXPECT_EQ(g->ops.size(), expected.ops);
  expect_ends(*g, g->inputs, expected.inputs);
  expect_ends(*g, g->outputs, expected.outputs);
  const bool is_known = is_static(expected.inputs[0].shape);
  for (const Tensor& t : g->tensors) {
    EXPECT_EQ(is_static(t.shape), is_known || t.constant) << t.name.str();
    if (!t.constant || t.data.empty()) continue;
    EXPECT_TRUE(t.data.bytes.data() >= bytes.data() &&
                t.data.bytes.data() + t.data.bytes.size() <= bytes.data() + bytes.size())
        << t.name.str() << " was copied";
  }
}

INSTANTIATE_TEST_SUITE_P(AllModels, TfliteZoo, testing::ValuesIn(kZoo),
                         [](const auto& info) { return std::string(info.param.name); });

std::map<std::string, int> count_operators(const Graph& g) {
  std::map<std::string, int> counts;
  for (const Op& op : g.ops) ++counts[op.display_name()];
  return counts;
}

Result<Graph> import_zoo_model(const std::string& name) {
  PJ_ASSIGN(const auto file, open_model(name));
  return import_tflite({file->bytes(), file});
}

TEST(TfliteZooFacts, QuantisedClassifier) {
  REQUIRE_ZOO();
  const Result<Graph> g = import_zoo_model("mobilenet_v2_int8");
  ASSERT_TRUE(g.has_value()) << g.error().message;
  const std::map<std::string, int> expected = {{"conv_2d", 36}, {"depthwise_conv_2d", 17},
                                               {"add", 10},     {"quantize", 2},
                                               {"mean", 1},     {"reshape", 1},
                                               {"softmax", 1}};
  EXPECT_EQ(count_operators(*g), expected);
  EXPECT_EQ(g->tensor(g->inputs[0]).quant, (Quantization{{0.007843137718737125f}, {127}, 0}));
  EXPECT_EQ(g->tensor(g->outputs[0]).quant, (Quantization{{0.00390625f}, {0}, 0}));
  for (const Op& op : g->ops) {
    if (op.kind != OpKind::kConv2D && op.kind != OpKind::kDepthwiseConv2D) continue;
    const Tensor& w = g->tensor(op.inputs[1]);
    const int32_t axis = op.kind == OpKind::kConv2D ? 0 : 3;
    EXPECT_EQ(w.dtype, DType::kI8);
    EXPECT_EQ(w.quant.axis, axis) << w.name.str();
    EXPECT_EQ(w.quant.scale.size(), static_cast<size_t>(w.shape[axis])) << w.name.str();
  }
}

TEST(TfliteZooFacts, LegacyUint8Detector) {
  REQUIRE_ZOO();
  const Result<Graph> g = import_zoo_model("ssd_mobilenet_v1_uint8");
  ASSERT_TRUE(g.has_value()) << g.error().message;
  EXPECT_EQ(g->tensor(g->inputs[0]).quant, (Quantization{{0.0078125f}, {128}, 0}));
  const Op& op = g->ops.back();
  ASSERT_EQ(op.kind, OpKind::kDetectionPostProcess);
  const auto& p = op.as<DetectionParams>();
  EXPECT_EQ(p.max_detections, 10);
  EXPECT_EQ(p.num_classes, 90);
  EXPECT_EQ(p.y_scale, 10);
  EXPECT_EQ(p.h_scale, 5);
}

TEST(TfliteZooFacts, Float16WeightsAndTransposedConvolution) {
  REQUIRE_ZOO();
  const Result<Graph> g = import_zoo_model("selfie_segmentation_fp16w");
  ASSERT_TRUE(g.has_value()) << g.error().message;
  EXPECT_EQ(count_operators(*g)["dequantize"], 110);
  const Op& op = *std::find_if(g->ops.begin(), g->ops.end(),
                               [](const Op& o) { return o.kind == OpKind::kTransposeConv2D; });
  const auto& p = op.as<TransposeConv2DParams>();
  EXPECT_EQ(p.stride_h, 2);
  EXPECT_EQ(p.stride_w, 2);
  EXPECT_EQ(p.out_h, 256);
  EXPECT_EQ(p.out_w, 256);
}

TEST(TfliteZooFacts, Transformer) {
  REQUIRE_ZOO();
  const Result<Graph> g = import_zoo_model("kwt1_fp32");
  ASSERT_TRUE(g.has_value()) << g.error().message;
  const std::map<std::string, int> expected = {{"mul", 136},         {"fully_connected", 102},
                                               {"add", 98},          {"reshape", 76},
                                               {"mean", 48},         {"transpose", 36},
                                               {"sub", 25},          {"squared_difference", 24},
                                               {"rsqrt", 24},        {"softmax", 12},
                                               {"pow", 12},          {"tanh", 12},
                                               {"strided_slice", 2}, {"gather", 1},
                                               {"sqrt", 1},          {"maximum", 1},
                                               {"log", 1},           {"concat", 1}};
  EXPECT_EQ(count_operators(*g), expected);
}

}  // namespace
}  // namespace pj::test
