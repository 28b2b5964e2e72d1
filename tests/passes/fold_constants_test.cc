#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::find;
using test::GraphBuilder;
using test::run_pass;
using test::values_of;
using enum OpKind;

BinaryParams add() { return {BinaryFn::kAdd, Activation::kNone}; }

TEST(FoldConstants, EvaluatesChains) {
  GraphBuilder b;
  const TensorId x = b.input("x", {3, 2});
  const TensorId c = b.constant<float>("c", {2, 3}, {1, 2, 3, 4, 5, 6});
  const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {c}, "t");
  const TensorId n = b.op(kUnary, test::kNeg, {t}, "n");
  b.output(b.op(kBinary, add(), {x, n}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 2);
  ASSERT_EQ(b.graph.ops.size(), 1u);
  const Tensor& folded = b.graph.tensor(b.graph.ops[0].inputs[1]);
  EXPECT_EQ(folded.name, "n");
  EXPECT_TRUE(folded.constant);
  EXPECT_EQ(values_of<float>(folded), (std::vector<float>{-1, -4, -2, -5, -3, -6}));
}

TEST(FoldConstants, EveryOutput) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId c = b.constant<float>("c", {4}, {1, 2, 3, 4});
  const TensorId first = b.op(kSplit, SplitParams{0, {}}, {c}, "first");
  const TensorId second = b.tensor("second", {});
  b.graph.ops[0].outputs.push_back(second);
  b.output(b.op(kBinary, add(), {x, first}, "y"));
  b.output(b.op(kBinary, add(), {x, second}, "z"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 1);
  EXPECT_EQ(values_of<float>(b.graph.tensor(find(b.graph, "second"))), (std::vector<float>{3, 4}));
}

// The idiom of exporters: the batch size taken from the input, the rest constant.
TEST(FoldConstants, ShapeArithmetic) {
  GraphBuilder b;
  const TensorId x = b.input("x", {5, 2, 3});
  const TensorId shape = b.op(kShapeOf, NoParams{}, {x}, "shape", DType::kI32);
  StridedSliceParams first{{0}, {1}, {1}, 0, 0, 0, 1};
  const TensorId batch = b.op(kStridedSlice, first, {shape}, "batch");
  const TensorId six = b.constant<int32_t>("six", {}, {6});
  const TensorId target = b.op(kPack, PackParams{0}, {batch, six}, "target");
  const TensorId y = b.op(kReshape, ReshapeParams{}, {x, target}, "y");
  // Its shape is known once `target` is.
  const TensorId again = b.op(kShapeOf, NoParams{}, {y}, "again", DType::kI32);
  b.output(b.op(kReshape, ReshapeParams{}, {y, again}, "z"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 4);
  EXPECT_EQ(b.graph.ops.size(), 2u);
  EXPECT_EQ(b.graph.tensor(find(b.graph, "z")).shape, (Shape{5, 6}));
}

TEST(FoldConstants, NotTheShapeOfUnknownDimensions) {
  GraphBuilder b;
  const TensorId x = b.input("x", {-1, 2});
  const TensorId shape = b.op(kShapeOf, NoParams{}, {x}, "shape", DType::kI32);
  b.output(b.op(kReshape, ReshapeParams{}, {x, shape}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 0);
}

TEST(FoldConstants, NotWhatAGraphOutputNames) {
  GraphBuilder b;
  b.input("x", {1});
  const TensorId c = b.constant<float>("c", {1}, {1});
  b.output(b.op(kUnary, test::kNeg, {c}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 0);
}

TEST(FoldConstants, NotWithParametersLeft) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId c = b.constant<float>("c", {1, 2}, {1, 2});
  const TensorId p = b.constant<int32_t>("p", {1}, {2});
  const TensorId r = b.op(kReshape, ReshapeParams{}, {c, p}, "r");
  b.output(b.op(kBinary, add(), {x, r}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 0);
  EXPECT_EQ(run_pass(absorb_parameters, b.graph), 1);
  EXPECT_EQ(run_pass(fold_constants, b.graph), 1);
}

TEST(FoldConstants, NotF16ToF32) {
  for (const OpKind kind : {kDequantize, kCast}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {2});
    const TensorId c = b.constant<Half>("c", {2}, {to_half(1), to_half(2)});
    const TensorId d = b.op(kind, NoParams{}, {c}, "d", DType::kF32);
    b.output(b.op(kBinary, add(), {x, d}, "y"));
    EXPECT_EQ(run_pass(fold_constants, b.graph), 0);
  }
}

TEST(FoldConstants, DequantizesIntegers) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  const TensorId c = b.constant<int8_t>("c", {2}, {3, -1}, test::quant(0.5f, 1));
  const TensorId d = b.op(kDequantize, NoParams{}, {c}, "d", DType::kF32);
  b.output(b.op(kBinary, add(), {x, d}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 1);
  EXPECT_EQ(values_of<float>(b.graph.tensor(find(b.graph, "d"))), (std::vector<float>{1, -1}));
}

TEST(FoldConstants, NotWhatGrowsALot) {
  // 4 bytes become 64 KiB: small. One element more is too much for its source.
  for (const int32_t count : {16 << 10, (16 << 10) + 1}) {
    GraphBuilder b;
    const TensorId x = b.input("x", {count});
    const TensorId c = b.constant<float>("c", {1}, {1});
    const TensorId t = b.op(kTile, TileParams{{count}}, {c}, "t");
    b.output(b.op(kBinary, add(), {x, t}, "y"));
    EXPECT_EQ(run_pass(fold_constants, b.graph), count == 16 << 10 ? 1 : 0);
  }
}

// Each of a thousand copies would be as large as its source, which is fine for one.
TEST(FoldConstants, NotManyTimesTheFile) {
  GraphBuilder b;
  constexpr int32_t kBytes = 1 << 20;
  const TensorId c = b.constant<uint8_t>("c", {kBytes, 1}, std::vector<uint8_t>(kBytes));
  const TensorId x = b.input("x", {1, kBytes}, DType::kU8);
  for (int i = 0; i < 200; ++i) {
    const TensorId t = b.op(kTranspose, TransposeParams{{1, 0}}, {c}, "t");
    b.output(b.op(kConcat, ConcatParams{0}, {x, t}, "y"));
  }
  EXPECT_EQ(run_pass(fold_constants, b.graph), 65);  // the free 64 MiB and once the constants
}

TEST(FoldConstants, NotWhatTakesLong) {
  GraphBuilder b;
  constexpr int32_t n = 1024;
  const TensorId x = b.input("x", {n, n});
  const TensorId c = b.constant<float>("c", {n, n}, std::vector<float>(n * n));
  const TensorId m = b.op(kBatchMatMul, BatchMatMulParams{}, {c, c}, "m");
  b.output(b.op(kBinary, add(), {x, m}, "y"));
  EXPECT_EQ(run_pass(fold_constants, b.graph), 0);
}

}  // namespace
}  // namespace pj
