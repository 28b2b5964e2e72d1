#include "runtime/exec/xnnpack/describe.h"

#include "kernels/common/requantize.h"

namespace pj::xnn {
namespace {

// The operands of an operator with weights and a bias, or of a pooling without.
struct Operands {
  const Tensor *x, *y, *weights = nullptr, *bias = nullptr;
};

std::optional<Operands> operands_of(const Graph& graph, const Op& op) {
  Operands o{&graph.tensor(op.inputs[0]), &graph.tensor(op.outputs[0])};
  if (elements(o.x->shape) == 0 || elements(o.y->shape) == 0) return std::nullopt;
  if (op.kind == OpKind::kPool2D) return o;
  o.weights = &graph.tensor(op.inputs[1]);
  if (op.inputs.size() > 2 && op.inputs[2] != kNoTensor) o.bias = &graph.tensor(op.inputs[2]);
  const bool known = o.weights->constant && (o.bias == nullptr || o.bias->constant);
  return known ? std::optional(o) : std::nullopt;
}

void set_image(OperatorSpec& s, const Shape& x) {
  s.batch = x[0];
  s.in_h = x[1];
  s.in_w = x[2];
}

void set_padding(OperatorSpec& s, const Padding& pad) {
  s.top = pad.top;
  s.right = pad.right;
  s.bottom = pad.bottom;
  s.left = pad.left;
}

// Every window meets the image, and there are as many as the graph says.
bool windows_fit(const OperatorSpec& s, const Shape& y) {
  const int64_t tall = int64_t{s.kernel_h - 1} * s.dilation_h + 1;
  const int64_t wide = int64_t{s.kernel_w - 1} * s.dilation_w + 1;
  auto count = [](int64_t in, int64_t before, int64_t after, int64_t window, int64_t stride) {
    return (in + before + after - window) / stride + 1;
  };
  return s.top < tall && s.bottom < tall && s.left < wide && s.right < wide &&
         count(s.in_h, s.top, s.bottom, tall, s.stride_h) == y[1] &&
         count(s.in_w, s.left, s.right, wide, s.stride_w) == y[2];
}

bool set_values(OperatorSpec& s, const Operands& o, Activation activation) {
  s.dtype = o.x->dtype;
  if (s.dtype == DType::kF32) {
    const ActivationLimits limits = limits_of(activation);
    s.low = limits.low;
    s.high = limits.high;
    return true;
  }
  const Quantization &x = o.x->quant, &y = o.y->quant;
  if (!x.per_tensor() || !y.per_tensor()) return false;
  s.in_scale = x.scale[0];
  s.in_zero = x.zero_point[0];
  s.out_scale = y.scale[0];
  s.out_zero = y.zero_point[0];
  const OutputStage stage = make_output_stage(s.dtype, s.out_scale, s.out_zero, activation);
  s.out_min = static_cast<int32_t>(stage.low) + s.out_zero;
  s.out_max = static_cast<int32_t>(stage.high) + s.out_zero;
  if (o.weights == nullptr) return true;
  const Quantization& w = o.weights->quant;
  const auto channels = static_cast<size_t>(s.groups) * static_cast<size_t>(s.group_out);
  s.weight_zero = w.zero_point[0];
  s.weight_scales.assign(w.scale.begin(), w.scale.end());
  if (s.dtype == DType::kU8) return w.per_tensor();
  if (w.per_tensor()) s.weight_scales.assign(channels, w.scale[0]);
  return s.weight_zero == 0 && s.weight_scales.size() == channels;
}

bool describe_convolution(OperatorSpec& s, const Operands& o, const Conv2DParams& p) {
  const Shape &x = o.x->shape, &w = o.weights->shape;
  set_image(s, x);
  s.kernel_h = w[1];
  s.kernel_w = w[2];
  s.stride_h = p.stride_h;
  s.stride_w = p.stride_w;
  s.dilation_h = p.dilation_h;
  s.dilation_w = p.dilation_w;
  set_padding(s, resolve_padding(p.padding, x[1], x[2], w[1], w[2], p.stride_h, p.stride_w,
                                 p.dilation_h, p.dilation_w));
  const int32_t out_c = o.y->shape[3];
  s.groups = s.depthwise ? x[3] : x[3] / w[3];
  s.group_in = s.depthwise ? 1 : w[3];
  s.group_out = out_c / s.groups;
  return windows_fit(s, o.y->shape) && set_values(s, o, p.activation);
}

// A fully connected layer is a 1x1 convolution over a row of pixels.
bool describe_fully_connected(OperatorSpec& s, const Operands& o, const FullyConnectedParams& p) {
  s.group_out = o.weights->shape[0];
  s.group_in = o.weights->shape[1];
  s.in_w = static_cast<int32_t>(elements(o.x->shape) / s.group_in);
  return set_values(s, o, p.activation);
}

// Along one dimension, `full` outputs less what is cropped: at the end as much as makes the size
// right; where even nothing is too much, the output gets extra rows.
bool crop(int32_t in, int32_t kernel, int32_t stride, int32_t out, int32_t before, int32_t& after,
          int32_t& extra) {
  const int64_t full = int64_t{in - 1} * stride + kernel;
  const int64_t excess = full - before - out;
  after = static_cast<int32_t>(excess > 0 ? excess : 0);
  extra = static_cast<int32_t>(excess < 0 ? -excess : 0);
  return extra < stride;
}

bool describe_deconvolution(OperatorSpec& s, const Operands& o, const TransposeConv2DParams& p) {
  const Shape &x = o.x->shape, &w = o.weights->shape, &y = o.y->shape;
  set_image(s, x);
  s.kernel_h = w[1];
  s.kernel_w = w[2];
  s.stride_h = p.stride_h;
  s.stride_w = p.stride_w;
  s.group_in = w[3];
  s.group_out = w[0];
  // The padding is that of the convolution from y to x.
  set_padding(s, resolve_padding(p.padding, y[1], y[2], w[1], w[2], p.stride_h, p.stride_w));
  return crop(s.in_h, s.kernel_h, s.stride_h, y[1], s.top, s.bottom, s.extra_h) &&
         crop(s.in_w, s.kernel_w, s.stride_w, y[2], s.left, s.right, s.extra_w) &&
         set_values(s, o, p.activation);
}

bool describe_pooling(OperatorSpec& s, const Operands& o, const Pool2DParams& p) {
  const Shape& x = o.x->shape;
  set_image(s, x);
  s.family = p.fn == PoolFn::kMax ? Family::kMaxPooling : Family::kAveragePooling;
  s.group_in = s.group_out = x[3];
  s.kernel_h = p.kernel_h;
  s.kernel_w = p.kernel_w;
  s.stride_h = p.stride_h;
  s.stride_w = p.stride_w;
  set_padding(
      s, resolve_padding(p.padding, x[1], x[2], p.kernel_h, p.kernel_w, p.stride_h, p.stride_w));
  return windows_fit(s, o.y->shape) && set_values(s, o, p.activation);
}

bool describe_kind(OperatorSpec& s, const Op& op, const Operands& o) {
  switch (op.kind) {
    case OpKind::kConv2D:
      return describe_convolution(s, o, op.as<Conv2DParams>());
    case OpKind::kDepthwiseConv2D:
      s.depthwise = true;
      return describe_convolution(s, o, op.as<DepthwiseConv2DParams>());
    case OpKind::kFullyConnected:
      return describe_fully_connected(s, o, op.as<FullyConnectedParams>());
    case OpKind::kTransposeConv2D:
      s.family = Family::kDeconvolution;
      return describe_deconvolution(s, o, op.as<TransposeConv2DParams>());
    case OpKind::kPool2D:
      return describe_pooling(s, o, op.as<Pool2DParams>());
    default:
      return false;
  }
}

bool has_counterpart(OpKind kind) {
  return kind == OpKind::kConv2D || kind == OpKind::kDepthwiseConv2D ||
         kind == OpKind::kFullyConnected || kind == OpKind::kTransposeConv2D ||
         kind == OpKind::kPool2D;
}

}  // namespace

std::optional<Description> describe(const Graph& graph, const Op& op) {
  if (!has_counterpart(op.kind) || has_epilogue(op.params)) return std::nullopt;
  const std::optional<Operands> o = operands_of(graph, op);
  if (!o) return std::nullopt;
  Description d{{}, o->weights, o->bias};
  if (!describe_kind(d.spec, op, *o)) return std::nullopt;
  return d;
}

}  // namespace pj::xnn
