// Builds the graph of a network layer by layer, with made-up weights, in any of three number types:
// a topology is written once.
//
// Weights are sized so that every layer's result has a deviation near 1 (models/builders/
// statistics.h), whatever its depth. The three types hold the same weights: bytes times a scale for
// each output channel.
#pragma once

#include <string>
#include <vector>

#include "models/builders/statistics.h"
#include "runtime/graph/graph.h"

namespace pj {

// kF16: float with float16 weights, widened by Dequantize operators as .tflite does. kInt8:
// activations with one scale each, weights with one for each output channel.
enum class Numbers : uint8_t { kF32, kF16, kInt8 };

inline constexpr Padding kSamePadding{PadMode::kSame};
inline constexpr Padding kValidPadding{PadMode::kValid};
constexpr Padding explicit_padding(int32_t border) {
  return {PadMode::kExplicit, border, border, border, border};
}

struct Window {
  int32_t kernel_h, kernel_w, stride_h, stride_w;
  Padding padding;
};
constexpr Window square(int32_t kernel, int32_t stride = 1, Padding padding = kSamePadding) {
  return {kernel, kernel, stride, stride, padding};
}

class Network {
 public:
  using Value = TensorId;

  Network(std::string name, Numbers numbers);

  // Numbers in [-1, 1).
  Value input(Shape shape);

  // Layers with weights and a bias. `name` becomes that of the result.
  Value conv(const std::string& name, Value x, int32_t channels, const Window& window,
             Activation activation = Activation::kNone);
  Value depthwise(const std::string& name, Value x, const Window& window,
                  Activation activation = Activation::kNone);
  // Over the last dimension, which it replaces.
  Value dense(const std::string& name, Value x, int32_t channels);

  Value binary(const std::string& name, BinaryFn fn, Value a, Value b,
               Activation activation = Activation::kNone);
  Value add(const std::string& name, Value a, Value b, Activation activation = Activation::kNone) {
    return binary(name, BinaryFn::kAdd, a, b, activation);
  }
  Value unary(const std::string& name, UnaryFn fn, Value x);
  Value softmax(const std::string& name, Value x);
  Value matmul(const std::string& name, Value a, Value b, bool transpose_b);

  Value pool(const std::string& name, PoolFn fn, Value x, const Window& window);
  // The mean over `axes`.
  Value mean(const std::string& name, Value x, Dims axes, bool keep_dims);
  // The mean over rows and columns of an image, [N,H,W,C] -> [N,C].
  Value global_mean(Value x) { return mean("pool", x, {1, 2}, false); }

  Value reshape(const std::string& name, Value x, Shape shape);
  Value transpose(const std::string& name, Value x, Dims perm);
  Value concat(const std::string& name, std::vector<Value> parts);
  // Twice as many rows and columns, each pixel four times.
  Value upsample(const std::string& name, Value x);

  // Constants: one number; or numbers evenly distributed in mean +- spread.
  Value scalar(const std::string& name, float value);
  Value vector(const std::string& name, Shape shape, float mean, float spread);

  const Shape& shape(Value x) const { return graph_.tensor(x).shape; }
  int32_t channels(Value x) const { return shape(x).back(0); }
  const Statistics& statistics(Value x) const { return statistics_[static_cast<size_t>(x)]; }

  // The finished graph: valid, with all shapes. Call it once, last. Errors: kOutOfMemory, and those
  // of validate() and infer_shapes() for sizes that do not fit together.
  Result<Graph> finish(Value output);

 private:
  struct WeightShape {
    Shape shape;
    int32_t channel_axis;
    int64_t fan_in;  // products in the sum of one output
  };
  struct WeightPair {
    TensorId weights, bias;
  };
  WeightPair weights(const std::string& name, Value x, const WeightShape& w);
  TensorId weight_tensor(const std::string& name, const WeightShape& w,
                         const std::vector<float>& scales);
  TensorId bias_tensor(const std::string& name, Value x, const std::vector<float>& scales);

  TensorId add_tensor(Tensor t, const Statistics& s);
  // A constant whose bytes are filled in by the caller, at `data`; null if memory ran out.
  TensorId add_constant(Tensor t, const Statistics& s, std::byte*& data);
  // Stores the floats as constant of the network's type.
  TensorId add_float_constant(const std::string& name, Shape shape, const Statistics& s,
                              std::span<const float> values, bool may_be_f16);
  TensorId dequantized(TensorId half);
  Value append(OpKind kind, OpParams params, std::vector<TensorId> inputs, const std::string& name,
               const Statistics& s);

  bool quantized() const { return numbers_ == Numbers::kInt8; }
  DType activation_type() const { return quantized() ? DType::kI8 : DType::kF32; }
  uint64_t next_seed() { return ++constants_ << 40; }

  Graph graph_;
  Numbers numbers_;
  std::vector<Statistics> statistics_;  // one a tensor
  uint64_t constants_ = 0;
  Status status_;  // the first error
};

}  // namespace pj
