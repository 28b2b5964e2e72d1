// The exporter, seen through the importer and, where that looks away, through the numbers of the
// format.
#include "converters/tflite/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/half.h"
#include "tests/graph/graph_builder.h"
#include "tests/tflite/model_writer.h"

namespace pj::test {
namespace {

using flatbuffers::Table;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Graph finished(GraphBuilder& b, TensorId output) {
  b.output(output);
  const Status valid = validate(b.graph), inferred = infer_shapes(b.graph);
  EXPECT_TRUE(valid && inferred) << (valid ? inferred : valid).error().message;
  return b.graph;
}

SharedBytes exported(const Graph& graph) {
  Result<SharedBytes> file = export_tflite(graph, "made by a test");
  EXPECT_TRUE(file) << file.error().message;
  return file ? *file : SharedBytes();
}

Graph round_trip(const Graph& graph) {
  Result<Graph> again = import_tflite(exported(graph));
  EXPECT_TRUE(again) << again.error().message;
  return again ? std::move(*again) : Graph();
}

std::vector<std::string> op_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Op& op : graph.ops) names.emplace_back(op.display_name());
  return names;
}

// --- the file by its numbers ---------------------------------------------------------------------

template <typename T>
T field(const Table& table, int id, T absent = {}) {
  return table.GetField<T>(flatbuffers::FieldIndexToOffset(static_cast<uint16_t>(id)), absent);
}
template <typename T>
const T* child(const Table& table, int id) {
  return table.GetPointer<const T*>(flatbuffers::FieldIndexToOffset(static_cast<uint16_t>(id)));
}
using Tables = flatbuffers::Vector<flatbuffers::Offset<Table>>;

const Table& root_of(const SharedBytes& file) {
  return *flatbuffers::GetRoot<Table>(file.bytes.data());
}

// --- padding -------------------------------------------------------------------------------------

Graph conv_with(const Padding& padding, int32_t size = 8) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, size, size, 2});
  const TensorId w = b.constant<float>("w", {3, 3, 3, 2}, std::vector<float>(54, 0.5f));
  const Conv2DParams p{2, 2, 1, 1, padding, Activation::kRelu};
  return finished(b, b.op(OpKind::kConv2D, p, {x, w}, "y"));
}

TEST(ExportPadding, SameAndValidStay) {
  for (PadMode mode : {PadMode::kSame, PadMode::kValid}) {
    const Graph again = round_trip(conv_with({mode}));
    ASSERT_EQ(again.ops.size(), 1u);
    EXPECT_EQ(again.ops[0].as<Conv2DParams>().padding.mode, mode);
  }
}

TEST(ExportPadding, ExplicitOnesThatAreSameOrValidBecomeThat) {
  const Graph same = round_trip(conv_with({PadMode::kExplicit, 0, 1, 0, 1}));
  ASSERT_EQ(same.ops.size(), 1u);
  EXPECT_EQ(same.ops[0].as<Conv2DParams>().padding.mode, PadMode::kSame);
  const Graph valid = round_trip(conv_with({PadMode::kExplicit}));
  ASSERT_EQ(valid.ops.size(), 1u);
  EXPECT_EQ(valid.ops[0].as<Conv2DParams>().padding.mode, PadMode::kValid);
}

TEST(ExportPadding, OthersBecomeAnOperator) {
  const Graph again = round_trip(conv_with({PadMode::kExplicit, 1, 0, 2, 1}));
  ASSERT_THAT(op_names(again), ElementsAre("pad", "conv_2d"));
  EXPECT_THAT(values_of<int32_t>(again.tensor(again.ops[0].inputs[1])),
              ElementsAre(0, 0, 1, 0, 2, 1, 0, 0));
  EXPECT_EQ(again.tensor(again.ops[0].outputs[0]).shape, (Shape{1, 9, 11, 2}));
  EXPECT_EQ(again.ops[1].as<Conv2DParams>().padding.mode, PadMode::kValid);
}

Graph pool_with(PoolFn fn, DType dtype) {
  GraphBuilder b;
  const Quantization q = dtype == DType::kI8 ? quant(0.5f, 3) : Quantization{};
  const TensorId x = b.input("x", {1, 8, 8, 2}, dtype, q);
  const Pool2DParams p{fn, 3, 3, 2, 2, {PadMode::kExplicit, 1, 1, 1, 1}, Activation::kNone};
  return finished(b, b.op(OpKind::kPool2D, p, {x}, "y"));
}

TEST(ExportPadding, OfAMaximumIsTheLeastValue) {
  const Graph floats = round_trip(pool_with(PoolFn::kMax, DType::kF32));
  ASSERT_THAT(op_names(floats), ElementsAre("pad", "max_pool"));
  EXPECT_LT(values_of<float>(floats.tensor(floats.ops[0].inputs[2]))[0], -3e38f);
  const Graph bytes = round_trip(pool_with(PoolFn::kMax, DType::kI8));
  EXPECT_EQ(values_of<int8_t>(bytes.tensor(bytes.ops[0].inputs[2]))[0], -128);
}

TEST(ExportPadding, OfAnAverageCannotBeExpressed) {
  const Result<SharedBytes> file = export_tflite(pool_with(PoolFn::kAverage, DType::kF32), "");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kModelUnsupported);
  EXPECT_THAT(file.error().message, AllOf(HasSubstr("average_pool, node 0"), HasSubstr("1,1,1,1")));
}

// --- operands ------------------------------------------------------------------------------------

TEST(Export, Float16OperandsGetADequantize) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 2});
  const TensorId w = b.constant<Half>("w", {3, 2}, std::vector<Half>(6, to_half(0.3f)));
  const Graph graph =
      finished(b, b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {x, w}, "y"));
  const Graph again = round_trip(graph);
  ASSERT_THAT(op_names(again), ElementsAre("dequantize", "fully_connected"));
  EXPECT_EQ(again.tensor(again.ops[0].inputs[0]).dtype, DType::kF16);
}

TEST(Export, QuantizationOfChannels) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2}, DType::kI8, quant(0.5f, -7));
  const TensorId w = b.constant<int8_t>("w", {1, 3, 3, 4}, std::vector<int8_t>(36, 1),
                                        {{1, 2, 3, 4}, {0, 0, 0, 0}, 3});
  const DepthwiseConv2DParams p{{1, 1, 1, 1, {PadMode::kSame}, Activation::kRelu6}};
  const Graph graph =
      finished(b, b.op(OpKind::kDepthwiseConv2D, p, {x, w}, "y", DType::kI8, quant(0.25f, 9)));
  const SharedBytes file = exported(graph);
  const Result<Graph> again = import_tflite(file);
  ASSERT_TRUE(again) << again.error().message;
  for (size_t i = 0; i < graph.tensors.size(); ++i)
    EXPECT_EQ(again->tensors[i].quant, graph.tensors[i].quant) << i;
  // The multiplier, which the importer does not read: field 3 of the options.
  const Table& subgraph = *child<Tables>(root_of(file), 2)->Get(0);
  const Table& op = *child<Tables>(subgraph, 3)->Get(0);
  EXPECT_EQ(field<int32_t>(*child<Table>(op, 4), 3), 2);
}

TEST(Export, AttributesBecomeInputs) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 6, 2});
  const TensorId r =
      b.op(OpKind::kResize, ResizeParams{ResizeFn::kNearest, 8, 12, false, false}, {x}, "r");
  const TensorId m = b.op(OpKind::kReduce, ReduceParams{ReduceFn::kMean, true, {1, 2}}, {r}, "m");
  const TensorId t = b.op(OpKind::kTranspose, TransposeParams{{0, 3, 1, 2}}, {m}, "t");
  const TensorId s = b.op(OpKind::kReshape, ReshapeParams{{-1, 1}}, {t}, "s");
  const Graph again = round_trip(
      finished(b, b.op(OpKind::kReduce, ReduceParams{ReduceFn::kSum, false, {}}, {s}, "all")));
  EXPECT_THAT(op_names(again),
              ElementsAre("resize_nearest", "mean", "transpose", "reshape", "sum"));
  EXPECT_EQ(again.tensor(again.ops[0].outputs[0]).shape, (Shape{1, 8, 12, 2}));
  EXPECT_EQ(again.tensor(again.ops[3].outputs[0]).shape, (Shape{2, 1}));
  EXPECT_THAT(values_of<int32_t>(again.tensor(again.ops[4].inputs[1])), ElementsAre(0, 1));
}

TEST(Export, UnknownDimensionsStayUnknown) {
  GraphBuilder b;
  const TensorId x = b.input("x", {kUnknownDim, 5});
  const Graph again =
      round_trip(finished(b, b.op(OpKind::kUnary, UnaryParams{UnaryFn::kTanh, 0}, {x}, "y")));
  EXPECT_EQ(again.tensor(again.inputs[0]).shape, (Shape{kUnknownDim, 5}));
}

// --- the file ------------------------------------------------------------------------------------

TEST(Export, VersionsDescriptionAndAlignment) {
  const SharedBytes file = exported(conv_with({PadMode::kSame}));
  const Table& root = root_of(file);
  EXPECT_EQ(field<uint32_t>(root, 0), 3u);
  EXPECT_EQ(child<flatbuffers::String>(root, 3)->str(), "made by a test");
  const Table& code = *child<Tables>(root, 1)->Get(0);
  EXPECT_EQ(field<int8_t>(code, 0), 3);  // CONV_2D
  EXPECT_EQ(field<int32_t>(code, 2, 1), 1);
  EXPECT_EQ(field<int32_t>(code, 3), 3);
  const Tables& buffers = *child<Tables>(root, 4);
  ASSERT_EQ(buffers.size(), 2u);
  EXPECT_EQ(child<flatbuffers::Vector<uint8_t>>(*buffers.Get(0), 0), nullptr);
  const auto* data = child<flatbuffers::Vector<uint8_t>>(*buffers.Get(1), 0);
  const auto* start = reinterpret_cast<const uint8_t*>(file.bytes.data());
  EXPECT_EQ((data->data() - start) % 16, 0);
}

TEST(Export, CodesAboveAByte) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 5});
  const SharedBytes file =
      exported(finished(b, b.op(OpKind::kUnary, UnaryParams{UnaryFn::kGelu, 0}, {x}, "y")));
  const Table& code = *child<Tables>(root_of(file), 1)->Get(0);
  EXPECT_EQ(field<int8_t>(code, 0), 127);
  EXPECT_EQ(field<int32_t>(code, 3), 150);
}

TEST(Export, OperatorsThatCannotBeWrittenAreAllNamed) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 5});
  const TensorId y = b.op(OpKind::kUnary, UnaryParams{UnaryFn::kSin, 0}, {x}, "wave");
  const Graph graph = finished(b, b.op(OpKind::kLogSoftmax, NoParams{}, {y}, "log"));
  const Result<SharedBytes> file = export_tflite(graph, "");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kModelUnsupported);
  EXPECT_THAT(file.error().message, AllOf(HasSubstr("2 operators"), HasSubstr("sin, output 'wave'"),
                                          HasSubstr("log_softmax, output 'log'")));
}

}  // namespace
}  // namespace pj::test
