// Parts of tensors that are read and written where they lie: the steps that would copy them are not
// there, and results are those of copying.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using Floats = std::vector<float>;

struct Ran {
  std::vector<std::string> steps;
  std::vector<Floats> outputs;
};

// Of the graph's input i, element k is 100 * i + k - 20.
Ran run(const Graph& graph) {
  ModelOptions options;
  options.target.isa = host_cpu().isa & built_isa();
  auto session = *Session::create(*Model::create(graph, options));
  for (size_t i = 0; i < session->input_count(); ++i) {
    auto* x = reinterpret_cast<float*>(session->input_data(i).data());
    for (size_t k = 0; k < session->input_data(i).size() / 4; ++k)
      x[k] = static_cast<float>(100 * i + k) - 20;
  }
  EXPECT_TRUE(session->run());
  Ran ran;
  for (const Step& step : session->program().steps) ran.steps.push_back(step.op);
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const auto bytes = session->output_data(i);
    const auto* y = reinterpret_cast<const float*>(bytes.data());
    ran.outputs.emplace_back(y, y + bytes.size() / 4);
  }
  return ran;
}

class Views : public ::testing::Test {
 protected:
  TensorId tensor(Shape shape) { return b.activation("t", DType::kF32, shape); }
  TensorId negated(TensorId x, Shape shape) {
    const TensorId y = tensor(shape);
    b.op(OpKind::kUnary, UnaryParams{.fn = UnaryFn::kNeg}, {x}, {y});
    return y;
  }
  TensorId joined(std::vector<TensorId> parts, int32_t axis, Shape shape) {
    const TensorId y = tensor(shape);
    b.op(OpKind::kConcat, ConcatParams{.axis = axis}, std::move(parts), {y});
    return y;
  }
  static bool has(const Ran& ran, const char* op) {
    return std::find(ran.steps.begin(), ran.steps.end(), op) != ran.steps.end();
  }

  testing::GraphBuilder b;
};

TEST_F(Views, ProducersWriteIntoTheConcatenation) {
  const TensorId x = b.input("x", DType::kF32, {1, 2, 3}), y = b.input("y", DType::kF32, {1, 1, 3});
  const TensorId all = joined({negated(y, {1, 1, 3}), negated(x, {1, 2, 3})}, 1, {1, 3, 3});
  const Ran ran = run(*b.finish({negated(all, {1, 3, 3})}));
  EXPECT_FALSE(has(ran, "concat"));
  EXPECT_EQ(ran.outputs[0], (Floats{80, 81, 82, -20, -19, -18, -17, -16, -15}));
}

TEST_F(Views, AConcatenationOfAConcatenationIsOneTensor) {
  const TensorId x = b.input("x", DType::kF32, {2});
  const TensorId inner = joined({negated(x, {2}), negated(x, {2})}, 0, {4});
  const Ran ran = run(*b.finish({joined({inner, negated(x, {2})}, 0, {6})}));
  EXPECT_FALSE(has(ran, "concat"));
  EXPECT_EQ(ran.outputs[0], (Floats{20, 19, 20, 19, 20, 19}));
}

TEST_F(Views, WhatOthersReadOrLiesApartIsCopied) {
  const TensorId x = b.input("x", DType::kF32, {2, 1});
  const TensorId twice = negated(x, {2, 1}), once = negated(x, {2, 1});
  const TensorId shared = joined({twice, twice}, 0, {4, 1});
  const TensorId apart = joined({once, x}, 1, {2, 2});
  const Ran ran = run(*b.finish({shared, apart, twice}));
  EXPECT_EQ(std::count(ran.steps.begin(), ran.steps.end(), "concat"), 2);
  EXPECT_EQ(ran.outputs[0], (Floats{20, 19, 20, 19}));
  EXPECT_EQ(ran.outputs[1], (Floats{20, -20, 19, -19}));
  EXPECT_EQ(ran.outputs[2], (Floats{20, 19}));
}

TEST_F(Views, PartsAreReadInTheWhole) {
  const TensorId x = b.input("x", DType::kF32, {1, 4, 2});
  const TensorId y = negated(x, {1, 4, 2}), top = tensor({1, 2, 2}), bottom = tensor({1, 2, 2});
  b.op(OpKind::kSplit, SplitParams{.axis = 1, .sizes = {}}, {y}, {top, bottom});
  const TensorId row = tensor({1, 1, 2});
  b.op(OpKind::kSlice, SliceParams{.begin = {0, 2, 0}, .size = {1, 1, -1}}, {y}, {row});
  const Ran ran = run(
      *b.finish({negated(bottom, {1, 2, 2}), negated(row, {1, 1, 2}), negated(top, {1, 2, 2})}));
  EXPECT_FALSE(has(ran, "split"));
  EXPECT_FALSE(has(ran, "slice"));
  EXPECT_EQ(ran.outputs[0], (Floats{-16, -15, -14, -13}));
  EXPECT_EQ(ran.outputs[1], (Floats{-16, -15}));
  EXPECT_EQ(ran.outputs[2], (Floats{-20, -19, -18, -17}));
}

TEST_F(Views, PartsThatLieApartOrLeaveTheGraphAreCopied) {
  const TensorId x = b.input("x", DType::kF32, {2, 2});
  const TensorId y = negated(x, {2, 2}), left = tensor({2, 1}), right = tensor({2, 1});
  b.op(OpKind::kSplit, SplitParams{.axis = 1, .sizes = {}}, {y}, {left, right});
  const TensorId row = tensor({1, 2});
  b.op(OpKind::kSlice, SliceParams{.begin = {1, 0}, .size = {1, 2}}, {y}, {row});
  const Ran ran = run(*b.finish({negated(right, {2, 1}), row, negated(left, {2, 1})}));
  EXPECT_EQ(ran.outputs[0], (Floats{-19, -17}));
  EXPECT_EQ(ran.outputs[1], (Floats{18, 17}));
  EXPECT_EQ(ran.outputs[2], (Floats{-20, -18}));
}

// The part is the whole, whose only reader is the split: its own readers count.
TEST_F(Views, APartThatIsJoinedTwiceIsCopied) {
  const TensorId x = b.input("x", DType::kF32, {2});
  const TensorId part = tensor({2});
  b.op(OpKind::kSplit, SplitParams{.axis = 0, .sizes = {}}, {negated(x, {2})}, {part});
  const Ran ran = run(*b.finish({negated(joined({part, part}, 0, {4}), {4})}));
  EXPECT_EQ(ran.outputs[0], (Floats{-20, -19, -20, -19}));
}

}  // namespace
}  // namespace pj
