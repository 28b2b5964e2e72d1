#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::GraphBuilder;
using test::run_pass;
using enum OpKind;

// One operator on x with constant int32 lists as further inputs; the operator after the pass.
Op absorbed(OpKind kind, OpParams params, Shape x, std::vector<std::vector<int32_t>> constants,
            int outputs = 1) {
  GraphBuilder b;
  std::vector<TensorId> inputs = {b.input("x", x)};
  for (size_t i = 0; i < constants.size(); ++i) {
    const auto n = static_cast<int32_t>(constants[i].size());
    const bool pairs = kind == kPad || ((kind == kSpaceToBatch || kind == kBatchToSpace) && i == 1);
    inputs.push_back(b.constant<int32_t>("p", pairs ? Shape{n / 2, 2} : Shape{n}, constants[i]));
  }
  b.output(b.op(kind, params, inputs, "y"));
  for (int i = 1; i < outputs; ++i)
    b.graph.ops[0].outputs.push_back(b.tensor("y2", {}, kind == kTopK ? DType::kI32 : DType::kF32));
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), static_cast<int>(constants.size()));
  EXPECT_EQ(b.graph.ops[0].inputs.size(), 1u);
  EXPECT_EQ(b.graph.tensors.size(), static_cast<size_t>(1 + outputs));
  return b.graph.ops[0];
}

TEST(AbsorbParameters, OfEveryOperator) {
  EXPECT_EQ(absorbed(kReshape, ReshapeParams{}, {2, 6}, {{3, -1}}).as<ReshapeParams>().shape,
            (Dims{3, -1}));
  EXPECT_EQ(absorbed(kExpandDims, ExpandDimsParams{}, {2}, {{-1}}).as<ExpandDimsParams>().axis, -1);
  EXPECT_EQ(absorbed(kTranspose, TransposeParams{}, {2, 6}, {{1, 0}}).as<TransposeParams>().perm,
            (Dims{1, 0}));
  EXPECT_EQ(absorbed(kTile, TileParams{}, {2, 6}, {{1, 2}}).as<TileParams>().multiples,
            (Dims{1, 2}));
  EXPECT_EQ(
      absorbed(kBroadcastTo, BroadcastToParams{}, {1, 6}, {{2, 6}}).as<BroadcastToParams>().shape,
      (Dims{2, 6}));
  EXPECT_EQ(absorbed(kReduce, ReduceParams{}, {2, 6}, {{1}}).as<ReduceParams>().axes, Dims{1});
  EXPECT_EQ(absorbed(kTopK, TopKParams{}, {2, 6}, {{3}}, 2).as<TopKParams>().k, 3);
  EXPECT_EQ(absorbed(kSplit, SplitParams{1, {}}, {2, 6}, {{2, 4}}, 2).as<SplitParams>().sizes,
            (Dims{2, 4}));
  const auto slice = absorbed(kSlice, SliceParams{}, {2, 6}, {{0, 1}, {-1, 2}}).as<SliceParams>();
  EXPECT_EQ(slice.begin, (Dims{0, 1}));
  EXPECT_EQ(slice.size, (Dims{-1, 2}));
  const auto strided =
      absorbed(kStridedSlice, StridedSliceParams{}, {6}, {{1}, {5}, {2}}).as<StridedSliceParams>();
  EXPECT_EQ(strided.begin, Dims{1});
  EXPECT_EQ(strided.end, Dims{5});
  EXPECT_EQ(strided.strides, Dims{2});
  const auto pad = absorbed(kPad, PadParams{}, {2, 6}, {{1, 2, 3, 4}}).as<PadParams>();
  EXPECT_EQ(pad.before, (Dims{1, 3}));
  EXPECT_EQ(pad.after, (Dims{2, 4}));
  const auto resize = absorbed(kResize, ResizeParams{}, {1, 2, 3, 4}, {{5, 7}}).as<ResizeParams>();
  EXPECT_EQ(resize.out_h, 5);
  EXPECT_EQ(resize.out_w, 7);
  const auto blocks =
      absorbed(kSpaceToBatch, SpaceBatchParams{}, {1, 3, 1}, {{2}, {1, 0}}).as<SpaceBatchParams>();
  EXPECT_EQ(blocks.block, Dims{2});
  EXPECT_EQ(blocks.before, Dims{1});
  EXPECT_EQ(blocks.after, Dims{0});
}

TEST(AbsorbParameters, LeavesWhatIsNotConstant) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4, 2});
  const TensorId shape = b.input("shape", {2}, DType::kI32);
  b.output(b.op(kReshape, ReshapeParams{}, {x, shape}, "y"));
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), 0);
  EXPECT_EQ(b.graph.ops[0].inputs.size(), 2u);
}

TEST(AbsorbParameters, KeepsHolesBeforeOtherInputs) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4});
  const TensorId begin = b.constant<int32_t>("begin", {1}, {1});
  const TensorId size = b.input("size", {1}, DType::kI32);
  b.output(b.op(kSlice, SliceParams{}, {x, begin, size}, "y"));
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), 1);
  EXPECT_EQ(b.graph.ops[0].inputs.size(), 3u);
  EXPECT_EQ(b.graph.ops[0].inputs[1], kNoTensor);
  EXPECT_EQ(b.graph.ops[0].as<SliceParams>().begin, Dims{1});
}

TEST(AbsorbParameters, DropsAPadValueOfZeroOnly) {
  const OpParams params = PadParams{PadFn::kConstant, {1}, {1}};
  for (const float value : {0.0f, 1.5f}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {4});
    const TensorId v = b.constant<float>("v", {}, {value});
    b.output(b.op(kPad, params, {x, kNoTensor, v}, "y"));
    EXPECT_EQ(run_pass(absorb_parameters, b.graph), value == 0 ? 1 : 0);
    EXPECT_EQ(b.graph.ops[0].inputs.size(), value == 0 ? 1u : 3u);
  }
  for (const int8_t value : {int8_t{0}, int8_t{-5}}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {4}, DType::kI8, test::quant(0.5f, -5));
    const TensorId v = b.constant<int8_t>("v", {}, {value}, test::quant(0.5f, -5));
    b.output(b.op(kPad, params, {x, kNoTensor, v}, "y"));
    EXPECT_EQ(run_pass(absorb_parameters, b.graph), value == -5 ? 1 : 0);
  }
}

TEST(AbsorbParameters, SplitsManyEqualParts) {
  GraphBuilder b;
  const TensorId x = b.input("x", {20});
  const TensorId sizes = b.constant<int32_t>("sizes", {10}, std::vector<int32_t>(10, 2));
  b.output(b.op(kSplit, SplitParams{}, {x, sizes}, "y"));
  for (int i = 1; i < 10; ++i) b.graph.ops[0].outputs.push_back(b.tensor("y", {}));
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), 1);
  EXPECT_TRUE(b.graph.ops[0].as<SplitParams>().sizes.empty());
}

// An empty list reduces nothing; as an attribute it would mean everything.
TEST(AbsorbParameters, LeavesAnEmptyListOfAxes) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4, 2});
  const TensorId axes = b.constant<int32_t>("axes", {0}, {});
  b.output(b.op(kReduce, ReduceParams{}, {x, axes}, "y"));
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), 0);
}

}  // namespace
}  // namespace pj
