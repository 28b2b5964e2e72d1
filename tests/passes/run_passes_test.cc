// All passes together: what comes out computes the same.
#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::evaluate_all;
using test::GraphBuilder;
using enum OpKind;

// pad -> conv -> relu -> reshape(shape of itself) -> reshape, with f16 weights in another layout.
GraphBuilder messy_graph(Dims paddings) {
  GraphBuilder b;
  const TensorId x = b.input("x", {1, 4, 4, 2});
  const TensorId padded = b.op(kPad, PadParams{PadFn::kConstant, {0, 1, 1, 0}, paddings}, {x}, "p");
  std::vector<Half> w;
  for (int i = 0; i < 3 * 2 * 9; ++i) w.push_back(to_half(static_cast<float>(i % 7) - 3));
  const TensorId half = b.constant<Half>("w16", {3, 2, 3, 3}, w);
  const TensorId wide = b.op(kDequantize, NoParams{}, {half}, "w32", DType::kF32);
  const TensorId moved = b.op(kTranspose, TransposeParams{{0, 2, 3, 1}}, {wide}, "moved");
  Conv2DParams conv;
  conv.padding.mode = PadMode::kValid;
  const TensorId y = b.op(kConv2D, conv, {padded, moved}, "y");
  const TensorId r = b.op(kUnary, UnaryParams{.fn = UnaryFn::kRelu}, {y}, "r");
  const TensorId same = b.op(kReshape, ReshapeParams{{1, 4, 4, 3}}, {r}, "same");
  b.output(b.op(kReshape, ReshapeParams{{-1}}, {same}, "out"));
  return b;
}

TEST(RunPasses, ComputesTheSame) {
  GraphBuilder b = messy_graph({0, 1, 1, 0});
  std::vector<float> x;
  for (int i = 0; i < 32; ++i) x.push_back(static_cast<float>(i % 5) - 2);
  ASSERT_TRUE(validate(b.graph));
  ASSERT_TRUE(infer_shapes(b.graph));
  const std::vector<float> before = evaluate_all(b.graph, x);
  std::vector<PassReport> reports;
  ASSERT_TRUE(run_passes(b.graph, &reports));
  EXPECT_EQ(evaluate_all(b.graph, x), before);  // small integers: exact in any order
  ASSERT_EQ(b.graph.ops.size(), 2u);
  EXPECT_EQ(b.graph.ops[0].kind, kConv2D);
  EXPECT_EQ(b.graph.ops[0].as<Conv2DParams>().activation, Activation::kRelu);
  EXPECT_EQ(b.graph.tensor(b.graph.ops[0].inputs[1]).dtype, DType::kF16);
  EXPECT_EQ(b.graph.ops[1].kind, kReshape);
  // x, the weights, the convolution's output and the result.
  EXPECT_EQ(b.graph.tensors.size(), 4u);
  ASSERT_EQ(reports.size(), standard_passes().size());
  for (size_t i = 0; i < reports.size(); ++i)
    EXPECT_STREQ(reports[i].name, standard_passes()[i].name);
}

TEST(RunPasses, KeepsInputsAndOutputs) {
  GraphBuilder b;
  const TensorId x = b.input("x", {2});
  b.input("unused", {3});
  const TensorId c = b.constant<float>("c", {1}, {1});
  const TensorId y = b.op(kReshape, ReshapeParams{{2}}, {x}, "y");
  b.op(kUnary, test::kNeg, {x}, "dead");
  b.graph.outputs = {c, y, x, y};
  ASSERT_TRUE(run_passes(b.graph));
  auto names = [&](const std::vector<TensorId>& ids) {
    std::string s;
    for (TensorId id : ids) s += b.graph.tensor(id).name + " ";
    return s;
  };
  EXPECT_EQ(names(b.graph.inputs), "x unused ");
  EXPECT_EQ(names(b.graph.outputs), "c y x y ");
  EXPECT_EQ(b.graph.ops.size(), 1u);
  EXPECT_EQ(test::find(b.graph, "dead"), kNoTensor);
}

TEST(RunPasses, RefusesAnInvalidGraph) {
  GraphBuilder b;
  b.output(b.op(kUnary, UnaryParams{}, {b.input("x", {2})}, "y"));
  b.graph.ops[0].inputs[0] = 7;
  EXPECT_FALSE(run_passes(b.graph));
}

// Values that only folding brings to light are checked like those of the file.
TEST(RunPasses, ChecksFoldedParameters) {
  GraphBuilder b;
  const TensorId x = b.input("x", {4});
  const TensorId a = b.constant<int32_t>("a", {1}, {-3});
  const TensorId shape = b.op(kConcat, ConcatParams{0}, {a, a}, "shape");
  b.output(b.op(kReshape, ReshapeParams{}, {x, shape}, "y"));
  const Status s = run_passes(b.graph);
  ASSERT_FALSE(s);
  EXPECT_EQ(s.error().message, "reshape, node 1, output 'y': dimension -3 in the new shape");
}

TEST(Compact, KeepsTheOrder) {
  GraphBuilder b;
  b.constant<float>("unused", {1}, {1});
  const TensorId x = b.input("x", {2});
  b.op(kUnary, UnaryParams{.fn = UnaryFn::kAbs}, {b.op(kUnary, UnaryParams{}, {x}, "d1")}, "d2");
  const TensorId y = b.op(kUnary, UnaryParams{.fn = UnaryFn::kNeg}, {x}, "y");
  b.output(b.op(kUnary, UnaryParams{.fn = UnaryFn::kExp}, {y}, "z"));
  compact(b.graph);
  ASSERT_TRUE(validate(b.graph));
  ASSERT_EQ(b.graph.ops.size(), 2u);
  EXPECT_EQ(b.graph.ops[0].as<UnaryParams>().fn, UnaryFn::kNeg);
  ASSERT_EQ(b.graph.tensors.size(), 3u);
  EXPECT_EQ(b.graph.tensors[0].name, "x");
  EXPECT_EQ(b.graph.tensors[2].name, "z");
}

}  // namespace
}  // namespace pj
