// Epilogues give the bits of the operators that they stand for, at every level of this host.
#include <gtest/gtest.h>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

using testing::GraphBuilder;
using testing::per_channel;
using testing::quantized;

struct EpilogueCase {
  DType dtype;
  int32_t height, width, in_c, out_c, window;
};

// A convolution and an operator on its result. If the result is an output as well, the two cannot
// be fused.
Graph graph_of(const EpilogueCase& c, bool sum, bool separate) {
  GraphBuilder b(3);
  const bool is_signed = c.dtype == DType::kI8;
  const int32_t zero = is_signed ? 0 : 128;
  const Shape y_shape = {1, c.height, c.width, c.out_c};
  const TensorId x =
      b.input("x", c.dtype, {1, c.height, c.width, c.in_c}, quantized(0.05f, zero + 3));
  const TensorId r = b.input("r", c.dtype, y_shape, quantized(0.04f, zero - 5));
  const TensorId w = b.constant("w", c.dtype, {c.out_c, c.window, c.window, c.in_c},
                                is_signed ? per_channel(c.out_c, 0) : quantized(0.01f, 120));
  const TensorId bias = b.constant("b", DType::kI32, {c.out_c});
  const TensorId y = b.activation("y", c.dtype, y_shape, quantized(0.07f, zero + 9));
  const TensorId z = b.activation("z", c.dtype, y_shape, quantized(0.06f, zero - 20));
  Conv2DParams conv;
  conv.padding.mode = PadMode::kSame;
  conv.activation = Activation::kRelu6;
  b.op(OpKind::kConv2D, conv, {x, w, bias}, {y});
  if (sum) {
    b.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kRelu}, {r, y}, {z});
  } else {
    b.op(OpKind::kUnary, UnaryParams{.fn = UnaryFn::kHardSwish}, {y}, {z});
  }
  return *b.finish(separate ? std::vector{z, y} : std::vector{z});
}

std::unique_ptr<Session> session_of(Graph graph, const IsaSet& isa, int threads) {
  ModelOptions options;
  options.target.isa = isa;
  auto model = Model::create(std::move(graph), options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  return std::move(*session);
}

std::vector<std::byte> run(Session& s) {
  for (size_t i = 0; i < s.input_count(); ++i)
    GraphBuilder(7 + static_cast<uint32_t>(i)).fill(s.input(i).dtype, s.input_data(i));
  EXPECT_TRUE(s.run());
  const auto out = s.output_data(0);
  return {out.begin(), out.end()};
}

// What the host can run of each built level and those below it, for levels with epilogues.
std::vector<IsaSet> levels() {
  std::vector<IsaSet> sets;
  const IsaSet all = host_cpu().isa & built_isa();
  IsaSet up_to;
  for (const char* name : {"avx2", "avxvnni", "avx512", "avx512vnni"}) {
    up_to = up_to | *isa_by_name(name);
    if (all.includes(up_to)) sets.push_back(up_to);
  }
  return sets;
}

TEST(Epilogue, GivesTheBitsOfTwoOperators) {
  const EpilogueCase cases[] = {{DType::kI8, 1, 1, 64, 70, 1},  {DType::kI8, 7, 5, 16, 16, 1},
                                {DType::kI8, 9, 30, 12, 33, 3}, {DType::kU8, 6, 13, 24, 64, 1},
                                {DType::kU8, 33, 31, 3, 5, 3},  {DType::kI8, 40, 40, 32, 96, 1}};
  if (levels().empty()) GTEST_SKIP() << "no level of this host has epilogues";
  for (const IsaSet& isa : levels()) {
    for (const EpilogueCase& c : cases) {
      for (const bool sum : {true, false}) {
        SCOPED_TRACE(to_string(isa) + (sum ? " sum " : " function ") + std::to_string(c.out_c));
        auto two = session_of(graph_of(c, sum, true), isa, 1);
        ASSERT_EQ(two->program().steps.size(), 2u);
        const std::vector<std::byte> expected = run(*two);
        for (const int threads : {1, 2}) {
          auto one = session_of(graph_of(c, sum, false), isa, threads);
          ASSERT_EQ(one->program().steps.size(), 1u);
          EXPECT_EQ(one->program().steps[0].members.size(), 1u);
          EXPECT_EQ(run(*one), expected) << threads << " threads";
        }
      }
    }
  }
}

}  // namespace
}  // namespace pj
