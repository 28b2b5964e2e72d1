#include "tests/passes/pass_checks.h"

namespace pj {
namespace {

using test::count_ops;
using test::evaluate_all;
using test::GraphBuilder;
using test::run_pass;
using enum OpKind;

constexpr int32_t kRows = 3, kColumns = 5;

// A graph of one input, written in primitive operators.
struct Formula : GraphBuilder {
  TensorId x = input("x", {kRows, kColumns});

  TensorId constant_of(float value) { return constant<float>("c", {}, {value}); }
  TensorId binary(BinaryFn fn, TensorId a, TensorId b, Activation activation = Activation::kNone) {
    return op(kBinary, BinaryParams{fn, activation}, {a, b}, "b");
  }
  TensorId add(TensorId a, TensorId b) { return binary(BinaryFn::kAdd, a, b); }
  TensorId sub(TensorId a, TensorId b) { return binary(BinaryFn::kSub, a, b); }
  TensorId mul(TensorId a, TensorId b) { return binary(BinaryFn::kMul, a, b); }
  TensorId add(TensorId a, float b) { return add(a, constant_of(b)); }
  TensorId mul(TensorId a, float b) { return mul(constant_of(b), a); }
  TensorId unary(UnaryFn fn, TensorId a) { return op(kUnary, UnaryParams{fn, 0}, {a}, "u"); }
  TensorId mean(TensorId a, int32_t axis = -1) {
    return op(kReduce, ReduceParams{ReduceFn::kMean, true, {axis}}, {a}, "mean");
  }

  // Nothing else is left than the one operator; the values stay.
  void becomes(TensorId y, OpKind kind) {
    output(y);
    const Status valid = validate(graph);
    ASSERT_TRUE(valid) << valid.error().message;
    ASSERT_TRUE(infer_shapes(graph));
    std::vector<float> values(kRows * kColumns);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<float>(i * i % 11) * 0.7f - 4;
    const std::vector<float> before = evaluate_all(graph, values);
    EXPECT_EQ(run_pass(recognize_functions, graph), 1);
    ASSERT_EQ(graph.ops.size(), 1u);
    EXPECT_EQ(graph.ops[0].kind, kind);
    EXPECT_EQ(graph.ops[0].outputs[0], graph.outputs[0]);
    const std::vector<float> after = evaluate_all(graph, values);
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(after[i], before[i], 3e-5f);
  }
  void becomes(TensorId y, UnaryFn fn) {
    becomes(y, kUnary);
    EXPECT_EQ(graph.ops[0].as<UnaryParams>().fn, fn);
  }
  void stays(TensorId y) {
    output(y);
    EXPECT_EQ(run_pass(recognize_functions, graph), 0);
  }
};

TEST(RecognizeFunctions, ScaledSoftmax) {
  Formula f;
  f.becomes(f.op(kSoftmax, SoftmaxParams{2}, {f.mul(f.x, 0.125f)}, "y"), kSoftmax);
  EXPECT_EQ(f.graph.ops[0].as<SoftmaxParams>().beta, 0.25f);
}

TEST(RecognizeFunctions, ScaledSoftmaxBehindAReshape) {
  Formula f;
  const TensorId r = f.op(kReshape, ReshapeParams{{1, kRows, kColumns}}, {f.mul(f.x, 3.0f)}, "r");
  f.output(f.op(kSoftmax, SoftmaxParams{1}, {r}, "y"));
  EXPECT_EQ(run_pass(recognize_functions, f.graph), 1);
  EXPECT_EQ(count_ops(f.graph, kBinary), 0);
}

TEST(RecognizeFunctions, NotASoftmaxOfOppositesOrOfChannelScales) {
  Formula f;
  f.stays(f.op(kSoftmax, SoftmaxParams{1}, {f.mul(f.x, -1.0f)}, "y"));
  Formula g;
  const TensorId scales = g.constant<float>("s", {kColumns}, {1, 2, 3, 4, 5});
  g.stays(g.op(kSoftmax, SoftmaxParams{1}, {g.mul(g.x, scales)}, "y"));
}

TEST(RecognizeFunctions, Silu) {
  for (bool swapped : {false, true}) {
    Formula f;
    const TensorId gate = f.unary(UnaryFn::kLogistic, f.x);
    f.becomes(swapped ? f.mul(gate, f.x) : f.mul(f.x, gate), UnaryFn::kSilu);
  }
}

TEST(RecognizeFunctions, HardSwish) {
  const float sixth = 1.0f / 6;
  Formula f, g, h;
  f.becomes(f.mul(f.mul(f.x, f.unary(UnaryFn::kRelu6, f.add(f.x, 3.0f))), sixth),
            UnaryFn::kHardSwish);
  g.becomes(g.mul(g.mul(g.unary(UnaryFn::kRelu6, g.add(g.x, 3.0f)), sixth), g.x),
            UnaryFn::kHardSwish);
  const TensorId fused = h.binary(BinaryFn::kAdd, h.x, h.constant_of(3), Activation::kRelu6);
  h.becomes(h.mul(fused, h.mul(h.x, sixth)), UnaryFn::kHardSwish);
}

TEST(RecognizeFunctions, Gelu) {
  Formula f;
  const TensorId cube = f.binary(BinaryFn::kPow, f.x, f.constant_of(3));
  const TensorId inner = f.mul(f.add(f.x, f.mul(cube, 0.044715f)), 0.7978845608f);
  const TensorId gate = f.add(f.unary(UnaryFn::kTanh, inner), 1.0f);
  f.becomes(f.mul(f.mul(f.x, 0.5f), gate), UnaryFn::kGeluTanh);

  Formula g;
  const TensorId product = g.mul(g.mul(g.mul(g.x, 0.044715f), g.x), g.x);
  const TensorId argument = g.mul(g.add(product, g.x), 0.7978845608f);
  const TensorId half = g.mul(g.add(g.unary(UnaryFn::kTanh, argument), 1.0f), 0.5f);
  g.becomes(g.mul(half, g.x), UnaryFn::kGeluTanh);
}

TEST(RecognizeFunctions, LayerNormFoldedIntoScaleAndShift) {
  for (bool swapped : {false, true}) {
    Formula f;
    const TensorId gamma = f.constant<float>("gamma", {kColumns}, {1, 2, 3, 4, 5});
    const TensorId beta = f.constant<float>("beta", {kColumns}, {-1, 0, 1, 2, 3});
    const TensorId mean = f.mean(f.x);
    const TensorId variance = f.mean(f.binary(BinaryFn::kSquaredDifference, f.x, mean));
    const TensorId scale = f.mul(f.unary(UnaryFn::kRsqrt, f.add(variance, 1e-3f)), gamma);
    const TensorId scaled = f.mul(f.x, scale), shift = f.sub(beta, f.mul(mean, scale));
    f.becomes(swapped ? f.add(shift, scaled) : f.add(scaled, shift), kLayerNorm);
    EXPECT_EQ(f.graph.ops[0].as<LayerNormParams>().epsilon, 1e-3f);
    EXPECT_EQ(test::input_name(f.graph, f.graph.ops[0], 1), "gamma");
    EXPECT_EQ(test::input_name(f.graph, f.graph.ops[0], 2), "beta");
  }
}

TEST(RecognizeFunctions, LayerNormOfDistances) {
  for (int square = 0; square < 3; ++square) {
    Formula f;
    const TensorId gamma = f.constant<float>("gamma", {kColumns}, {1, 2, 3, 4, 5});
    const TensorId beta = f.constant<float>("beta", {kColumns}, {-1, 0, 1, 2, 3});
    const TensorId distance = f.sub(f.x, f.mean(f.x));
    const TensorId squared = square == 0 ? f.unary(UnaryFn::kSquare, distance)
                             : square == 1
                                 ? f.mul(distance, distance)
                                 : f.binary(BinaryFn::kSquaredDifference, f.mean(f.x), f.x);
    const TensorId deviation = f.unary(UnaryFn::kRsqrt, f.add(f.mean(squared), 1e-5f));
    f.becomes(f.add(f.mul(f.mul(distance, deviation), gamma), beta), kLayerNorm);
  }
}

TEST(RecognizeFunctions, OthersUseWhatIsInside) {
  Formula f;
  const TensorId gate = f.unary(UnaryFn::kLogistic, f.x);
  f.output(f.mul(f.x, gate));
  f.output(gate);
  EXPECT_EQ(run_pass(recognize_functions, f.graph), 1);
  EXPECT_EQ(f.graph.ops.size(), 2u);
}

TEST(RecognizeFunctions, NotNearMisses) {
  const auto gelu = [](float cubic, float outer, float one, float half) {
    Formula f;
    const TensorId cube = f.binary(BinaryFn::kPow, f.x, f.constant_of(3));
    const TensorId inner = f.mul(f.add(f.x, f.mul(cube, cubic)), outer);
    f.stays(f.mul(f.mul(f.x, half), f.add(f.unary(UnaryFn::kTanh, inner), one)));
  };
  gelu(0.0447f, 0.7978845608f, 1, 0.5f);
  gelu(0.044715f, 0.79f, 1, 0.5f);
  gelu(0.044715f, 0.7978845608f, 2, 0.5f);
  gelu(0.044715f, 0.7978845608f, 1, 1);

  Formula other, relu, fused, broadcast;
  other.stays(
      other.mul(other.x, other.unary(UnaryFn::kLogistic, other.unary(UnaryFn::kNeg, other.x))));
  relu.stays(
      relu.mul(relu.mul(relu.x, relu.unary(UnaryFn::kRelu6, relu.add(relu.x, 2.0f))), 1.0f / 6));
  fused.stays(fused.binary(BinaryFn::kMul, fused.x, fused.unary(UnaryFn::kLogistic, fused.x),
                           Activation::kRelu));
  // The mean over rows normalises something else.
  const TensorId gamma = broadcast.constant<float>("gamma", {kColumns}, {1, 2, 3, 4, 5});
  const TensorId distance = broadcast.sub(broadcast.x, broadcast.mean(broadcast.x, 0));
  const TensorId variance = broadcast.mean(broadcast.mul(distance, distance), 0);
  const TensorId deviation = broadcast.unary(UnaryFn::kRsqrt, broadcast.add(variance, 1e-5f));
  broadcast.stays(broadcast.add(broadcast.mul(broadcast.mul(distance, deviation), gamma), gamma));
}

}  // namespace
}  // namespace pj
