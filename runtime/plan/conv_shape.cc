#include "runtime/plan/conv_shape.h"

#include <algorithm>

#include "runtime/base/aligned.h"

namespace pj {
namespace {

ConvShape windowed_shape(const Tensor& x, const Tensor& w, const Tensor& y, const Conv2DParams& p) {
  ConvShape s;
  s.batch = x.shape[0];
  s.in_h = x.shape[1];
  s.in_w = x.shape[2];
  s.in_c = x.shape[3];
  s.out_h = y.shape[1];
  s.out_w = y.shape[2];
  s.out_c = y.shape[3];
  const Padding pad = resolve_padding(p.padding, s.in_h, s.in_w, w.shape[1], w.shape[2], p.stride_h,
                                      p.stride_w, p.dilation_h, p.dilation_w);
  s.pad_top = pad.top;
  s.kernel.pad_left = pad.left;
  s.kernel.kernel_h = w.shape[1];
  s.kernel.kernel_w = w.shape[2];
  s.kernel.stride_h = p.stride_h;
  s.kernel.stride_w = p.stride_w;
  s.kernel.dilation_h = p.dilation_h;
  s.kernel.dilation_w = p.dilation_w;
  s.activation = p.activation;
  return s;
}

// Where every output pixel reads just the input pixel at its place, all pixels are one row.
void flatten(ConvShape& s) {
  const ConvKernelParams& k = s.kernel;
  const bool pointwise = k.kernel_h == 1 && k.kernel_w == 1 && k.stride_h == 1 && k.stride_w == 1 &&
                         s.pad_top == 0 && k.pad_left == 0 && s.out_h == s.in_h &&
                         s.out_w == s.in_w;
  if (!pointwise) return;
  s.in_w = s.out_w = s.batch * s.in_h * s.in_w;
  s.batch = s.in_h = s.out_h = 1;
}

ConvShape fully_connected_shape(const Tensor& x, const Tensor& w, const FullyConnectedParams& p) {
  ConvShape s;
  s.out_c = w.shape[0];
  s.in_c = w.shape[1];
  s.in_w = s.out_w = static_cast<int32_t>(elements(x.shape) / s.in_c);
  s.activation = p.activation;
  s.in_stride = 1;
  s.out_stride = s.in_c;
  return s;
}

std::optional<ConvShape> conv_shape(const Tensor& x, const Tensor& w, const Tensor& y,
                                    const Conv2DParams& p) {
  ConvShape s = windowed_shape(x, w, y, p);
  if (w.shape[3] != s.in_c) return std::nullopt;  // groups
  s.tap_stride = s.in_c;
  s.in_stride = 1;
  s.out_stride = int64_t{w.shape[1]} * w.shape[2] * s.in_c;
  flatten(s);
  return s;
}

std::optional<ConvShape> depthwise_shape(const Tensor& x, const Tensor& w, const Tensor& y,
                                         const DepthwiseConv2DParams& p) {
  ConvShape s = windowed_shape(x, w, y, p);
  s.tap_stride = s.out_c;
  s.out_stride = 1;
  // With one input channel a multiplier makes it an ordinary convolution.
  if (s.in_c == 1) return s;
  s.cls = KernelClass::kDepthwise;
  return s;
}

// One dimension of a phase: outputs first, first + stride, ... below `size`.
struct Phase {
  int32_t outputs;
  int32_t taps, first_tap;  // the first in the order of the inputs: the last of the kernel
  int32_t pad;              // in front of the input

  // Output o sums x[i] * w[k] with i * stride - pad_before + k = o.
  Phase(int32_t first, int32_t size, int32_t kernel, int32_t stride, int32_t pad_before)
      : outputs(static_cast<int32_t>(ceil_div(int64_t{size} - first, stride))) {
    const int64_t place = int64_t{first} + pad_before;
    const auto smallest = static_cast<int32_t>(place % stride);  // tap, which sees place / stride
    if (smallest < kernel) {
      taps = (kernel - 1 - smallest) / stride + 1;
      first_tap = smallest + (taps - 1) * stride;
      pad = static_cast<int32_t>(taps - 1 - place / stride);
    } else {
      // No tap reaches these outputs: any tap will do that sees nothing but padding.
      taps = 1;
      first_tap = 0;
      pad = outputs;
    }
  }
};

std::vector<ConvShape> transposed_shapes(const Tensor& x, const Tensor& w, const Tensor& y,
                                         const TransposeConv2DParams& p) {
  ConvShape s;
  s.batch = x.shape[0];
  s.in_h = x.shape[1];
  s.in_w = x.shape[2];
  s.in_c = x.shape[3];
  s.out_c = y.shape[3];
  s.activation = p.activation;
  s.tap_stride = s.in_c;
  s.in_stride = 1;
  s.grid = {y.shape[1], y.shape[2], p.stride_h, p.stride_w, 0, 0};
  // The padding is that of the convolution from y to x.
  const Padding pad = resolve_padding(p.padding, s.grid.height, s.grid.width, w.shape[1],
                                      w.shape[2], p.stride_h, p.stride_w);
  std::vector<ConvShape> shapes;
  for (int32_t h = std::min(p.stride_h, s.grid.height); h-- > 0;) {
    for (int32_t v = std::min(p.stride_w, s.grid.width); v-- > 0;) {
      const Phase rows(h, s.grid.height, w.shape[1], p.stride_h, pad.top);
      const Phase cols(v, s.grid.width, w.shape[2], p.stride_w, pad.left);
      s.grid.first_h = h;
      s.grid.first_w = v;
      s.out_h = rows.outputs;
      s.out_w = cols.outputs;
      s.kernel.kernel_h = rows.taps;
      s.kernel.kernel_w = cols.taps;
      s.pad_top = rows.pad;
      s.kernel.pad_left = cols.pad;
      s.out_stride = int64_t{rows.taps} * cols.taps * s.in_c;
      s.cut = TapCut{rows.taps, cols.taps, rows.first_tap, cols.first_tap, p.stride_h, p.stride_w};
      shapes.push_back(s);
    }
  }
  return shapes;
}

}  // namespace

std::vector<ConvShape> conv_shapes_of(const Graph& graph, const Op& op) {
  const bool conv = op.kind == OpKind::kConv2D, depthwise = op.kind == OpKind::kDepthwiseConv2D,
             transposed = op.kind == OpKind::kTransposeConv2D;
  if (!conv && !depthwise && !transposed && op.kind != OpKind::kFullyConnected) return {};
  const Tensor& x = graph.tensor(op.inputs[0]);
  const Tensor& w = graph.tensor(op.inputs[1]);
  const Tensor& y = graph.tensor(op.outputs[0]);
  // Blocked kernels need packed, hence constant, weights; and something to compute.
  if (!w.constant || elements(x.shape) == 0 || elements(y.shape) == 0) return {};
  if (op.inputs.size() > 2 && op.inputs[2] != kNoTensor && !graph.tensor(op.inputs[2]).constant)
    return {};
  if (transposed) return transposed_shapes(x, w, y, op.as<TransposeConv2DParams>());
  std::optional<ConvShape> s = conv ? conv_shape(x, w, y, op.as<Conv2DParams>())
                               : depthwise
                                   ? depthwise_shape(x, w, y, op.as<DepthwiseConv2DParams>())
                                   : fully_connected_shape(x, w, op.as<FullyConnectedParams>());
  if (!s) return {};
  s->grid.height = s->out_h;
  s->grid.width = s->out_w;
  return {*s};
}

}  // namespace pj
