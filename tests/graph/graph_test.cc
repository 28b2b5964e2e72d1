// The border: validate() names each defect, and nothing that it lets pass breaks inference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_table.h"
#include "tests/graph/graph_builder.h"

namespace pj {
namespace {

using test::GraphBuilder;
using test::quant;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// x -> reshape -> y -> concat(y, c) -> z
GraphBuilder small_graph() {
  GraphBuilder b;
  const TensorId x = b.input("x", {2, 3});
  const TensorId c = b.constant<float>("c", {2, 2}, {1, 2, 3, 4});
  const TensorId y = b.op(OpKind::kReshape, ReshapeParams{{2, -1}}, {x}, "y");
  b.output(b.op(OpKind::kConcat, ConcatParams{1}, {y, c}, "z"));
  return b;
}

enum : TensorId { kX = 0, kC = 1, kY = 2, kZ = 3 };

struct Defect {
  const char* name;
  std::function<void(Graph&)> inflict;
  ErrorCode code;
  const char* message;
};

class ValidateTest : public ::testing::TestWithParam<Defect> {};

TEST_P(ValidateTest, NamesTheDefect) {
  GraphBuilder b = small_graph();
  ASSERT_TRUE(validate(b.graph));
  GetParam().inflict(b.graph);
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, GetParam().code) << s.error().message;
  EXPECT_THAT(s.error().message, HasSubstr(GetParam().message));
}

constexpr auto kInvalid = ErrorCode::kModelInvalid;
constexpr auto kLimit = ErrorCode::kLimitExceeded;
constexpr auto kUnsupported = ErrorCode::kModelUnsupported;

const Defect kDefects[] = {
    {"DType", [](Graph& g) { g.tensor(kX).dtype = static_cast<DType>(8); }, kInvalid,
     "tensor 0 'x': element type 8"},
    {"RankAboveMax", [](Graph& g) { g.tensor(kX).shape.count = 9; }, kLimit, "9 dimensions"},
    {"RankNegative", [](Graph& g) { g.tensor(kX).shape.count = -1; }, kLimit, "-1 dimensions"},
    {"DimensionNegative",
     [](Graph& g) {
       g.tensor(kX).shape = {2, -2};
     },
     kInvalid, "dimension 1 of its shape is -2"},
    {"TooManyBytes",
     [](Graph& g) {
       g.tensor(kX).shape = {1 << 16, 1 << 15};
     },
     kLimit, "f32 of shape 65536x32768 takes more than"},
    {"ProductOverflows",
     [](Graph& g) {
       g.tensor(kX).shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
     },
     kLimit, "more than"},
    // The product is 0, but walking it dimension by dimension would overflow.
    {"ProductOverflowsBeforeZero",
     [](Graph& g) {
       g.tensor(kX).shape = {1 << 30, 1 << 30, 1 << 30, 0};
     },
     kLimit, "more than"},
    {"ProductOverflowsWithUnknown",
     [](Graph& g) {
       g.tensor(kX).shape = {-1, 1 << 30, 1 << 30, 1 << 30};
     },
     kLimit, "more than"},
    {"ScaleOnFloat", [](Graph& g) { g.tensor(kX).quant = quant(1); }, kInvalid,
     "it is f32 and has a scale"},
    {"ScaleNaN",
     [](Graph& g) { g.tensor(kX).quant = quant(std::numeric_limits<float>::quiet_NaN()); },
     kInvalid, "scale nan"},
    {"ScaleZero", [](Graph& g) { g.tensor(kX).quant = quant(0); }, kInvalid, "scale 0"},
    {"ScaleNegative", [](Graph& g) { g.tensor(kX).quant = quant(-1); }, kInvalid, "scale -1"},
    {"ScaleInfinite", [](Graph& g) { g.tensor(kX).quant = quant(INFINITY); }, kInvalid,
     "scale inf"},
    {"ZeroPointsMissing",
     [](Graph& g) {
       g.tensor(kX).dtype = DType::kI8;
       g.tensor(kX).quant = {{1, 1}, {0}, 0};
     },
     kInvalid, "2 scales but 1 zero points"},
    {"ZeroPointOutOfRange",
     [](Graph& g) {
       g.tensor(kX).dtype = DType::kU8;
       g.tensor(kX).quant = quant(1, -1);
     },
     kInvalid, "zero point -1 is outside the range of uint8"},
    {"ChannelZeroPoint",
     [](Graph& g) {
       g.tensor(kX).dtype = DType::kI8;
       g.tensor(kX).quant = {{1, 1}, {0, 5}, 0};
     },
     kUnsupported, "zero point 5 with a scale per channel"},
    {"ChannelCount",
     [](Graph& g) {
       g.tensor(kX).dtype = DType::kI8;
       g.tensor(kX).quant = {{1, 1}, {0, 0}, 1};
     },
     kInvalid, "2 scales for 3 channels (axis 1)"},
    {"ChannelAxis",
     [](Graph& g) {
       g.tensor(kX).dtype = DType::kI8;
       g.tensor(kX).quant = {{1, 1}, {0, 0}, 2};
     },
     kInvalid, "axis 2, which shape 2x3 does not have"},
    {"ConstantTooShort",
     [](Graph& g) { g.tensor(kC).data.bytes = g.tensor(kC).data.bytes.first(15); }, kInvalid,
     "it has 15 bytes of data; f32 of shape 2x2 takes 16"},
    {"ConstantTooLong",
     [](Graph& g) {
       g.tensor(kC).shape = {2, 1};
     },
     kInvalid, "it has 16 bytes of data"},
    {"ConstantUnknownShape",
     [](Graph& g) {
       g.tensor(kC).shape = {-1, 2};
     },
     kInvalid, "its shape ?x2 is not known"},
    {"ConstantMisaligned",
     [](Graph& g) {
       g.tensor(kC).shape = {1, 3};
       g.tensor(kC).data.bytes = g.tensor(kC).data.bytes.subspan(2, 12);
     },
     kInvalid, "not aligned to 4 bytes"},
    {"GraphInputOutOfRange", [](Graph& g) { g.inputs = {4}; }, kInvalid,
     "graph input 4 is not one of the 4 tensors"},
    {"GraphInputNegative", [](Graph& g) { g.inputs = {-1}; }, kInvalid, "graph input -1"},
    {"GraphInputConstant", [](Graph& g) { g.inputs.push_back(kC); }, kInvalid,
     "graph input tensor 1 'c' is a constant"},
    {"GraphInputTwice", [](Graph& g) { g.inputs.push_back(kX); }, kInvalid, "gets a value twice"},
    {"GraphInputProduced", [](Graph& g) { g.inputs.push_back(kY); }, kInvalid,
     "gets a value twice"},
    {"NoOutputs", [](Graph& g) { g.outputs.clear(); }, kInvalid, "no outputs"},
    {"GraphOutputOutOfRange", [](Graph& g) { g.outputs = {99}; }, kInvalid, "graph output 99"},
    {"GraphOutputNotProduced", [](Graph& g) { g.outputs = {g.add_tensor({})}; }, kInvalid,
     "graph output tensor 4 '' has no producer"},
    {"OpKind", [](Graph& g) { g.ops[0].kind = static_cast<OpKind>(200); }, kInvalid,
     "node 0: operator kind 200"},
    {"ParamsOfAnotherKind", [](Graph& g) { g.ops[0].params = ConcatParams{}; }, kInvalid,
     "reshape has the attributes of another operator"},
    {"EnumOutOfRange",
     [](Graph& g) { g.ops[1].as<ConcatParams>().activation = static_cast<Activation>(77); },
     kInvalid, "node 1: concat: attribute activation has no value 77"},
    {"DimsOutOfRange", [](Graph& g) { g.ops[0].as<ReshapeParams>().shape.count = 9; }, kInvalid,
     "attribute shape has 9 entries"},
    {"DimsNegative", [](Graph& g) { g.ops[0].as<ReshapeParams>().shape.count = -3; }, kInvalid,
     "attribute shape has -3 entries"},
    {"TooFewInputs", [](Graph& g) { g.ops[0].inputs.clear(); }, kInvalid,
     "reshape, node 0, output 'y': it has 0 inputs; from 1 to 2"},
    {"TooManyInputs",
     [](Graph& g) {
       g.ops[0].inputs = {kX, kX, kX};
     },
     kInvalid, "it has 3 inputs"},
    {"NoOpOutputs", [](Graph& g) { g.ops[0].outputs.clear(); }, kInvalid, "it has 0 outputs"},
    {"TooManyOpOutputs",
     [](Graph& g) {
       g.ops[0].outputs = {kY, kZ};
     },
     kInvalid, "it has 2 outputs"},
    {"RequiredInputAbsent", [](Graph& g) { g.ops[0].inputs = {kNoTensor}; }, kInvalid,
     "input 0 is missing"},
    {"ListInputAbsent", [](Graph& g) { g.ops[1].inputs[1] = kNoTensor; }, kInvalid,
     "input 1 is missing"},
    {"InputOutOfRange", [](Graph& g) { g.ops[1].inputs[1] = 4; }, kInvalid,
     "input 4 is not one of the 4 tensors"},
    {"InputNegative", [](Graph& g) { g.ops[1].inputs[1] = -2; }, kInvalid, "input -2"},
    {"OutputOutOfRange", [](Graph& g) { g.ops[1].outputs[0] = 4; }, kInvalid, "output 4"},
    {"OutputAbsent", [](Graph& g) { g.ops[1].outputs[0] = kNoTensor; }, kInvalid, "output -1"},
    {"ProducedTwice", [](Graph& g) { g.ops[1].outputs[0] = kY; }, kInvalid,
     "tensor 2 'y' gets a value twice"},
    {"ProducesConstant", [](Graph& g) { g.ops[1].outputs[0] = kC; }, kInvalid,
     "a constant and produced"},
    {"ProducesInput", [](Graph& g) { g.ops[1].outputs[0] = kX; }, kInvalid, "gets a value twice"},
    {"OrderNotTopological", [](Graph& g) { std::swap(g.ops[0], g.ops[1]); }, kInvalid,
     "concat, node 0, output 'z': input 0, tensor 2 'y', has no value"},
    {"ReadsItself", [](Graph& g) { g.ops[0].inputs[0] = kY; }, kInvalid, "has no value"},
    {"DTypesDiffer", [](Graph& g) { g.tensor(kZ).dtype = DType::kI32; }, kInvalid,
     "output 0 'z' is int32 but input 0 is f32"},
};

INSTANTIATE_TEST_SUITE_P(Defects, ValidateTest, ::testing::ValuesIn(kDefects),
                         [](const auto& p) { return std::string(p.param.name); });

TEST(Validate, AcceptsUnknownDimensionsAndEmptyTensors) {
  GraphBuilder b = small_graph();
  b.graph.tensor(kX).shape = {-1, 3};
  EXPECT_TRUE(validate(b.graph));
  b.graph.tensor(kX).shape = {0, 3};
  EXPECT_TRUE(validate(b.graph));
}

TEST(Validate, AcceptsOutputsThatAreInputsOrConstants) {
  GraphBuilder b = small_graph();
  b.graph.outputs = {kX, kC, kZ, kZ};
  EXPECT_TRUE(validate(b.graph));
}

TEST(Validate, AcceptsScalesPerChannel) {
  GraphBuilder b = small_graph();
  b.graph.tensor(kC).dtype = DType::kI32;
  b.graph.tensor(kC).quant = {{1, 2}, {0, 0}, 1};
  b.graph.ops.pop_back();
  b.graph.outputs = {kY};
  EXPECT_TRUE(validate(b.graph));
}

TEST(InferShapes, FillsInAndCorrects) {
  GraphBuilder b = small_graph();
  b.graph.tensor(kZ).shape = {17};
  ASSERT_TRUE(validate(b.graph));
  ASSERT_TRUE(infer_shapes(b.graph));
  EXPECT_EQ(b.graph.tensor(kY).shape, (Shape{2, 3}));
  EXPECT_EQ(b.graph.tensor(kZ).shape, (Shape{2, 5}));
}

TEST(InferShapes, KeepsUnknownDimensions) {
  GraphBuilder b = small_graph();
  b.graph.tensor(kX).shape = {-1, 3};
  ASSERT_TRUE(infer_shapes(b.graph));
  EXPECT_EQ(b.graph.tensor(kY).shape, (Shape{2, -1}));
  EXPECT_EQ(b.graph.tensor(kZ).shape, (Shape{2, -1}));
}

TEST(InferShapes, NamesTheOperator) {
  GraphBuilder b = small_graph();
  b.graph.tensor(kX).shape = {5, 1};
  const Status s = infer_shapes(b.graph);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message,
            "reshape, node 0, output 'y': shape 5x1 has 5 elements and cannot become 2x?");
}

TEST(InferShapes, EnforcesTheSizeLimit) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1 << 15, 1});
  b.output(b.op(OpKind::kTile, TileParams{{1, 1 << 16}}, {x}, "y"));
  ASSERT_TRUE(validate(b.graph));
  const Status s = infer_shapes(b.graph);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, kLimit);
  EXPECT_THAT(s.error().message, HasSubstr("tile, node 0, output 'y': tensor 1 'y'"));
}

TEST(InferShapes, ChecksScalesAgainstTheInferredShape) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4, 2}, DType::kI8);
  b.output(b.op(OpKind::kTranspose, TransposeParams{{1, 0}}, {x}, "y", DType::kI8,
                {{1, 1, 1}, {0, 0, 0}, 0}));
  b.graph.tensor(1).shape = {3};
  ASSERT_TRUE(validate(b.graph));
  const Status s = infer_shapes(b.graph);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message, HasSubstr("3 scales for 2 channels (axis 0)"));
}

TEST(Uses, FindsProducersAndConsumers) {
  GraphBuilder b = small_graph();
  b.graph.ops[1].inputs = {kY, kY};
  const Uses uses = find_uses(b.graph);
  EXPECT_EQ(uses.producer, (std::vector<int32_t>{-1, -1, 0, 1}));
  EXPECT_THAT(uses.consumers(kX), ElementsAre(0));
  EXPECT_THAT(uses.consumers(kY), ElementsAre(1, 1));
  EXPECT_TRUE(uses.consumers(kC).empty());
  EXPECT_EQ(uses.is_output, (std::vector<bool>{false, false, false, true}));
}

TEST(Describe, NamesOperatorsAndTensors) {
  GraphBuilder b = small_graph();
  EXPECT_EQ(describe(b.graph, 1), "concat, node 1, output 'z'");
  EXPECT_EQ(describe_tensor(b.graph, kC), "tensor 1 'c'");
  EXPECT_EQ(describe_tensor(b.graph, 99), "tensor 99");
  b.graph.ops[1].outputs.clear();
  EXPECT_EQ(describe(b.graph, 1), "concat, node 1");
}

TEST(SharedBytes, CopiesToAlignedMemory) {
  std::vector<std::byte> source(100, std::byte{7});
  const SharedBytes copy = SharedBytes::copy_of(std::span(source).subspan(1, 99));
  source.assign(100, std::byte{0});
  ASSERT_EQ(copy.bytes.size(), 99u);
  EXPECT_EQ(copy.bytes[98], std::byte{7});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(copy.bytes.data()) % 64, 0u);
  EXPECT_TRUE(SharedBytes::copy_of({}).empty());
}

TEST(OpTable, RowsAreConsistent) {
  for (int i = 0; i < kOpKindCount; ++i) {
    const auto kind = static_cast<OpKind>(i);
    const OpInfo& info = op_info(kind);
    EXPECT_EQ(info.kind, kind);
    EXPECT_GE(info.required_inputs, 1) << name_of(kind);
    EXPECT_LE(info.required_inputs, info.min_inputs) << name_of(kind);
    EXPECT_LE(info.min_inputs, info.max_inputs) << name_of(kind);
    EXPECT_LE(info.first_parameter_input, info.max_inputs) << name_of(kind);
    EXPECT_GE(info.min_outputs, 1) << name_of(kind);
    EXPECT_LE(info.min_outputs, info.max_outputs) << name_of(kind);
  }
}

TEST(OpTable, KnowsParameterInputs) {
  EXPECT_FALSE(is_parameter_input(OpKind::kReshape, 0));
  EXPECT_TRUE(is_parameter_input(OpKind::kReshape, 1));
  EXPECT_TRUE(is_parameter_input(OpKind::kStridedSlice, 3));
  EXPECT_TRUE(is_parameter_input(OpKind::kPad, 1));
  EXPECT_FALSE(is_parameter_input(OpKind::kPad, 2));
  EXPECT_FALSE(is_parameter_input(OpKind::kConv2D, 2));
  EXPECT_FALSE(is_parameter_input(OpKind::kConcat, 40));
}

TEST(MacCount, CountsProducts) {
  GraphBuilder b;
  const TensorId x = b.tensor("x", {1, 8, 8, 6});
  const TensorId w = b.tensor("w", {4, 3, 3, 6});
  const TensorId y = b.tensor("y", {1, 4, 4, 4});
  auto count = [&](OpKind kind, OpParams params) {
    return mac_count(b.graph, Op{kind, params, {x, w}, {y}, ""});
  };
  EXPECT_EQ(count(OpKind::kConv2D, Conv2DParams{}), 64 * 54);
  EXPECT_EQ(count(OpKind::kDepthwiseConv2D, DepthwiseConv2DParams{}), 64 * 9);
  EXPECT_EQ(count(OpKind::kTransposeConv2D, TransposeConv2DParams{}), 64 * 4 * 54);
  EXPECT_EQ(count(OpKind::kBinary, BinaryParams{}), 0);
  b.graph.tensor(x).shape = {5, 7};
  b.graph.tensor(w).shape = {3, 7};
  b.graph.tensor(y).shape = {5, 3};
  EXPECT_EQ(count(OpKind::kFullyConnected, FullyConnectedParams{}), 105);
  b.graph.tensor(w).shape = {7, 3};
  EXPECT_EQ(count(OpKind::kBatchMatMul, BatchMatMulParams{}), 105);
  b.graph.tensor(x).shape = {7, 5};
  EXPECT_EQ(count(OpKind::kBatchMatMul, BatchMatMulParams{true, false}), 105);
}

TEST(MacCount, Saturates) {
  GraphBuilder b;
  const TensorId x = b.tensor("x", {1, 1, 1, 1}), w = b.tensor("w", {1, 1 << 16, 1 << 15, 1}),
                 y = b.tensor("y", {1 << 10, 1 << 10, 1 << 12, 1});
  EXPECT_EQ(mac_count(b.graph, Op{OpKind::kConv2D, Conv2DParams{}, {x, w}, {y}, ""}),
            std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace pj
