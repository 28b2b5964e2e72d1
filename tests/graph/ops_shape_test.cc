// Shape inference of the operators that move data. Expected shapes follow numpy's and TensorFlow's
// definitions and are worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "tests/graph/graph_builder.h"

namespace pj {
namespace {

using test::GraphBuilder;
using test::quant;
using ::testing::HasSubstr;

// What happens to inputs of the given shapes: the shapes of the outputs, or the message.
struct Case {
  const char* name;
  OpKind kind;
  OpParams params;
  std::vector<Shape> inputs;
  std::vector<Shape> outputs;
  const char* message = "";
};

// `parameters` makes the inputs after the first ones.
Status infer(const Case& c, std::vector<Shape>& shapes,
             const std::function<void(GraphBuilder&, Op&)>& add_parameters = {}) {
  GraphBuilder b;
  Op op{c.kind, c.params, {}, {}, ""};
  for (const Shape& s : c.inputs) op.inputs.push_back(b.input("x", s));
  // Indices are integers.
  if (c.kind == OpKind::kGather || c.kind == OpKind::kGatherNd)
    b.graph.tensor(op.inputs[1]).dtype = DType::kI32;
  const size_t outputs = std::max<size_t>(1, c.outputs.size());
  for (size_t i = 0; i < outputs; ++i) {
    op.outputs.push_back(b.tensor("y", {}, c.kind == OpKind::kShapeOf ? DType::kI64 : DType::kF32));
    b.output(op.outputs.back());
  }
  if (add_parameters) add_parameters(b, op);
  b.graph.ops.push_back(op);
  PJ_TRY(validate(b.graph));
  PJ_TRY(infer_shapes(b.graph));
  for (TensorId id : op.outputs) shapes.push_back(b.graph.tensor(id).shape);
  return {};
}

class InferTest : public ::testing::TestWithParam<Case> {};

TEST_P(InferTest, GivesTheShape) {
  const Case& c = GetParam();
  std::vector<Shape> shapes;
  const Status s = infer(c, shapes);
  if (*c.message == '\0') {
    ASSERT_TRUE(s) << s.error().message;
    ASSERT_EQ(shapes.size(), c.outputs.size());
    for (size_t i = 0; i < shapes.size(); ++i)
      EXPECT_EQ(shapes[i], c.outputs[i]) << i << ": " << to_string(shapes[i]);
  } else {
    ASSERT_FALSE(s);
    EXPECT_THAT(s.error().message, HasSubstr(c.message));
  }
}

StridedSliceParams strided(Dims begin, Dims end, Dims strides, int32_t begin_mask = 0,
                           int32_t end_mask = 0, int32_t ellipsis = 0, int32_t shrink = 0) {
  return {begin, end, strides, begin_mask, end_mask, ellipsis, shrink};
}
SpaceBatchParams blocks(Dims block, Dims before, Dims after) { return {block, before, after}; }

using enum OpKind;

const Case kReshapes[] = {
    {"Reshape", kReshape, ReshapeParams{{3, 4}}, {{2, 6}}, {{3, 4}}},
    {"ReshapeOpen", kReshape, ReshapeParams{{3, -1}}, {{2, 6}}, {{3, 4}}},
    {"ReshapeToScalar", kReshape, ReshapeParams{}, {{1, 1}}, {Shape{}}},
    {"ReshapeUnknown", kReshape, ReshapeParams{{-1, 6}}, {{-1, 2, 3}}, {{-1, 6}}},
    {"ReshapeEmpty", kReshape, ReshapeParams{{0, -1}}, {{0, 4}}, {{0, 0}}},
    {"ReshapeTwoOpen", kReshape, ReshapeParams{{-1, -1}}, {{2, 6}}, {}, "2 dimensions"},
    {"ReshapeNegative", kReshape, ReshapeParams{{-2, 6}}, {{2, 6}}, {}, "dimension -2"},
    {"ReshapeCount", kReshape, ReshapeParams{{5}}, {{2, 6}}, {}, "has 12 elements"},
    {"ReshapeIndivisible", kReshape, ReshapeParams{{5, -1}}, {{2, 6}}, {}, "cannot become 5x?"},
    {"ReshapeZeroOpen", kReshape, ReshapeParams{{0, -1}}, {{2, 6}}, {}, "cannot become"},
    {"ReshapeHuge", kReshape, ReshapeParams{{1 << 30, 1 << 30, 4, -1}}, {{2, 6}}, {}, "cannot"},
    {"SqueezeAll", kSqueeze, SqueezeParams{}, {{1, 3, 1, 2}}, {{3, 2}}},
    {"SqueezeSome", kSqueeze, SqueezeParams{{-2, 0, 0}}, {{1, 1, 1, 2}}, {{1, 2}}},
    {"SqueezeUnknownStays", kSqueeze, SqueezeParams{}, {{-1, 1, 5}}, {{-1, 5}}},
    {"SqueezeNotOne", kSqueeze, SqueezeParams{{1}}, {{1, 3}}, {}, "axis 1 of shape 1x3 is not 1"},
    {"SqueezeAxis", kSqueeze, SqueezeParams{{2}}, {{1, 3}}, {}, "axes 2 is outside [-2, 2)"},
    {"ExpandFront", kExpandDims, ExpandDimsParams{0}, {{3, 4}}, {{1, 3, 4}}},
    {"ExpandBack", kExpandDims, ExpandDimsParams{-1}, {{3, 4}}, {{3, 4, 1}}},
    {"ExpandScalar", kExpandDims, ExpandDimsParams{0}, {Shape{}}, {{1}}},
    {"ExpandAxis", kExpandDims, ExpandDimsParams{3}, {{3, 4}}, {}, "axis 3"},
    {"ExpandMaxRank", kExpandDims, ExpandDimsParams{0}, {Dims::filled(8, 1)}, {}, "8 dimensions"},
    {"ShapeOf", kShapeOf, NoParams{}, {{2, -1, 4}}, {{3}}},
    {"ShapeOfScalar", kShapeOf, NoParams{}, {Shape{}}, {{0}}},
};
const Case kJoins[] = {
    {"Concat", kConcat, ConcatParams{-1}, {{2, 3}, {2, 4}}, {{2, 7}}},
    {"ConcatMerges", kConcat, ConcatParams{0}, {{2, -1}, {1, 5}}, {{3, 5}}},
    {"ConcatUnknownAxis", kConcat, ConcatParams{0}, {{-1, 5}, {1, 5}}, {{-1, 5}}},
    {"ConcatRank", kConcat, ConcatParams{0}, {{2, 3}, {3}}, {}, "must have 2 dimensions"},
    {"ConcatDiffers", kConcat, ConcatParams{0}, {{2, 3}, {2, 4}}, {}, "differs from 2x3 at axis 1"},
    {"ConcatOverflow",
     kConcat,
     ConcatParams{0},
     std::vector<Shape>(5, {500000000, 0}),
     {},
     "2500000000"},
    {"ConcatActivation", kConcat, ConcatParams{0, Activation::kRelu}, {{1}}, {}, "activation"},
    {"ConcatScalar", kConcat, ConcatParams{0}, {Shape{}, Shape{}}, {}, "axis 0"},
    {"SplitEqual", kSplit, SplitParams{1, {}}, {{2, 6}}, {{2, 2}, {2, 2}, {2, 2}}},
    {"SplitSizes", kSplit, SplitParams{-1, {1, -1, 2}}, {{2, 6}}, {{2, 1}, {2, 3}, {2, 2}}},
    {"SplitUnknown", kSplit, SplitParams{0, {}}, {{-1, 6}}, {{-1, 6}, {-1, 6}}},
    {"SplitSizesUnknown", kSplit, SplitParams{0, {1, -1}}, {{-1, 6}}, {{1, 6}, {-1, 6}}},
    {"SplitUneven", kSplit, SplitParams{1, {}}, {{2, 5}}, {{}, {}}, "does not split into 2 parts"},
    {"SplitSum", kSplit, SplitParams{1, {1, 1}}, {{2, 5}}, {{}, {}}, "have 2 elements together"},
    {"SplitTooMuch", kSplit, SplitParams{1, {9, -1}}, {{2, 5}}, {{}, {}}, "9 elements together"},
    {"SplitCount", kSplit, SplitParams{1, {1, 4}}, {{2, 5}}, {{}}, "2 sizes for 1 outputs"},
    {"SplitTwoOpen", kSplit, SplitParams{1, {-1, -1}}, {{2, 5}}, {{}, {}}, "must not be negative"},
    {"SplitNegative", kSplit, SplitParams{1, {-7, 12}}, {{2, 5}}, {{}, {}}, "not be negative"},
    {"Pack", kPack, PackParams{1}, {{2, 3}, {2, 3}}, {{2, 2, 3}}},
    {"PackLast", kPack, PackParams{-1}, {{2, 3}, {2, 3}, {2, -1}}, {{2, 3, 3}}},
    {"PackScalars", kPack, PackParams{0}, {Shape{}, Shape{}}, {{2}}},
    {"PackDiffers", kPack, PackParams{0}, {{2}, {3}}, {}, "differs"},
    {"PackAxis", kPack, PackParams{2}, {{2}, {2}}, {}, "axis 2"},
    {"Unpack", kUnpack, UnpackParams{0}, {{2, 3}}, {{3}, {3}}},
    {"UnpackUnknown", kUnpack, UnpackParams{-1}, {{4, -1}}, {{4}, {4}, {4}}},
    {"UnpackCount", kUnpack, UnpackParams{1}, {{2, 3}}, {{}, {}}, "does not unpack to 2 outputs"},
};
const Case kSlices[] = {
    {"Slice", kSlice, SliceParams{{1, 0}, {2, -1}}, {{4, 5}}, {{2, 5}}},
    {"SliceUnknown", kSlice, SliceParams{{1, 1}, {2, -1}}, {{-1, -1}}, {{2, -1}}},
    {"SliceEmpty", kSlice, SliceParams{{4}, {0}}, {{4}}, {{0}}},
    {"SliceOutside", kSlice, SliceParams{{3}, {2}}, {{4}}, {}, "leaves dimension 0 of size 4"},
    {"SliceBeginOutside", kSlice, SliceParams{{5}, {-1}}, {{4}}, {}, "leaves dimension 0"},
    {"SliceNegativeBegin", kSlice, SliceParams{{-1}, {1}}, {{4}}, {}, "leaves dimension 0"},
    {"SliceOverflow", kSlice, SliceParams{{0x7fffffff}, {0x7fffffff}}, {{4}}, {}, "leaves"},
    {"SliceNegativeSize", kSlice, SliceParams{{0}, {-2}}, {{4}}, {}, "size -2"},
    {"SliceCount", kSlice, SliceParams{{0}, {1}}, {{4, 4}}, {}, "begin has 1 entries"},
    {"Strided", kStridedSlice, strided({1, 0}, {4, 5}, {2, 1}), {{6, 5}}, {{2, 5}}},
    {"StridedNegative", kStridedSlice, strided({-1}, {-4}, {-1}), {{5}}, {{3}}},
    {"StridedReverse", kStridedSlice, strided({0}, {0}, {-2}, 1, 1), {{5}}, {{3}}},
    {"StridedClamps", kStridedSlice, strided({-99}, {99}, {3}), {{7}}, {{3}}},
    {"StridedEmpty", kStridedSlice, strided({4}, {2}, {1}), {{7}}, {{0}}},
    {"StridedShrink", kStridedSlice, strided({-1, 1}, {0, 3}, {1, 1}, 0, 0, 0, 1), {{2, 5}}, {{2}}},
    {"StridedEllipsis",
     kStridedSlice,
     strided({0, 0}, {0, 2}, {1, 1}, 0, 0, 1, 0),
     {{2, 3, 4}},
     {{2, 3, 2}}},
    {"StridedEllipsisShrink",
     kStridedSlice,
     strided({1, 0, 0}, {2, 0, 1}, {1, 1, 1}, 0, 0, 2, 5),
     {{2, 3, 4, 5}},
     {{3, 4}}},
    {"StridedEllipsisOfNothing",
     kStridedSlice,
     strided({1, 0}, {2, 0}, {1, 1}, 0, 0, 2),
     {{4}},
     {{1}}},
    {"StridedFewEntries", kStridedSlice, strided({1}, {2}, {1}), {{4, 7}}, {{1, 7}}},
    {"StridedUnknown", kStridedSlice, strided({0, 1}, {0, 3}, {1, 1}, 1, 1), {{-1, 5}}, {{-1, 2}}},
    {"StridedUnknownShrink", kStridedSlice, strided({0}, {1}, {1}, 0, 0, 0, 1), {{-1, 5}}, {{5}}},
    {"StridedExtreme", kStridedSlice, strided({INT32_MAX}, {INT32_MIN}, {INT32_MIN}), {{4}}, {{1}}},
    {"StridedZero", kStridedSlice, strided({0}, {1}, {0}), {{4}}, {}, "stride of dimension 0 is 0"},
    {"StridedCounts", kStridedSlice, strided({0}, {1, 1}, {1}), {{4}}, {}, "same number"},
    {"StridedTooMany", kStridedSlice, strided({0, 0}, {1, 1}, {1, 1}), {{4}}, {}, "2 entries for"},
    {"StridedIndex",
     kStridedSlice,
     strided({4}, {5}, {1}, 0, 0, 0, 1),
     {{4}},
     {},
     "index 4 is outside dimension 0 of size 4"},
    {"Pad", kPad, PadParams{PadFn::kConstant, {0, 1}, {2, 3}}, {{4, 5}}, {{6, 9}}},
    {"PadUnknown", kPad, PadParams{PadFn::kConstant, {0, 1}, {2, 3}}, {{-1, 5}}, {{-1, 9}}},
    {"PadReflect", kPad, PadParams{PadFn::kReflect, {3}, {3}}, {{4}}, {{10}}},
    {"PadSymmetric", kPad, PadParams{PadFn::kSymmetric, {4}, {0}}, {{4}}, {{8}}},
    {"PadReflectTooMuch", kPad, PadParams{PadFn::kReflect, {4}, {0}}, {{4}}, {}, "mirror more"},
    {"PadSymmetricTooMuch", kPad, PadParams{PadFn::kSymmetric, {0}, {5}}, {{4}}, {}, "mirror more"},
    {"PadNegative", kPad, PadParams{PadFn::kConstant, {-1}, {1}}, {{4}}, {}, "negative"},
    {"PadCount", kPad, PadParams{PadFn::kConstant, {0, 1}, {2, 3}}, {{4}}, {}, "2 entries"},
    {"PadUneven", kPad, PadParams{PadFn::kConstant, {0}, {}}, {{4}}, {}, "1 values before but 0"},
    {"PadOverflow", kPad, PadParams{PadFn::kConstant, {0x7fffffff}, {1}}, {{0}}, {}, "2147483648"},
};
const Case kGathers[] = {
    {"Gather", kGather, GatherParams{1, 0}, {{2, 3, 4}, {5, 6}}, {{2, 5, 6, 4}}},
    {"GatherScalar", kGather, GatherParams{0, 0}, {{3, 4}, Shape{}}, {{4}}},
    {"GatherBatch", kGather, GatherParams{1, 1}, {{2, 3, 4}, {2, 6}}, {{2, 6, 4}}},
    {"GatherBatchNegative", kGather, GatherParams{-1, -1}, {{2, 3}, {2, 6}}, {{2, 6}}},
    {"GatherAxis", kGather, GatherParams{3, 0}, {{2, 3, 4}, {5}}, {}, "axis 3"},
    {"GatherBatchDims", kGather, GatherParams{0, 1}, {{2, 3}, {2}}, {}, "batch_dims 1"},
    {"GatherBatchDiffers", kGather, GatherParams{1, 1}, {{2, 3}, {4}}, {}, "batch dimension 0"},
    {"GatherEmpty", kGather, GatherParams{0, 0}, {{0, 3}, {4}}, {}, "nothing can be gathered"},
    {"GatherNothingFromEmpty", kGather, GatherParams{0, 0}, {{0, 3}, {0}}, {{0, 3}}},
    {"GatherRank", kGather, GatherParams{0, 0}, {Dims::filled(7, 1), {1, 1, 1}}, {}, "more than 8"},
    {"GatherNd", kGatherNd, NoParams{}, {{2, 3, 4}, {5, 2}}, {{5, 4}}},
    {"GatherNdScalar", kGatherNd, NoParams{}, {{2, 3}, {2}}, {Shape{}}},
    {"GatherNdWhole", kGatherNd, NoParams{}, {{2, 3}, {7, 0}}, {{7, 2, 3}}},
    {"GatherNdDepth", kGatherNd, NoParams{}, {{2, 3}, {5, 3}}, {}, "indices of 3 entries"},
    {"GatherNdEmpty", kGatherNd, NoParams{}, {{2, 0}, {5, 2}}, {}, "nothing can be gathered"},
    {"Tile", kTile, TileParams{{2, 1, 0}}, {{3, 4, 5}}, {{6, 4, 0}}},
    {"TileUnknown", kTile, TileParams{{2, 1}}, {{-1, 4}}, {{-1, 4}}},
    {"TileCount", kTile, TileParams{{2}}, {{3, 4}}, {}, "1 multiples"},
    {"TileNegative", kTile, TileParams{{-1}}, {{3}}, {}, "-1 times"},
    {"TileOverflow", kTile, TileParams{{1 << 20}}, {{1 << 20}}, {}, "1099511627776"},
    {"BroadcastTo", kBroadcastTo, BroadcastToParams{{5, 3, 4}}, {{3, 1}}, {{5, 3, 4}}},
    {"BroadcastToUnknown", kBroadcastTo, BroadcastToParams{{5, 3}}, {{-1}}, {{5, 3}}},
    {"BroadcastToDiffers", kBroadcastTo, BroadcastToParams{{5, 3}}, {{2}}, {}, "to 5x3"},
    {"BroadcastToRank", kBroadcastTo, BroadcastToParams{{3}}, {{1, 3}}, {}, "does not broadcast"},
    {"BroadcastToNegative", kBroadcastTo, BroadcastToParams{{-1}}, {{3}}, {}, "dimension -1"},
    {"Transpose", kTranspose, TransposeParams{{2, 0, 1}}, {{2, 3, 4}}, {{4, 2, 3}}},
    {"TransposeNegative", kTranspose, TransposeParams{{-1, 0}}, {{2, -1}}, {{-1, 2}}},
    {"TransposeTwice", kTranspose, TransposeParams{{0, 0}}, {{2, 3}}, {}, "perm [0, 0]"},
    {"TransposeOutside", kTranspose, TransposeParams{{0, 2}}, {{2, 3}}, {}, "perm [0, 2]"},
    {"TransposeCount", kTranspose, TransposeParams{{0}}, {{2, 3}}, {}, "each of 2 dimensions"},
};
const Case kBlocks[] = {
    {"DepthToSpace", kDepthToSpace, BlockParams{2}, {{1, 3, 4, 8}}, {{1, 6, 8, 2}}},
    {"DepthToSpaceUneven", kDepthToSpace, BlockParams{2}, {{1, 3, 4, 6}}, {}, "blocks of 4"},
    {"DepthToSpaceZero", kDepthToSpace, BlockParams{0}, {{1, 3, 4, 6}}, {}, "block 0"},
    {"DepthToSpaceHuge", kDepthToSpace, BlockParams{1 << 30}, {{1, 3, 4, 6}}, {}, "block 107"},
    {"DepthToSpaceRank", kDepthToSpace, BlockParams{2}, {{3, 4, 8}}, {}, "4 dimensions"},
    {"SpaceToDepth", kSpaceToDepth, BlockParams{2}, {{1, 6, 8, 2}}, {{1, 3, 4, 8}}},
    {"SpaceToDepthUnknown", kSpaceToDepth, BlockParams{2}, {{-1, -1, 8, 2}}, {{-1, -1, 4, 8}}},
    {"SpaceToDepthUneven", kSpaceToDepth, BlockParams{2}, {{1, 5, 8, 2}}, {}, "5 elements"},
    {"SpaceToBatch",
     kSpaceToBatch,
     blocks({2, 3}, {0, 1}, {1, 0}),
     {{2, 3, 5, 7}},
     {{12, 2, 2, 7}}},
    {"SpaceToBatchUneven", kSpaceToBatch, blocks({2}, {0}, {0}), {{1, 3, 2}}, {}, "blocks of 2"},
    {"SpaceToBatchCount", kSpaceToBatch, blocks({2, 2}, {0}, {0}), {{1, 2, 2}}, {}, "2 blocks"},
    {"SpaceToBatchRank", kSpaceToBatch, blocks({2, 2}, {0, 0}, {0, 0}), {{4, 4}}, {}, "2 blocks"},
    {"SpaceToBatchNegative", kSpaceToBatch, blocks({2}, {-1}, {1}), {{1, 2}}, {}, "negative"},
    {"SpaceToBatchZero", kSpaceToBatch, blocks({0}, {0}, {0}), {{1, 2}}, {}, "block 0"},
    {"BatchToSpace",
     kBatchToSpace,
     blocks({2, 3}, {0, 1}, {1, 0}),
     {{12, 2, 2, 7}},
     {{2, 3, 5, 7}}},
    {"BatchToSpaceUneven", kBatchToSpace, blocks({2}, {0}, {0}), {{3, 2}}, {}, "blocks of 2"},
    {"BatchToSpaceCrops", kBatchToSpace, blocks({2}, {3}, {2}), {{2, 2}}, {}, "would be -1"},
};

auto case_name = [](const auto& p) { return std::string(p.param.name); };
INSTANTIATE_TEST_SUITE_P(Reshapes, InferTest, ::testing::ValuesIn(kReshapes), case_name);
INSTANTIATE_TEST_SUITE_P(Joins, InferTest, ::testing::ValuesIn(kJoins), case_name);
INSTANTIATE_TEST_SUITE_P(Slices, InferTest, ::testing::ValuesIn(kSlices), case_name);
INSTANTIATE_TEST_SUITE_P(Gathers, InferTest, ::testing::ValuesIn(kGathers), case_name);
INSTANTIATE_TEST_SUITE_P(Blocks, InferTest, ::testing::ValuesIn(kBlocks), case_name);

void PrintTo(const Case& c, std::ostream* os) { *os << c.name; }

// --- parameters that are inputs ------------------------------------------------------------------

struct ParameterCase {
  const char* name;
  Case base;
  std::vector<std::vector<int32_t>> constants;  // one list an input after the first
};

class ParameterTest : public ::testing::TestWithParam<ParameterCase> {};
void PrintTo(const ParameterCase& c, std::ostream* os) { *os << c.name; }

Shape parameter_shape(OpKind kind, size_t i, size_t count) {
  const auto n = static_cast<int32_t>(count);
  const bool pairs =
      (kind == kPad && i == 0) || ((kind == kSpaceToBatch || kind == kBatchToSpace) && i == 1);
  return pairs ? Shape{n / 2, 2} : Shape{n};
}

TEST_P(ParameterTest, ConstantsOfBothTypesCountLikeAttributes) {
  const ParameterCase& c = GetParam();
  for (const bool wide : {false, true}) {
    std::vector<Shape> shapes;
    const Status s = infer(c.base, shapes, [&](GraphBuilder& b, Op& op) {
      for (size_t i = 0; i < c.constants.size(); ++i) {
        const std::vector<int32_t>& v = c.constants[i];
        const Shape shape = parameter_shape(op.kind, i, v.size());
        op.inputs.push_back(wide ? b.constant<int64_t>("p", shape, {v.begin(), v.end()})
                                 : b.constant<int32_t>("p", shape, v));
      }
    });
    ASSERT_TRUE(s) << s.error().message;
    EXPECT_EQ(shapes, c.base.outputs);
  }
}

// Without the values only the rank is known.
TEST_P(ParameterTest, UnknownValuesGiveUnknownDimensions) {
  const ParameterCase& c = GetParam();
  std::vector<Shape> shapes;
  const Status s = infer(c.base, shapes, [&](GraphBuilder& b, Op& op) {
    for (size_t i = 0; i < c.constants.size(); ++i)
      op.inputs.push_back(
          b.input("p", parameter_shape(op.kind, i, c.constants[i].size()), DType::kI32));
  });
  ASSERT_TRUE(s) << s.error().message;
  ASSERT_EQ(shapes.size(), c.base.outputs.size());
  for (size_t i = 0; i < shapes.size(); ++i) {
    EXPECT_EQ(shapes[i].rank(), c.base.outputs[i].rank());
    EXPECT_FALSE(is_static(shapes[i])) << to_string(shapes[i]);
  }
}

const ParameterCase kParameters[] = {
    {"Reshape", {"", kReshape, ReshapeParams{}, {{2, 6}}, {{3, 4}}}, {{3, -1}}},
    {"ExpandDims", {"", kExpandDims, ExpandDimsParams{}, {{2, 6}}, {{2, 6, 1}}}, {{-1}}},
    {"Transpose", {"", kTranspose, TransposeParams{}, {{2, 6}}, {{6, 2}}}, {{1, 0}}},
    {"Split", {"", kSplit, SplitParams{1, {}}, {{2, 6}}, {{2, 2}, {2, 4}}}, {{2, -1}}},
    {"Slice", {"", kSlice, SliceParams{}, {{2, 6}}, {{1, 2}}}, {{1, 3}, {1, 2}}},
    {"Strided",
     {"", kStridedSlice, StridedSliceParams{}, {{2, 6}}, {{1, 3}}},
     {{1, 0}, {2, 6}, {1, 2}}},
    {"StridedShrink",
     {"", kStridedSlice, strided({}, {}, {}, 0, 0, 0, 1), {{2, 6}}, {{3}}},
     {{1, 0}, {2, 6}, {1, 2}}},
    {"Pad", {"", kPad, PadParams{}, {{2, 6}}, {{3, 10}}}, {{1, 0, 2, 2}}},
    {"Tile", {"", kTile, TileParams{}, {{2, 6}}, {{4, 18}}}, {{2, 3}}},
    {"BroadcastTo", {"", kBroadcastTo, BroadcastToParams{}, {{2, 1}}, {{2, 9}}}, {{2, 9}}},
    {"SpaceToBatch",
     {"", kSpaceToBatch, SpaceBatchParams{}, {{1, 3, 4}}, {{2, 2, 4}}},
     {{2}, {1, 0}}},
    {"BatchToSpace",
     {"", kBatchToSpace, SpaceBatchParams{}, {{2, 2, 4}}, {{1, 3, 4}}},
     {{2}, {1, 0}}},
};
INSTANTIATE_TEST_SUITE_P(Parameters, ParameterTest, ::testing::ValuesIn(kParameters), case_name);

TEST(Parameters, MustBeIntegers) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4});
  const TensorId p = b.constant<float>("p", {1}, {4});
  b.output(b.op(kReshape, ReshapeParams{}, {x, p}, "y"));
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message, HasSubstr("input 1 'p' is f32"));
}

TEST(Parameters, MustNotBeTooMany) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1});
  const TensorId p = b.constant<int32_t>("p", {9}, std::vector<int32_t>(9, 1));
  b.output(b.op(kReshape, ReshapeParams{}, {x, p}, "y"));
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message, HasSubstr("'p' has 9 values; at most 8"));
}

TEST(Parameters, SaturateTo32Bits) {
  GraphBuilder b;
  const TensorId x = b.input("x", {5});
  const TensorId begin = b.constant<int64_t>("b", {1}, {1});
  const TensorId end = b.constant<int64_t>("e", {1}, {INT64_MAX});
  const TensorId one = b.constant<int64_t>("s", {1}, {1});
  const TensorId y = b.op(kStridedSlice, StridedSliceParams{}, {x, begin, end, one}, "y");
  b.output(y);
  ASSERT_TRUE(infer_shapes(b.graph));
  EXPECT_EQ(b.graph.tensor(y).shape, Shape{4});
}

TEST(Parameters, ReshapeByAListOfUnknownLengthKeepsTheDeclaredRank) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4});
  const TensorId p = b.input("p", {-1}, DType::kI32);
  const TensorId y = b.op(kReshape, ReshapeParams{}, {x, p}, "y");
  b.graph.tensor(y).shape = {2, 2};
  b.output(y);
  ASSERT_TRUE(infer_shapes(b.graph));
  EXPECT_EQ(b.graph.tensor(y).shape, (Shape{-1, -1}));
}

TEST(Split, IntoManyPartsHasToBeEqual) {
  GraphBuilder b;
  const TensorId x = b.input("x", {20});
  const TensorId sizes = b.constant<int32_t>("sizes", {10}, std::vector<int32_t>(10, 2));
  b.output(b.op(kSplit, SplitParams{}, {x, sizes}, "y"));
  for (int i = 1; i < 10; ++i) b.graph.ops[0].outputs.push_back(b.tensor("y", {}));
  EXPECT_TRUE(validate(b.graph));
  ASSERT_TRUE(infer_shapes(b.graph));
  EXPECT_EQ(b.graph.tensor(b.graph.ops[0].outputs[9]).shape, Shape{2});
  std::vector<int32_t> uneven(10, 2);
  uneven[0] = 1;
  uneven[1] = 3;
  b.graph.tensor(sizes).data = SharedBytes::copy_of(std::as_bytes(std::span(uneven)));
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().code, ErrorCode::kModelUnsupported);
}

// --- quantisation and types ----------------------------------------------------------------------

TEST(Concat, NeedsAllScalesOrNone) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2}, DType::kI8, quant(0.5f, 3));
  const TensorId y = b.input("y", {2}, DType::kI8, quant(0.25f, -3));
  b.output(b.op(kConcat, ConcatParams{0}, {x, y}, "z"));
  EXPECT_TRUE(validate(b.graph));
  b.graph.tensor(y).quant = {};
  const Status s = validate(b.graph);
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message, HasSubstr("input 1 'y' has no scale"));
}

TEST(Concat, Of32BitsNeedsEqualScales) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2}, DType::kI32, quant(0.5f));
  const TensorId y = b.input("y", {2}, DType::kI32, quant(0.25f));
  b.output(b.op(kConcat, ConcatParams{0}, {x, y}, "z"));
  EXPECT_FALSE(validate(b.graph));
  b.graph.tensor(y).quant = quant(0.5f);
  EXPECT_TRUE(validate(b.graph));
}

TEST(Gather, NeedsIntegerIndices) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  b.output(b.op(kGather, GatherParams{}, {x, x}, "y"));
  EXPECT_FALSE(validate(b.graph));
}

TEST(Pad, ValueMustFit) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId value = b.constant<float>("v", {2}, {1, 2});
  const OpParams pad = PadParams{PadFn::kConstant, {1}, {1}};
  b.output(b.op(kPad, pad, {x, kNoTensor, value}, "y"));
  ASSERT_TRUE(validate(b.graph));
  EXPECT_FALSE(infer_shapes(b.graph));
  b.graph.tensor(value).shape = {1, 1};
  EXPECT_TRUE(infer_shapes(b.graph));
  b.graph.tensor(value).dtype = DType::kI32;
  EXPECT_FALSE(validate(b.graph));
  b.graph.tensor(value).dtype = DType::kF32;
  b.graph.ops[0].as<PadParams>().fn = PadFn::kReflect;
  EXPECT_FALSE(validate(b.graph));
}

TEST(ShapeOf, GivesIntegers) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  b.output(b.op(kShapeOf, NoParams{}, {x}, "y"));
  EXPECT_FALSE(validate(b.graph));
}

}  // namespace
}  // namespace pj
