// Operators known by name, and the reader of their options.
#include <flatbuffers/flexbuffers.h>

#include <functional>
#include <limits>
#include <random>

#include "converters/tflite/flex_map.h"
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

std::span<const std::byte> bytes_of(const std::vector<uint8_t>& v) {
  return std::as_bytes(std::span(v));
}

// --- FlexMap -------------------------------------------------------------------------------------

std::vector<uint8_t> written(const std::function<void(flexbuffers::Builder&)>& fill) {
  flexbuffers::Builder b;
  b.Map([&] { fill(b); });
  b.Finish();
  return b.GetBuffer();
}

TEST(FlexMap, ReadsNumbersOfAllKinds) {
  const std::vector<uint8_t> bytes = written([](flexbuffers::Builder& b) {
    b.Int("int", -5);
    b.Int("wide", -3'000'000'000);
    b.UInt("unsigned", 200);
    b.Float("float", 0.5f);
    b.Double("double", 1e-300);
    b.Bool("yes", true);
    b.IndirectInt("far", -77);
    b.IndirectFloat("far_float", 0.25f);
    b.IndirectDouble("far_double", 0.1);
    b.String("text", "skipped");
    b.Vector("list", [&] { b.Int(1); });
  });
  const Result<FlexMap> m = FlexMap::parse(bytes_of(bytes));
  ASSERT_TRUE(m.has_value()) << m.error().message;
  EXPECT_EQ(m->find("int"), -5);
  EXPECT_EQ(m->find("wide"), -3e9);
  EXPECT_EQ(m->find("unsigned"), 200);
  EXPECT_EQ(m->find("float"), 0.5);
  EXPECT_EQ(m->find("double"), 1e-300);
  EXPECT_EQ(m->find("yes"), 1);
  EXPECT_EQ(m->find("far"), -77);
  EXPECT_EQ(m->find("far_float"), 0.25);
  EXPECT_EQ(m->find("far_double"), 0.1);
  EXPECT_EQ(m->find("text"), std::nullopt);
  EXPECT_EQ(m->find("list"), std::nullopt);
  EXPECT_EQ(m->find("absent"), std::nullopt);
}

// {"a": 7} by hand. Key "a" at 0; keys vector: size 1 at 2, offset 3 at 3; map: offset of the keys
// at 4 (1 back), width of the keys at 5, size at 6, value at 7, its type at 8; root: offset 2 at 9.
const std::vector<uint8_t> kSmallMap = {'a', 0, 1, 3, 1, 1, 1, 7, 1 << 2, 2, 9 << 2, 1};

TEST(FlexMap, ReadsHandMadeBytes) {
  const Result<FlexMap> m = FlexMap::parse(bytes_of(kSmallMap));
  ASSERT_TRUE(m.has_value()) << m.error().message;
  EXPECT_EQ(m->find("a"), 7);
}

TEST(FlexMap, RefusesWhatIsNoMap) {
  EXPECT_FALSE(FlexMap::parse({}).has_value());
  EXPECT_FALSE(FlexMap::parse(bytes_of({1, 2})).has_value());
  EXPECT_FALSE(FlexMap::parse(bytes_of({7, 1 << 2, 1})).has_value());  // the integer 7
  for (size_t n = 0; n < kSmallMap.size(); ++n) {
    const std::vector<uint8_t> cut(kSmallMap.begin(),
                                   kSmallMap.begin() + static_cast<ptrdiff_t>(n));
    EXPECT_FALSE(FlexMap::parse(bytes_of(cut)).has_value()) << n;
  }
}

TEST(FlexMap, RefusesOffsetsOutsideTheBytes) {
  // Each pair: position, value that points or reaches outside.
  const std::pair<size_t, uint8_t> kDefects[] = {
      {3, 4}, {4, 5}, {5, 3}, {6, 200}, {9, 10}, {9, 8}, {11, 3}, {11, 16}, {10, 9 << 2 | 3}};
  for (const auto& [position, value] : kDefects) {
    std::vector<uint8_t> bytes = kSmallMap;
    bytes[position] = value;
    EXPECT_FALSE(FlexMap::parse(bytes_of(bytes)).has_value())
        << "byte " << position << " = " << static_cast<int>(value);
  }
}

// A key whose terminating zero is missing runs to the end of the bytes and no further.
TEST(FlexMap, RefusesUnterminatedKeys) {
  std::vector<uint8_t> bytes = kSmallMap;
  bytes[7] = 0x11;  // the value; no byte from here on is zero
  bytes[3] = 0xfd;  // key offset beyond the start
  EXPECT_FALSE(FlexMap::parse(bytes_of(bytes)).has_value());
  bytes = kSmallMap;
  bytes[1] = 'b';  // no zero byte left
  EXPECT_FALSE(FlexMap::parse(bytes_of(bytes)).has_value());
}

TEST(FlexMap, SurvivesGarbage) {
  std::mt19937 random(7);
  const std::vector<uint8_t> valid = written([](flexbuffers::Builder& b) {
    b.Int("max_detections", 10);
    b.Float("y_scale", 10.0f);
    b.IndirectInt("num_classes", 90);
    b.Vector("list", [&] { b.Int(1); });
  });
  for (int i = 0; i < 20'000; ++i) {
    std::vector<uint8_t> bytes = valid;
    for (unsigned k = 0; k <= random() % 4; ++k)
      bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    if (const Result<FlexMap> m = FlexMap::parse(bytes_of(bytes))) m->find("y_scale");
  }
}

// --- TFLite_Detection_PostProcess ----------------------------------------------------------------

std::vector<uint8_t> detection_options(const std::function<void(flexbuffers::Builder&)>& more =
                                           [](flexbuffers::Builder&) {}) {
  return written([&](flexbuffers::Builder& b) {
    b.Int("max_detections", 10);
    b.Int("max_classes_per_detection", 1);
    b.Int("num_classes", 3);
    b.Float("nms_score_threshold", 0.25f);
    b.Float("nms_iou_threshold", 0.5f);
    b.Float("y_scale", 10);
    b.Float("x_scale", 11);
    b.Float("h_scale", 5);
    b.Float("w_scale", 6);
    more(b);
  });
}

FileModel detection_model(std::vector<uint8_t> options) {
  FileModel m;
  m.inputs = {m.add({"boxes", {1, 20, 4}}), m.add({"scores", {1, 20, 4}})};
  m.add({"anchors", {20, 4}, kFloat32, m.add_buffer(std::vector<float>(80, 1.0f))});
  for (const char* name : {"b", "c", "s", "n"}) m.outputs.push_back(m.add({name, {}}));
  m.ops = {
      {32, {0, 1, 2}, {3, 4, 5, 6}, 0, {}, "TFLite_Detection_PostProcess", std::move(options)}};
  return m;
}

TEST(TfliteDetection, ReadsItsOptions) {
  Result<Graph> r = import_model(detection_model(detection_options()));
  ASSERT_TRUE(r.has_value()) << r.error().message;
  const auto& p = r->ops[0].as<DetectionParams>();
  EXPECT_EQ(p.max_detections, 10);
  EXPECT_EQ(p.max_classes_per_detection, 1);
  EXPECT_EQ(p.num_classes, 3);
  EXPECT_EQ(p.score_threshold, 0.25f);
  EXPECT_EQ(p.iou_threshold, 0.5f);
  EXPECT_EQ(p.y_scale, 10);
  EXPECT_EQ(p.x_scale, 11);
  EXPECT_EQ(p.h_scale, 5);
  EXPECT_EQ(p.w_scale, 6);
  EXPECT_EQ(p.detections_per_class, 100);  // the defaults of the operator
  EXPECT_FALSE(p.use_regular_nms);
  EXPECT_EQ(r->tensors[3].shape, (Shape{1, 10, 4}));  // empty in the file
  EXPECT_EQ(r->tensors[6].shape, (Shape{1}));

  r = import_model(detection_model(detection_options([](flexbuffers::Builder& b) {
    b.Bool("use_regular_nms", true);
    b.Int("detections_per_class", 50);
  })));
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_TRUE(r->ops[0].as<DetectionParams>().use_regular_nms);
  EXPECT_EQ(r->ops[0].as<DetectionParams>().detections_per_class, 50);
}

void expect_invalid(const FileModel& m, const char* part) {
  expect_error(m, ErrorCode::kModelInvalid, part);
}

TEST(TfliteDetection, RefusesBadOptions) {
  expect_invalid(detection_model({}), "CUSTOM:TFLite_Detection_PostProcess, node 0, output 'b'");
  expect_invalid(detection_model({9, 9, 9, 9, 9, 9, 9}), "not a valid FlexBuffers map");
  expect_invalid(detection_model(written([](flexbuffers::Builder& b) { b.Int("other", 1); })),
                 "option 'max_detections' is missing");
  expect_invalid(detection_model(detection_options(
                     [](flexbuffers::Builder& b) { b.Double("detections_per_class", 1e300); })),
                 "option 'detections_per_class' is 1e+300, not a 32-bit integer");
  expect_invalid(detection_model(detection_options([](flexbuffers::Builder& b) {
                   b.Double("detections_per_class", std::numeric_limits<double>::quiet_NaN());
                 })),
                 "not a 32-bit integer");
}

// --- Convolution2DTransposeBias ------------------------------------------------------------------

FileModel transpose_bias_model(std::vector<int32_t> options, int32_t size, int32_t kernel) {
  FileModel m;
  const std::vector<float> weights(static_cast<size_t>(2 * kernel * kernel * 3), 1.0f);
  m.inputs = {m.add({"x", {1, size, size, 3}})};
  m.add({"w", {2, kernel, kernel, 3}, kFloat32, m.add_buffer(weights)});
  m.add({"b", {2}, kFloat32, m.add_buffer(std::vector<float>{1, 2})});
  m.outputs = {m.add({"y", {}})};
  m.ops = {{32, {0, 1, 2}, {3}, 0, {}, "Convolution2DTransposeBias", {}}};
  m.ops[0].custom_options.resize(options.size() * 4);
  std::memcpy(m.ops[0].custom_options.data(), options.data(), options.size() * 4);
  return m;
}

TEST(TfliteTransposeBias, Sizes) {
  struct Case {
    int32_t padding, stride, in, kernel;
    int32_t out, before, after;
  };
  // SAME cuts max(0, kernel - (in - 1) % stride - 1), and out = (in - 1) * stride + kernel - cut.
  constexpr Case kCases[] = {
      {1, 2, 4, 2, 8, 0, 0},  // cut 2 - 1 - 1 = 0
      {1, 2, 4, 3, 8, 0, 1},  // cut 3 - 1 - 1 = 1
      {1, 2, 5, 4, 9, 1, 2},  // cut 4 - 0 - 1 = 3
      {1, 1, 4, 3, 4, 1, 1},  // cut 3 - 0 - 1 = 2
      {2, 2, 4, 3, 9, 0, 0},
  };
  for (const Case& c : kCases) {
    const Result<Graph> r =
        import_model(transpose_bias_model({c.padding, c.stride, c.stride}, c.in, c.kernel));
    ASSERT_TRUE(r.has_value()) << r.error().message;
    const auto& p = r->ops[0].as<TransposeConv2DParams>();
    EXPECT_EQ(p.stride_h, c.stride);
    EXPECT_EQ(p.out_h, c.out);
    EXPECT_EQ(p.out_w, c.out);
    EXPECT_EQ(p.padding.mode, PadMode::kExplicit);
    EXPECT_EQ(p.padding.top, c.before);
    EXPECT_EQ(p.padding.bottom, c.after);
    EXPECT_EQ(p.padding.left, c.before);
    EXPECT_EQ(p.padding.right, c.after);
    EXPECT_EQ(r->tensors[3].shape, (Shape{1, c.out, c.out, 2}));
  }
}

TEST(TfliteTransposeBias, RefusesBadOptions) {
  expect_invalid(transpose_bias_model({1, 2}, 4, 2), "its custom options have 8 bytes");
  expect_invalid(transpose_bias_model({0, 2, 2}, 4, 2), "padding 0");
  expect_invalid(transpose_bias_model({1, 0, 2}, 4, 2), "stride 2x0");
  expect_invalid(transpose_bias_model({1, -1, 2}, 4, 2), "stride 2x-1");
  FileModel m = transpose_bias_model({1, 2, 2}, 4, 2);
  m.ops[0].inputs = {0};
  expect_invalid(m, "input 1 (weights) is missing");
}

}  // namespace
}  // namespace pj::test
