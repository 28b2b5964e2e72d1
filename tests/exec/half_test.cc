// Models that may compute in f16, beside the same models in f32: on CPUs with that arithmetic close
// to them, elsewhere the same.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "kernels/registry.h"
#include "runtime/exec/session.h"
#include "tests/support/graphs.h"

namespace pj {
namespace {

constexpr DType kF32 = DType::kF32;

struct HalfNet {
  testing::GraphBuilder b{3};
  int tensors = 0;

  TensorId image(Shape shape) { return b.input("x" + std::to_string(tensors++), kF32, shape); }
  TensorId then(OpKind kind, const OpParams& params, std::vector<TensorId> inputs) {
    const TensorId y = b.activation("t" + std::to_string(tensors++), kF32, {});
    b.op(kind, params, std::move(inputs), {y});
    return y;
  }
  TensorId weights(Shape shape) { return b.constant("w" + std::to_string(tensors++), kF32, shape); }
  TensorId conv(TensorId x, Shape w, int32_t stride = 1, int32_t dilation = 1) {
    Conv2DParams p;
    p.padding.mode = PadMode::kSame;
    p.stride_h = p.stride_w = stride;
    p.dilation_h = p.dilation_w = dilation;
    return then(OpKind::kConv2D, p, {x, weights(w), weights({w[0]})});
  }
  TensorId depthwise(TensorId x, int32_t k, int32_t channels, int32_t stride = 1,
                     int32_t dilation = 1) {
    DepthwiseConv2DParams p;
    p.padding.mode = PadMode::kSame;
    p.stride_h = p.stride_w = stride;
    p.dilation_h = p.dilation_w = dilation;
    return then(OpKind::kDepthwiseConv2D, p,
                {x, weights({1, k, k, channels}), weights({channels})});
  }
  TensorId unary(UnaryFn fn, TensorId x) {
    return then(OpKind::kUnary, UnaryParams{fn, 0.1f}, {x});
  }
  TensorId add(TensorId x, TensorId y) {
    return then(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone}, {x, y});
  }
};

struct HalfRun {
  std::vector<std::vector<float>> outputs;
  bool half = false;
};

HalfRun run(const Graph& graph, bool f16, int threads) {
  ModelOptions options;
  options.target = target_of(host_cpu(), host_cpu().isa & built_isa());
  options.f16 = f16;
  auto model = Model::create(graph, options);
  EXPECT_TRUE(model) << model.error().message;
  auto session = Session::create(*model, {.threads = threads});
  EXPECT_TRUE(session) << session.error().message;
  testing::GraphBuilder random(11);
  for (size_t i = 0; i < (*session)->input_count(); ++i)
    random.fill(kF32, (*session)->input_data(i));
  EXPECT_TRUE((*session)->run());
  HalfRun result;
  result.half = (*model)->options().f16;
  for (size_t i = 0; i < (*session)->output_count(); ++i) {
    const auto bytes = (*session)->output_data(i);
    std::vector<float>& values = result.outputs.emplace_back(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return result;
}

void expect_close_in_half(HalfNet& net, const std::vector<TensorId>& outputs) {
  const auto graph = net.b.finish(outputs);
  ASSERT_TRUE(graph) << graph.error().message;
  const HalfRun expected = run(*graph, false, 1);
  for (const int threads : {1, 2}) {
    const HalfRun actual = run(*graph, true, threads);
    EXPECT_EQ(actual.half, (host_cpu().isa & built_isa()).has(Feature::kNeonFp16));
    for (size_t o = 0; o < expected.outputs.size(); ++o) {
      float range = 2;  // of what limits cut
      for (const float x : expected.outputs[o]) range = std::max(range, std::fabs(x));
      for (size_t i = 0; i < expected.outputs[o].size(); ++i) {
        const float tolerance = actual.half ? 1e-2f * range : 0;
        ASSERT_NEAR(actual.outputs[o][i], expected.outputs[o][i], tolerance) << o << ", " << i;
      }
    }
  }
}

TEST(Half, Convolutions) {
  for (const int32_t channels : {1, 3, 8, 20, 33}) {
    for (const int32_t width : {1, 3, 7, 19}) {
      SCOPED_TRACE(std::to_string(channels) + " channels, width " + std::to_string(width));
      HalfNet net;
      const TensorId x = net.image({2, 5, width, channels});
      const TensorId fine = net.conv(x, {29, 3, 3, channels});
      expect_close_in_half(net,
                           {net.conv(fine, {8, 1, 1, 29}), net.conv(x, {17, 5, 5, channels}, 2),
                            net.conv(x, {40, 3, 3, channels}, 1, 2)});
    }
  }
}

TEST(Half, TransposedConvolutions) {
  for (const int32_t channels : {8, 21}) {
    for (const int32_t k : {2, 3}) {
      SCOPED_TRACE(std::to_string(channels) + " channels, " + std::to_string(k) + " taps");
      HalfNet net;
      const TensorId x = net.image({1, 5, 7, channels});
      TransposeConv2DParams p;
      p.stride_h = p.stride_w = 2;
      p.out_h = 10;
      p.out_w = 14;
      p.padding.mode = PadMode::kSame;
      expect_close_in_half(net, {net.then(OpKind::kTransposeConv2D, p,
                                          {net.conv(x, {channels, 1, 1, channels}),
                                           net.weights({12, k, k, channels}), net.weights({12})})});
    }
  }
}

TEST(Half, DepthwiseConvolutions) {
  for (const int32_t channels : {8, 21}) {
    for (const int32_t width : {1, 3, 4, 13}) {
      for (const int32_t k : {3, 5, 7}) {
        SCOPED_TRACE(std::to_string(channels) + " channels, width " + std::to_string(width) + ", " +
                     std::to_string(k) + " taps");
        HalfNet net;
        const TensorId x = net.image({1, 9, width, channels});
        expect_close_in_half(
            net, {net.depthwise(x, k, channels), net.depthwise(x, k, channels, 2),
                  net.depthwise(x, k, channels, 3), net.depthwise(x, k, channels, 1, 2)});
      }
    }
  }
}

TEST(Half, FunctionsSumsAndSlopes) {
  for (const int32_t channels : {5, 24}) {
    HalfNet net;
    const TensorId x = net.image({1, 6, 7, channels});
    const TensorId y = net.conv(x, {channels, 3, 3, channels});
    std::vector<TensorId> outputs;
    for (const UnaryFn fn : {UnaryFn::kAbs, UnaryFn::kNeg, UnaryFn::kSquare, UnaryFn::kLogistic,
                             UnaryFn::kSilu, UnaryFn::kRelu, UnaryFn::kRelu6, UnaryFn::kReluN1To1,
                             UnaryFn::kHardSwish, UnaryFn::kLeakyRelu, UnaryFn::kTanh})
      outputs.push_back(net.unary(fn, y));
    outputs.push_back(net.unary(UnaryFn::kSqrt, net.unary(UnaryFn::kSquare, y)));
    outputs.push_back(net.add(net.conv(y, {channels, 1, 1, channels}), y));
    outputs.push_back(net.add(net.depthwise(y, 3, channels), y));
    outputs.push_back(net.then(OpKind::kPRelu, NoParams{}, {y, net.weights({channels})}));
    outputs.push_back(
        net.then(OpKind::kPRelu, NoParams{}, {net.conv(y, {9, 1, 1, channels}), net.weights({9})}));
    for (const BinaryFn fn : {BinaryFn::kSub, BinaryFn::kMul, BinaryFn::kMinimum,
                              BinaryFn::kMaximum, BinaryFn::kSquaredDifference})
      outputs.push_back(net.then(OpKind::kBinary, BinaryParams{fn, Activation::kNone},
                                 {y, net.weights({channels})}));
    expect_close_in_half(net, outputs);
  }
}

TEST(Half, PoolsAndResizes) {
  for (const int32_t channels : {3, 16}) {
    HalfNet net;
    const TensorId x = net.image({1, 8, 10, channels});
    const TensorId y = net.conv(x, {channels, 3, 3, channels});
    std::vector<TensorId> outputs;
    for (const PoolFn fn : {PoolFn::kAverage, PoolFn::kMax}) {
      Pool2DParams p;
      p.fn = fn;
      p.kernel_h = p.kernel_w = 3;
      p.stride_h = p.stride_w = 2;
      p.padding.mode = PadMode::kSame;
      outputs.push_back(net.then(OpKind::kPool2D, p, {y}));
    }
    for (const ResizeFn fn : {ResizeFn::kBilinear, ResizeFn::kNearest}) {
      ResizeParams p;
      p.fn = fn;
      p.out_h = 16;
      p.out_w = 17;
      outputs.push_back(net.then(OpKind::kResize, p, {y}));
    }
    ConcatParams concat;
    concat.axis = 3;
    outputs.push_back(net.then(OpKind::kConcat, concat, {y, net.conv(y, {4, 1, 1, channels})}));
    expect_close_in_half(net, outputs);
  }
}

// A weight that f16 cannot hold keeps its layer in f32.
TEST(Half, NumbersThatAreTooLargeStay) {
  testing::GraphBuilder b;
  const TensorId x = b.input("x", kF32, {1, 4, 4, 1}), y = b.activation("y", kF32, {});
  const std::vector<float> weight = {1e6f};
  b.op(OpKind::kConv2D, Conv2DParams{},
       {x, b.constant("w", kF32, {1, 1, 1, 1}, std::as_bytes(std::span(weight)))}, {y});
  const auto graph = b.finish({y});
  ASSERT_TRUE(graph);
  EXPECT_EQ(run(*graph, true, 1).outputs, run(*graph, false, 1).outputs);
}

}  // namespace
}  // namespace pj
