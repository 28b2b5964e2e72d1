// The border: what is refused before a graph exists, and what a tensor becomes.
#include <algorithm>
#include <limits>

#include "runtime/base/aligned.h"
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

using testing::ElementsAre;

TEST(TfliteFile, ImportsASmallModel) {
  const Result<Graph> r = import_model(relu_model());
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors.size(), 2u);
  EXPECT_THAT(r->inputs, ElementsAre(0));
  EXPECT_THAT(r->outputs, ElementsAre(1));
  EXPECT_EQ(r->tensors[0].name, "x");
  EXPECT_EQ(r->tensors[1].name, "y");
  EXPECT_EQ(r->tensors[1].shape, (Shape{1, 4}));
  EXPECT_STREQ(r->ops[0].display_name(), "relu");
}

TEST(TfliteFile, KnowsItsIdentifier) {
  const std::vector<uint8_t> bytes = write_model(relu_model());
  EXPECT_TRUE(looks_like_tflite(std::as_bytes(std::span(bytes))));
  EXPECT_FALSE(looks_like_tflite(std::as_bytes(std::span(bytes).first(7))));
  EXPECT_FALSE(looks_like_tflite({}));
  FileModel m = relu_model();
  m.identifier = "TFL2";
  EXPECT_FALSE(looks_like_tflite(share(write_model(m)).bytes));
  expect_error(m, ErrorCode::kModelFormat, "TFL3");
  expect_error(import_tflite({}), ErrorCode::kModelFormat, "TFL3");
}

TEST(TfliteFile, RefusesOtherVersions) {
  FileModel m = relu_model();
  m.version = 4;
  expect_error(m, ErrorCode::kModelVersion, "version 4");
}

TEST(TfliteFile, RefusesEveryTruncation) {
  const std::vector<uint8_t> bytes = write_model(conv_model());
  for (size_t n = 0; n < bytes.size(); ++n) {
    const std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
    // A copy of exactly n bytes: the sanitizer sees a read past the end.
    const Result<Graph> r = import_tflite({std::as_bytes(std::span(cut)), nullptr});
    ASSERT_FALSE(r.has_value()) << n << " of " << bytes.size() << " bytes";
    EXPECT_EQ(r.error().code, ErrorCode::kModelFormat) << r.error().message;
  }
}

TEST(TfliteFile, RefusesAModelWithoutSubgraph) {
  FileModel m = relu_model();
  m.with_subgraph = false;
  expect_error(m, ErrorCode::kModelInvalid, "no subgraph");
}

TEST(TfliteFile, AcceptsMisalignedBytes) {
  const std::vector<uint8_t> bytes = write_model(conv_model());
  std::vector<uint8_t> shifted(bytes.size() + 16);
  for (size_t shift : {1, 2, 4, 7}) {
    std::copy(bytes.begin(), bytes.end(), shifted.begin() + static_cast<ptrdiff_t>(shift));
    const Result<Graph> r =
        import_tflite({std::as_bytes(std::span(shifted)).subspan(shift, bytes.size()), nullptr});
    ASSERT_TRUE(r.has_value()) << r.error().message;
    std::fill(shifted.begin(), shifted.end(), uint8_t{0});  // the graph owns a copy
    EXPECT_EQ(r->tensors[2].as<float>()[2], 3.0f);
  }
}

// --- indices -------------------------------------------------------------------------------------

TEST(TfliteFile, RefusesBadBufferIndex) {
  FileModel m = conv_model();
  m.tensors[1].buffer = 3;
  expect_error(m, ErrorCode::kModelInvalid, "tensor 1 'w': buffer 3 does not exist");
  m.tensors[1].buffer = 0xffffffffu;
  expect_error(m, ErrorCode::kModelInvalid, "buffer 4294967295 does not exist");
}

TEST(TfliteFile, RefusesBadTensorIndices) {
  for (int32_t bad :
       {-2, 2, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min()}) {
    FileModel m = relu_model();
    m.ops[0].inputs = {bad};
    expect_error(m, ErrorCode::kModelInvalid, "RELU, node 0, output 'y': input 0 is tensor");
    m = relu_model();
    m.ops[0].outputs = {bad};
    expect_error(m, ErrorCode::kModelInvalid, "RELU, node 0: output 0 is tensor");
    m = relu_model();
    m.inputs = {bad};
    expect_error(m, ErrorCode::kModelInvalid, "input 0 of the model");
    m = relu_model();
    m.outputs = {bad};
    expect_error(m, ErrorCode::kModelInvalid, "output 0 of the model");
  }
  FileModel m = relu_model();
  m.ops[0].outputs = {-1};  // only inputs are optional
  expect_error(m, ErrorCode::kModelInvalid, "output 0 is tensor -1");
}

TEST(TfliteFile, RefusesBadOperatorCode) {
  FileModel m = relu_model();
  m.code_index_offset = 1;
  expect_error(m, ErrorCode::kModelInvalid, "node 0 has operator code 1");
}

TEST(TfliteFile, RefusesWrongOrder) {
  FileModel m;
  m.inputs = {m.add({"x", {4}})};
  m.add({"a", {4}});
  m.outputs = {m.add({"b", {4}})};
  m.ops = {{0, {0, 2}, {1}, 11, {}}, {0, {0, 1}, {2}, 11, {}}};  // a needs b, b needs a
  expect_error(m, ErrorCode::kModelInvalid, "tensor 2 'b'");
}

TEST(TfliteFile, RefusesAnOperandThatNobodyProduces) {
  FileModel m = relu_model();
  m.inputs = {};
  expect_error(m, ErrorCode::kModelInvalid, "tensor 0 'x'");
}

// --- tensors -------------------------------------------------------------------------------------

TEST(TfliteTensor, NamesTheTypeItLacks) {
  FileModel m = relu_model();
  m.tensors[0].type = kString;
  expect_error(m, ErrorCode::kModelUnsupported, "tensor 0 'x': type STRING");
  m.tensors[0].type = static_cast<Type>(99);
  expect_error(m, ErrorCode::kModelUnsupported, "tensor 0 'x': type 99");
}

TEST(TfliteTensor, RefusesStateAndSparseStorage) {
  FileModel m = relu_model();
  m.tensors[0].variable = true;
  expect_error(m, ErrorCode::kModelUnsupported, "tensor 0 'x': variable");
  m = relu_model();
  m.tensors[0].sparse = true;
  expect_error(m, ErrorCode::kModelUnsupported, "tensor 0 'x': sparse");
}

TEST(TfliteTensor, RefusesAbsurdShapes) {
  FileModel m = relu_model();
  m.tensors[0].shape = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  expect_error(m, ErrorCode::kModelUnsupported, "9 dimensions");
  m.tensors[0].shape = {2147483647, 2147483647, 2147483647, 2147483647};
  expect_error(m, ErrorCode::kLimitExceeded, "2147483647");
  m.tensors[0].shape = {1, -7};
  expect_error(m, ErrorCode::kModelInvalid, "dimension 1 is -7");
}

TEST(TfliteTensor, SignatureGivesUnknownDimensions) {
  FileModel m = relu_model();
  m.tensors[0].signature = {-1, 4};
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors[0].shape, (Shape{kUnknownDim, 4}));
  EXPECT_EQ(r->tensors[1].shape, (Shape{kUnknownDim, 4}));
  m.tensors[0].signature = {-1};
  expect_error(m, ErrorCode::kModelInvalid, "signature");
}

TEST(TfliteTensor, ConstantSizeMustMatchShape) {
  FileModel m = conv_model();
  m.buffers[2].data.pop_back();
  expect_error(m, ErrorCode::kModelInvalid, "tensor 2 'b': shape 3 of f32 needs 12 bytes");
  m = conv_model();
  m.tensors[2].shape = {-1};
  expect_error(m, ErrorCode::kModelInvalid, "tensor 2 'b'");
  m = conv_model();
  m.tensors[2].shape = {65536, 65536, 65536, 65536};  // 2^64 elements: the product is 0 in 64 bits
  expect_error(m, ErrorCode::kModelInvalid, "tensor 2 'b'");
}

TEST(TfliteTensor, BoolConstantsAreZeroOrOne) {
  FileModel m;
  m.inputs = {m.add({"x", {2}, kBoolean})};
  m.add({"c", {2}, kBoolean, m.add_buffer(std::vector<uint8_t>{1, 2})});
  m.outputs = {m.add({"y", {2}, kBoolean})};
  m.ops = {{86, {0, 1}, {2}}};
  expect_error(m, ErrorCode::kModelInvalid, "tensor 1 'c': a bool constant");
  m.buffers[1].data = {1, 0};
  EXPECT_TRUE(import_model(m).has_value());
}

TEST(TfliteTensor, ConstantsAreUsedInPlaceAndKeepTheFileAlive) {
  SharedBytes file = share(write_model(conv_model()));
  const std::span<const std::byte> range = file.bytes;
  const Result<Graph> r = import_tflite(std::move(file));
  ASSERT_TRUE(r.has_value()) << r.error().message;
  for (size_t i : {1, 2}) {
    const std::byte* data = r->tensors[i].data.bytes.data();
    EXPECT_GE(data, range.data());
    EXPECT_LT(data, range.data() + range.size());
  }
  EXPECT_EQ(r->tensors[2].as<float>()[1], 2.0f);
}

// Data behind the FlatBuffer, as in models above 2 GB; at an odd offset it has to be copied.
TEST(TfliteTensor, ReadsDataBehindTheFlatBuffer) {
  for (size_t padding : {0, 1}) {
    FileModel m = conv_model();
    m.buffers[2] = {{}, 2, 12};
    const size_t begin = round_up(write_model(m).size(), 16) + padding;
    m.buffers[2].offset = begin;
    std::vector<uint8_t> bytes = write_model(m);
    bytes.resize(begin + 12);
    const float bias[3] = {4, 5, 6};
    std::memcpy(bytes.data() + begin, bias, 12);
    const Result<Graph> r = import_tflite(share(bytes));
    ASSERT_TRUE(r.has_value()) << r.error().message;
    EXPECT_THAT(r->tensors[2].as<float>(), ElementsAre(4, 5, 6));

    bytes.pop_back();
    expect_error(import_tflite(share(bytes)), ErrorCode::kModelInvalid, "tensor 2 'b': 12 bytes");
  }
  FileModel m = conv_model();
  m.buffers[2] = {{}, 0xffffffffffffffffu, 12};
  expect_error(m, ErrorCode::kModelInvalid, "outside the file");
  m.buffers[2] = {{}, 16, 0xfffffffffffffff8u};
  expect_error(m, ErrorCode::kModelInvalid, "outside the file");
}

TEST(TfliteTensor, ControlCharactersDoNotReachTheTerminal) {
  FileModel m = relu_model();
  m.tensors[0].name = "a\x1b[2Jb\n\xc3\xa9";
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors[0].name, "a?[2Jb?\xc3\xa9");
}

// A file of 40 kB in which 3,000 tensors share one long name would unpack to 100 MB.
TEST(TfliteTensor, MemoryIsBoundedByTheSizeOfTheFile) {
  flatbuffers::FlatBufferBuilder fbb;
  const auto at = [](int id) {
    return flatbuffers::FieldIndexToOffset(static_cast<flatbuffers::voffset_t>(id));
  };
  const auto name = fbb.CreateString(std::string(30'000, 'n'));
  auto start = fbb.StartTable();
  fbb.AddOffset(at(3), name);
  const flatbuffers::Offset<void> tensor(fbb.EndTable(start));
  const auto tensors = fbb.CreateVector(std::vector<flatbuffers::Offset<void>>(3'000, tensor));
  start = fbb.StartTable();
  fbb.AddOffset(at(0), tensors);
  const flatbuffers::Offset<void> subgraph(fbb.EndTable(start));
  const auto subgraphs = fbb.CreateVector(std::vector<flatbuffers::Offset<void>>{subgraph});
  start = fbb.StartTable();
  const flatbuffers::Offset<void> buffer(fbb.EndTable(start));
  const auto buffers = fbb.CreateVector(std::vector<flatbuffers::Offset<void>>{buffer});
  start = fbb.StartTable();
  fbb.AddElement<uint32_t>(at(0), 3, 0);
  fbb.AddOffset(at(2), subgraphs);
  fbb.AddOffset(at(4), buffers);
  fbb.Finish(flatbuffers::Offset<void>(fbb.EndTable(start)), "TFL3");
  const std::vector<uint8_t> bytes(fbb.GetBufferPointer(), fbb.GetBufferPointer() + fbb.GetSize());
  ASSERT_LT(bytes.size(), 50'000u);
  expect_error(import_tflite(share(bytes)), ErrorCode::kLimitExceeded, "far more");
}

// --- quantisation --------------------------------------------------------------------------------

// x int8 [1,4] -> RELU -> y int8, with the quantisation of x open.
FileModel quantized_relu(std::vector<float> scale, std::vector<int64_t> zero_point) {
  FileModel m = relu_model();
  m.tensors[0].type = m.tensors[1].type = kInt8;
  m.tensors[0].scale = std::move(scale);
  m.tensors[0].zero_point = std::move(zero_point);
  m.tensors[1].scale = {0.5f};
  m.tensors[1].zero_point = {3};
  return m;
}

TEST(TfliteQuantization, PerTensor) {
  const Result<Graph> r = import_model(quantized_relu({0.25f}, {-7}));
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors[0].quant, (Quantization{{0.25f}, {-7}, 0}));
  EXPECT_EQ(r->tensors[1].quant, (Quantization{{0.5f}, {3}, 0}));
}

TEST(TfliteQuantization, PerChannelKeepsItsAxis) {
  FileModel m = conv_model();
  m.tensors[0] = {"x", {1, 5, 5, 2}, kInt8, 0, {0.5f}, {1}};
  m.tensors[1] = {"w",
                  {3, 3, 3, 2},
                  kInt8,
                  m.add_buffer(std::vector<int8_t>(54, 1)),
                  {0.5f, 0.25f, 0.125f},
                  {0, 0, 0},
                  0};
  m.tensors[2] = {
      "b",       {3}, kInt32, m.add_buffer(std::vector<int32_t>{1, 2, 3}), {0.25f, 0.125f, 0.0625f},
      {0, 0, 0}, 0};
  m.tensors[3] = {"y", {1, 3, 3, 3}, kInt8, 0, {0.5f}, {0}};
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors[1].quant, (Quantization{{0.5f, 0.25f, 0.125f}, {0, 0, 0}, 0}));

  m.tensors[1].scale.pop_back();
  expect_error(m, ErrorCode::kModelInvalid, "tensor 1 'w': 2 scales but 3 zero points");
  m.tensors[1].zero_point.pop_back();
  expect_error(m, ErrorCode::kModelInvalid, "tensor 1 'w': 2 scales for 3 channels (axis 0)");
  for (int32_t axis : {-1, 4, std::numeric_limits<int32_t>::max()}) {
    m.tensors[1].axis = axis;
    expect_error(m, ErrorCode::kModelInvalid, "tensor 1 'w': quantised along axis");
  }
}

TEST(TfliteQuantization, ZeroPointsMayBeLeftOut) {
  FileModel m = quantized_relu({0.25f}, {});
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_EQ(r->tensors[0].quant, (Quantization{{0.25f}, {0}, 0}));
}

TEST(TfliteQuantization, NoScaleMeansNotQuantised) {
  FileModel m;  // an index needs no scale
  m.inputs = {m.add({"x", {4}})};
  m.add({"i", {2}, kInt32, m.add_buffer(std::vector<int32_t>{3, 0})});
  m.tensors[1].zero_point = {0};
  m.outputs = {m.add({"y", {2}})};
  m.ops = {{36, {0, 1}, {2}, 23, {{0, int32_t{0}}}}};
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_TRUE(r->tensors[1].quant.empty());
}

TEST(TfliteQuantization, FloatsHaveNone) {
  FileModel m = relu_model();
  m.tensors[0].scale = {0.5f};
  m.tensors[0].zero_point = {0};
  const Result<Graph> r = import_model(m);
  ASSERT_TRUE(r.has_value()) << r.error().message;
  EXPECT_TRUE(r->tensors[0].quant.empty());
}

TEST(TfliteQuantization, RefusesNonsense) {
  expect_error(quantized_relu({0.5f}, {int64_t{1} << 40}), ErrorCode::kModelInvalid,
               "tensor 0 'x': zero point 1099511627776");
  expect_error(quantized_relu({0.5f}, {200}), ErrorCode::kModelInvalid, "zero point 200");
  expect_error(quantized_relu({-1.0f}, {0}), ErrorCode::kModelInvalid, "tensor 0 'x'");
  expect_error(quantized_relu({std::numeric_limits<float>::quiet_NaN()}, {0}),
               ErrorCode::kModelInvalid, "tensor 0 'x'");
  expect_error(quantized_relu({0.5f}, {0, 0}), ErrorCode::kModelInvalid,
               "1 scales but 2 zero points");
  FileModel m = quantized_relu({0.5f}, {0});
  m.tensors[0].custom_quantization = true;
  expect_error(m, ErrorCode::kModelUnsupported, "tensor 0 'x': custom quantisation");
}

}  // namespace
}  // namespace pj::test
