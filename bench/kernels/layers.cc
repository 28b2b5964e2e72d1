#include "bench/kernels/layers.h"

#include <fmt/format.h>

#include "tests/support/graphs.h"

namespace pj::bench {
namespace {

constexpr Layer conv(const char* network, int32_t size, int32_t in_c, int32_t out_c,
                     int32_t window = 1, int32_t stride = 1,
                     Activation activation = Activation::kRelu6) {
  return {network, OpKind::kConv2D, size, size, in_c, out_c, window, window, stride, activation};
}
// Without an activation.
constexpr Layer project(const char* network, int32_t size, int32_t in_c, int32_t out_c) {
  return conv(network, size, in_c, out_c, 1, 1, Activation::kNone);
}
constexpr Layer depthwise(const char* network, int32_t size, int32_t channels, int32_t window,
                          int32_t stride) {
  return {network, OpKind::kDepthwiseConv2D, size, size, channels, channels, window, window,
          stride,  Activation::kRelu6};
}
// Upsampling: the output is `stride` times as large.
constexpr Layer transposed(const char* network, int32_t size, int32_t in_c, int32_t out_c,
                           int32_t window, int32_t stride) {
  return {network, OpKind::kTransposeConv2D, size, size, in_c, out_c, window, window, stride};
}
constexpr Layer product(const char* network, int32_t rows, int32_t in, int32_t out) {
  return {network, OpKind::kFullyConnected, rows, 1, in, out};
}

constexpr Layer kLayers[] = {
    // Stems: few input channels.
    conv("mobilenet", 224, 3, 32, 3, 2),
    conv("mobilenet_v3", 224, 3, 16, 3, 2),
    conv("resnet50", 224, 3, 64, 7, 2, Activation::kRelu),
    conv("resnet8", 32, 3, 16, 3, 1, Activation::kRelu),
    {"ds_cnn", OpKind::kConv2D, 49, 10, 1, 64, 10, 4, 2, Activation::kRelu},
    // Pointwise.
    conv("mobilenet_v1", 112, 32, 64),
    conv("mobilenet_v1", 56, 128, 128),
    conv("mobilenet_v1", 28, 256, 256),
    conv("mobilenet_v1", 14, 512, 512),
    conv("mobilenet_v1", 7, 1024, 1024),
    project("mobilenet_v2", 112, 32, 16),
    conv("mobilenet_v2", 112, 16, 96),
    project("mobilenet_v2", 56, 144, 24),
    conv("mobilenet_v2", 56, 24, 144),
    project("mobilenet_v2", 28, 192, 32),
    conv("mobilenet_v2", 28, 32, 192),
    project("mobilenet_v2", 14, 384, 64),
    conv("mobilenet_v2", 14, 64, 384),
    project("mobilenet_v2", 14, 576, 96),
    conv("mobilenet_v2", 14, 96, 576),
    project("mobilenet_v2", 7, 960, 160),
    conv("mobilenet_v2", 7, 160, 960),
    conv("mobilenet_v2", 7, 320, 1280),
    conv("ds_cnn", 25, 64, 64),
    conv("resnet50", 56, 256, 64, 1, 1, Activation::kRelu),
    conv("resnet50", 56, 256, 512, 1, 2, Activation::kNone),
    conv("resnet50", 14, 1024, 256, 1, 1, Activation::kRelu),
    conv("resnet50", 7, 512, 2048, 1, 1, Activation::kNone),
    // 3x3.
    conv("resnet50", 56, 64, 64, 3, 1, Activation::kRelu),
    conv("resnet50", 28, 128, 128, 3, 1, Activation::kRelu),
    conv("resnet50", 14, 256, 256, 3, 1, Activation::kRelu),
    conv("resnet50", 7, 512, 512, 3, 1, Activation::kRelu),
    conv("resnet8", 32, 16, 16, 3, 1, Activation::kRelu),
    conv("resnet8", 32, 16, 32, 3, 2, Activation::kRelu),
    conv("resnet8", 8, 64, 64, 3, 1, Activation::kRelu),
    // Depthwise.
    depthwise("mobilenet_v1", 112, 32, 3, 1),
    depthwise("mobilenet_v1", 14, 512, 3, 1),
    depthwise("mobilenet_v2", 112, 96, 3, 2),
    depthwise("mobilenet_v2", 56, 144, 3, 1),
    depthwise("mobilenet_v2", 56, 144, 3, 2),
    depthwise("mobilenet_v2", 28, 192, 3, 1),
    depthwise("mobilenet_v2", 14, 576, 3, 1),
    depthwise("mobilenet_v2", 14, 576, 3, 2),
    depthwise("mobilenet_v2", 7, 960, 3, 1),
    depthwise("mobilenet_v3", 56, 72, 5, 2),
    depthwise("mobilenet_v3", 28, 120, 5, 1),
    depthwise("mobilenet_v3", 14, 672, 5, 2),
    depthwise("mobilenet_v3", 7, 960, 5, 1),
    // Transposed.
    transposed("unet", 32, 128, 64, 2, 2),
    transposed("fcn", 28, 64, 64, 4, 2),
    // Batch 1: as many bytes of weights as multiplications.
    product("mobilenet_v2", 1, 1280, 1001),
    product("resnet50", 1, 2048, 1000),
    product("autoencoder", 1, 640, 128),
    // What the length of the sums costs.
    product("gemm", 196, 16, 256),
    product("gemm", 196, 32, 256),
    product("gemm", 196, 64, 256),
    product("gemm", 196, 128, 256),
    product("gemm", 196, 256, 256),
    product("gemm", 196, 512, 256),
    product("gemm", 196, 1024, 256),
};

Quantization activation_quantization(DType type, float scale) {
  if (type == DType::kF32) return {};
  return testing::quantized(scale, type == DType::kU8 ? 131 : 3);
}

// As converters choose it: the range of an activation is that of the type, so that nothing is left
// to limit.
Quantization result_quantization(DType type, Activation activation) {
  if (type == DType::kF32 || activation == Activation::kNone)
    return activation_quantization(type, 0.17f);
  return testing::quantized(6.0f / 255, type == DType::kU8 ? 0 : -128);
}

Quantization weights_quantization(DType type, int32_t channels, int32_t axis) {
  if (type == DType::kI8) return testing::per_channel(channels, axis, 0.0007f);
  if (type == DType::kU8) return testing::quantized(0.0007f, 131);
  return {};
}

Shape weights_shape(const Layer& l) {
  switch (l.op) {
    case OpKind::kFullyConnected:
      return {l.out_c, l.in_c};
    case OpKind::kDepthwiseConv2D:
      return {1, l.kernel_h, l.kernel_w, l.out_c};
    default:
      return {l.out_c, l.kernel_h, l.kernel_w, l.in_c};
  }
}

OpParams params_of(const Layer& l) {
  if (l.op == OpKind::kFullyConnected) {
    FullyConnectedParams p;
    p.activation = l.activation;
    return p;
  }
  if (l.op == OpKind::kTransposeConv2D) {
    TransposeConv2DParams p;
    p.stride_h = p.stride_w = l.stride;
    p.out_h = l.height * l.stride;
    p.out_w = l.width * l.stride;
    p.padding.mode = PadMode::kSame;
    return p;
  }
  Conv2DParams p;
  p.stride_h = p.stride_w = l.stride;
  p.padding.mode = PadMode::kSame;
  p.activation = l.activation;
  if (l.op == OpKind::kConv2D) return p;
  return DepthwiseConv2DParams{p};
}

}  // namespace

std::span<const Layer> layers() { return kLayers; }

std::string name_of(const Layer& l) {
  if (l.op == OpKind::kFullyConnected)
    return fmt::format("{}_fc_{}x{}_{}", l.network, l.height, l.in_c, l.out_c);
  const bool depthwise = l.op == OpKind::kDepthwiseConv2D;
  const char* op = depthwise ? "dwconv" : l.op == OpKind::kTransposeConv2D ? "deconv" : "conv";
  const std::string name = fmt::format("{}_{}_{}x{}s{}_{}x{}x{}", l.network, op, l.kernel_h,
                                       l.kernel_w, l.stride, l.height, l.width, l.in_c);
  return depthwise ? name : fmt::format("{}_{}", name, l.out_c);
}

Result<Graph> make_graph(const Layer& l, const OperandTypes& types) {
  testing::GraphBuilder b;
  const Shape input = l.op == OpKind::kFullyConnected ? Shape{l.height, l.in_c}
                                                      : Shape{1, l.height, l.width, l.in_c};
  const TensorId x =
      b.input("x", types.input, input, activation_quantization(types.input, 0.0235f));
  const int32_t axis = l.op == OpKind::kDepthwiseConv2D ? 3 : 0;
  const TensorId w = b.constant("weights", types.weights, weights_shape(l),
                                weights_quantization(types.weights, l.out_c, axis));
  const bool integer = types.input != DType::kF32;
  const TensorId bias = b.constant("bias", integer ? DType::kI32 : types.weights, {l.out_c});
  const TensorId y =
      b.activation("y", types.output, {}, result_quantization(types.output, l.activation));
  b.op(l.op, params_of(l), {x, w, bias}, {y});
  return b.finish({y});
}

}  // namespace pj::bench
