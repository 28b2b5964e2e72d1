#include "models/builders/network.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "models/builders/random.h"
#include "runtime/base/aligned.h"
#include "runtime/base/half.h"
#include "runtime/graph/graph_checks.h"

namespace pj {
namespace {

// One scale for a range, which is widened to hold 0.
Quantization quantization_of(const Statistics& s) {
  const float low = std::min(s.low, 0.0f), high = std::max(s.high, 0.0f);
  const float scale = (high - low) / 255;
  return {{scale}, {static_cast<int32_t>(std::lround(-128 - low / scale))}, 0};
}

int8_t quantize(float value, const Quantization& q) {
  const float units = std::nearbyint(value / q.scale[0]) + static_cast<float>(q.zero_point[0]);
  return static_cast<int8_t>(std::clamp(units, -128.0f, 127.0f));
}

}  // namespace

Network::Network(std::string name, Numbers numbers) : numbers_(numbers) {
  graph_.name = std::move(name);
}

Result<Graph> Network::finish(Value output) {
  PJ_TRY(status_);
  graph_.outputs = {output};
  PJ_TRY(validate(graph_));
  PJ_TRY(infer_shapes(graph_));
  return std::move(graph_);
}

// --- tensors -------------------------------------------------------------------------------------

TensorId Network::add_tensor(Tensor t, const Statistics& s) {
  statistics_.push_back(s);
  return graph_.add_tensor(std::move(t));
}

TensorId Network::add_constant(Tensor t, const Statistics& s, std::byte*& data) {
  auto buffer = std::make_shared<AlignedBuffer>(static_cast<size_t>(byte_size(t)));
  const bool complete = buffer->size() == static_cast<size_t>(byte_size(t));
  if (!complete && status_) {
    status_ =
        error(ErrorCode::kOutOfMemory, "no memory for the {} bytes of '{}'", byte_size(t), t.name);
  }
  data = complete ? buffer->data() : nullptr;
  t.constant = true;
  t.data = {buffer->bytes(), buffer};
  return add_tensor(std::move(t), s);
}

TensorId Network::add_float_constant(const std::string& name, Shape shape, const Statistics& s,
                                     std::span<const float> values, bool may_be_f16) {
  Tensor t;
  t.name = name;
  t.shape = shape;
  std::byte* data = nullptr;
  if (quantized()) {
    t.dtype = DType::kI8;
    t.quant = quantization_of(s);
    const Quantization q = t.quant;
    const TensorId id = add_constant(std::move(t), s, data);
    for (size_t i = 0; data != nullptr && i < values.size(); ++i)
      data[i] = static_cast<std::byte>(quantize(values[i], q));
    return id;
  }
  if (numbers_ == Numbers::kF16 && may_be_f16) {
    t.dtype = DType::kF16;
    const TensorId id = add_constant(std::move(t), s, data);
    auto* halves = reinterpret_cast<uint16_t*>(data);
    for (size_t i = 0; data != nullptr && i < values.size(); ++i)
      halves[i] = to_half(values[i]).bits;
    return dequantized(id);
  }
  const TensorId id = add_constant(std::move(t), s, data);
  if (data != nullptr) std::memcpy(data, values.data(), values.size_bytes());
  return id;
}

TensorId Network::dequantized(TensorId half) {
  Tensor t;
  t.name = graph_.tensor(half).name + "/f32";
  t.shape = shape(half);
  const TensorId wide = add_tensor(std::move(t), statistics(half));
  graph_.ops.push_back({OpKind::kDequantize, NoParams{}, {half}, {wide}, {}});
  return wide;
}

Network::Value Network::append(OpKind kind, OpParams params, std::vector<TensorId> inputs,
                               const std::string& name, const Statistics& s) {
  Tensor t;
  t.name = name;
  t.dtype = activation_type();
  t.shape = shape(inputs[0]);
  if (quantized()) t.quant = quantization_of(s);
  const TensorId output = add_tensor(std::move(t), s);
  graph_.ops.push_back({kind, params, std::move(inputs), {output}, {}});
  if (status_) status_ = infer_op(graph_, static_cast<int32_t>(graph_.ops.size()) - 1);
  return output;
}

Network::Value Network::input(Shape shape) {
  Tensor t;
  t.name = "input";
  t.dtype = activation_type();
  t.shape = shape;
  if (quantized()) t.quant = quantization_of(input_statistics());
  graph_.inputs = {add_tensor(std::move(t), input_statistics())};
  return graph_.inputs[0];
}

Network::Value Network::scalar(const std::string& name, float value) {
  return add_float_constant(name, {}, constant_statistics(value), std::span(&value, 1), false);
}

Network::Value Network::vector(const std::string& name, Shape shape, float mean, float spread) {
  std::vector<float> values(static_cast<size_t>(elements(shape)));
  fill_units(next_seed(), values);
  for (float& v : values) v = mean + spread * v;
  const Statistics s{mean, 0.577f * spread, mean - spread, mean + spread};
  return add_float_constant(name, shape, s, values, true);
}

// --- weights -------------------------------------------------------------------------------------

TensorId Network::weight_tensor(const std::string& name, const WeightShape& w,
                                const std::vector<float>& scales) {
  const auto inner = static_cast<size_t>(elements(w.shape, w.channel_axis + 1, w.shape.rank()));
  Tensor t;
  t.name = name + "/weights";
  t.shape = w.shape;
  t.dtype = quantized() ? DType::kI8 : numbers_ == Numbers::kF16 ? DType::kF16 : DType::kF32;
  if (quantized()) t.quant = {scales, std::vector<int32_t>(scales.size(), 0), w.channel_axis};
  std::byte* data = nullptr;
  const TensorId id = add_constant(std::move(t), {}, data);
  const uint64_t seed = next_seed();
  if (data == nullptr) return id;

  if (quantized()) {
    fill_bytes(seed, {reinterpret_cast<int8_t*>(data), graph_.tensor(id).data.bytes.size()});
    return id;
  }
  std::vector<int8_t> bytes(static_cast<size_t>(elements(w.shape)));
  fill_bytes(seed, bytes);
  if (numbers_ == Numbers::kF32) {
    scale_bytes(bytes, scales, inner, reinterpret_cast<float*>(data));
    return id;
  }
  scale_bytes(bytes, scales, inner, reinterpret_cast<Half*>(data));
  return dequantized(id);
}

TensorId Network::bias_tensor(const std::string& name, Value x, const std::vector<float>& scales) {
  std::vector<float> values(scales.size());
  fill_units(next_seed(), values);
  for (float& v : values) v *= 0.1f;
  const Shape shape{static_cast<int32_t>(values.size())};
  if (!quantized()) return add_float_constant(name + "/bias", shape, {}, values, true);

  Tensor t;
  t.name = name + "/bias";
  t.shape = shape;
  t.dtype = DType::kI32;
  std::vector<float> bias_scales = scales;
  for (float& s : bias_scales) s *= graph_.tensor(x).quant.scale[0];
  t.quant = {bias_scales, std::vector<int32_t>(scales.size(), 0), 0};
  std::byte* data = nullptr;
  const TensorId id = add_constant(std::move(t), {}, data);
  auto* out = reinterpret_cast<int32_t*>(data);
  for (size_t i = 0; data != nullptr && i < values.size(); ++i)
    out[i] = static_cast<int32_t>(std::lround(values[i] / bias_scales[i]));
  return id;
}

Network::WeightPair Network::weights(const std::string& name, Value x, const WeightShape& w) {
  const float deviation =
      1 / std::sqrt(static_cast<float>(w.fan_in) * std::max(statistics(x).power(), 1e-6f));
  std::vector<float> scales(static_cast<size_t>(w.shape[w.channel_axis]));
  fill_units(next_seed(), scales);
  // Channels of trained networks differ in scale, too. The mean of the squares stays.
  constexpr float kSpread = 0.25f, kPower = 1 + kSpread * kSpread / 3;
  const float unit = deviation / (kByteDeviation * std::sqrt(kPower));
  for (float& s : scales) s = unit * (1 + kSpread * s);
  const TensorId weights = weight_tensor(name, w, scales);
  return {weights, bias_tensor(name, x, scales)};
}

// --- layers --------------------------------------------------------------------------------------

Network::Value Network::conv(const std::string& name, Value x, int32_t channels,
                             const Window& window, Activation activation) {
  const int32_t depth = this->channels(x);
  const WeightPair w = weights(name, x,
                               {{channels, window.kernel_h, window.kernel_w, depth},
                                0,
                                int64_t{window.kernel_h} * window.kernel_w * depth});
  const Conv2DParams p{window.stride_h, window.stride_w, 1, 1, window.padding, activation};
  return append(OpKind::kConv2D, p, {x, w.weights, w.bias}, name,
                apply(activation, normal_statistics(1)));
}

Network::Value Network::depthwise(const std::string& name, Value x, const Window& window,
                                  Activation activation) {
  const WeightPair w = weights(name, x,
                               {{1, window.kernel_h, window.kernel_w, channels(x)},
                                3,
                                int64_t{window.kernel_h} * window.kernel_w});
  const DepthwiseConv2DParams p{
      {window.stride_h, window.stride_w, 1, 1, window.padding, activation}};
  return append(OpKind::kDepthwiseConv2D, p, {x, w.weights, w.bias}, name,
                apply(activation, normal_statistics(1)));
}

Network::Value Network::dense(const std::string& name, Value x, int32_t channels) {
  const int32_t depth = this->channels(x);
  const WeightPair w = weights(name, x, {{channels, depth}, 0, depth});
  const FullyConnectedParams p{shape(x).rank() > 2, Activation::kNone};
  return append(OpKind::kFullyConnected, p, {x, w.weights, w.bias}, name, normal_statistics(1));
}

Network::Value Network::binary(const std::string& name, BinaryFn fn, Value a, Value b,
                               Activation activation) {
  return append(OpKind::kBinary, BinaryParams{fn, activation}, {a, b}, name,
                apply(activation, combine(fn, statistics(a), statistics(b))));
}

Network::Value Network::unary(const std::string& name, UnaryFn fn, Value x) {
  return append(OpKind::kUnary, UnaryParams{fn, 0}, {x}, name, apply(fn, statistics(x)));
}

Network::Value Network::softmax(const std::string& name, Value x) {
  return append(OpKind::kSoftmax, SoftmaxParams{}, {x}, name, softmax_statistics(channels(x)));
}

Network::Value Network::matmul(const std::string& name, Value a, Value b, bool transpose_b) {
  const Statistics &x = statistics(a), &y = statistics(b);
  const auto depth = static_cast<float>(channels(a));
  return append(OpKind::kBatchMatMul, BatchMatMulParams{false, transpose_b}, {a, b}, name,
                normal_statistics(std::sqrt(depth * x.power() * y.power())));
}

Network::Value Network::pool(const std::string& name, PoolFn fn, Value x, const Window& window) {
  const Pool2DParams p{fn,
                       window.kernel_h,
                       window.kernel_w,
                       window.stride_h,
                       window.stride_w,
                       window.padding,
                       Activation::kNone};
  return append(OpKind::kPool2D, p, {x}, name, statistics(x));
}

Network::Value Network::mean(const std::string& name, Value x, Dims axes, bool keep_dims) {
  return append(OpKind::kReduce, ReduceParams{ReduceFn::kMean, keep_dims, axes}, {x}, name,
                statistics(x));
}

Network::Value Network::reshape(const std::string& name, Value x, Shape shape) {
  return append(OpKind::kReshape, ReshapeParams{shape}, {x}, name, statistics(x));
}

Network::Value Network::transpose(const std::string& name, Value x, Dims perm) {
  return append(OpKind::kTranspose, TransposeParams{perm}, {x}, name, statistics(x));
}

Network::Value Network::concat(const std::string& name, std::vector<Value> parts) {
  Statistics s = statistics(parts[0]);
  for (Value part : parts) {
    s.low = std::min(s.low, statistics(part).low);
    s.high = std::max(s.high, statistics(part).high);
  }
  return append(OpKind::kConcat, ConcatParams{3, Activation::kNone}, std::move(parts), name, s);
}

Network::Value Network::upsample(const std::string& name, Value x) {
  ResizeParams p;
  p.fn = ResizeFn::kNearest;
  p.out_h = 2 * shape(x)[1];
  p.out_w = 2 * shape(x)[2];
  return append(OpKind::kResize, p, {x}, name, statistics(x));
}

}  // namespace pj
