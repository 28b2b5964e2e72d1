#include "tests/support/graphs.h"

#include "runtime/base/half.h"

namespace pj::testing {

void GraphBuilder::fill(DType dtype, std::span<std::byte> bytes) {
  auto put = [&](auto make) {
    using T = decltype(make());
    for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
      const T v = make();
      std::memcpy(bytes.data() + i * sizeof(T), &v, sizeof(T));
    }
  };
  std::uniform_real_distribution<float> real(-1, 1);
  std::uniform_int_distribution<int32_t> whole(-1000, 1000);
  switch (dtype) {
    case DType::kF32:
      put([&] { return real(random_); });
      break;
    case DType::kF16:
      put([&] { return to_half(real(random_)); });
      break;
    case DType::kI32:
      put([&] { return whole(random_); });
      break;
    default:
      put([&] { return static_cast<uint8_t>(random_()); });
  }
}

Quantization per_channel(int32_t n, int32_t axis, float scale) {
  std::vector<float> scales;
  for (int32_t i = 0; i < n; ++i)
    scales.push_back(scale * (1.0f + 0.37f * static_cast<float>(i % 11)));
  return {scales, std::vector<int32_t>(scales.size(), 0), axis};
}

Result<Graph> inverted_residual(int32_t height, int32_t width, int32_t channels, int32_t expanded) {
  GraphBuilder b;
  const Shape narrow{1, height, width, channels}, wide{1, height, width, expanded};
  Conv2DParams conv;
  conv.padding.mode = PadMode::kSame;
  conv.activation = Activation::kRelu6;
  DepthwiseConv2DParams depthwise;
  depthwise.padding.mode = PadMode::kSame;
  depthwise.activation = Activation::kRelu6;
  Conv2DParams linear;
  linear.padding.mode = PadMode::kSame;

  const TensorId x = b.input("x", DType::kI8, narrow, quantized(0.02f, 3));
  const TensorId w1 = b.constant("expand/weights", DType::kI8, {expanded, 1, 1, channels},
                                 per_channel(expanded, 0, 0.002f));
  const TensorId b1 = b.constant("expand/bias", DType::kI32, {expanded});
  const TensorId e = b.activation("expand", DType::kI8, wide, quantized(0.0235f, -128));
  b.op(OpKind::kConv2D, conv, {x, w1, b1}, {e});
  const TensorId w2 = b.constant("depthwise/weights", DType::kI8, {1, 3, 3, expanded},
                                 per_channel(expanded, 3, 0.003f));
  const TensorId b2 = b.constant("depthwise/bias", DType::kI32, {expanded});
  const TensorId d = b.activation("depthwise", DType::kI8, wide, quantized(0.0235f, -128));
  b.op(OpKind::kDepthwiseConv2D, depthwise, {e, w2, b2}, {d});
  const TensorId w3 = b.constant("project/weights", DType::kI8, {channels, 1, 1, expanded},
                                 per_channel(channels, 0, 0.001f));
  const TensorId b3 = b.constant("project/bias", DType::kI32, {channels});
  const TensorId p = b.activation("project", DType::kI8, narrow, quantized(0.05f, -7));
  b.op(OpKind::kConv2D, linear, {d, w3, b3}, {p});
  const TensorId y = b.activation("y", DType::kI8, narrow, quantized(0.06f, 1));
  b.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone}, {x, p}, {y});
  return b.finish({y});
}

}  // namespace pj::testing
