#include <algorithm>
#include <cstring>

#include "kernels/common/requantize.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/widened_rows.h"
#include "runtime/base/aligned.h"
#include "runtime/plan/lower.h"

namespace pj {
namespace {

// A convolution, depthwise convolution or fully connected layer in common terms.
struct ConvShape {
  KernelClass cls = KernelClass::kConv;
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
  ConvKernelParams kernel;  // window only
  int32_t pad_top = 0;
  Activation activation = Activation::kNone;
  // Distances in the portable weights, in elements.
  int64_t tap_stride = 0, in_stride = 0, out_stride = 0;
};

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

std::optional<ConvShape> shape_of(const Graph& graph, const Op& op) {
  if (op.kind != OpKind::kConv2D && op.kind != OpKind::kDepthwiseConv2D &&
      op.kind != OpKind::kFullyConnected)
    return std::nullopt;
  const Tensor& x = graph.tensor(op.inputs[0]);
  const Tensor& w = graph.tensor(op.inputs[1]);
  const Tensor& y = graph.tensor(op.outputs[0]);
  // Blocked kernels need packed, hence constant, weights; and something to compute.
  if (!w.constant || elements(x.shape) == 0 || elements(y.shape) == 0) return std::nullopt;
  if (op.inputs.size() > 2 && op.inputs[2] != kNoTensor && !graph.tensor(op.inputs[2]).constant)
    return std::nullopt;

  ConvShape s;
  if (op.kind == OpKind::kFullyConnected) {
    s.out_c = w.shape[0];
    s.in_c = w.shape[1];
    s.in_w = s.out_w = static_cast<int32_t>(elements(x.shape) / s.in_c);
    s.activation = op.as<FullyConnectedParams>().activation;
    s.in_stride = 1;
    s.out_stride = s.in_c;
    return s;
  }
  const int64_t taps = int64_t{w.shape[1]} * w.shape[2];
  if (op.kind == OpKind::kConv2D) {
    s = windowed_shape(x, w, y, op.as<Conv2DParams>());
    if (w.shape[3] != s.in_c) return std::nullopt;  // groups
    s.tap_stride = s.in_c;
    s.in_stride = 1;
    s.out_stride = taps * s.in_c;
    flatten(s);
    return s;
  }
  s = windowed_shape(x, w, y, op.as<DepthwiseConv2DParams>());
  s.tap_stride = s.out_c;
  s.out_stride = 1;
  // With one input channel a multiplier makes it an ordinary convolution.
  if (s.in_c == 1) return s;
  if (s.out_c != s.in_c) return std::nullopt;
  s.cls = KernelClass::kDepthwise;
  return s;
}

// The fastest row that fits the operands and runs on the target.
KernelId choose_kernel(const LowerContext& c, const ConvShape& s, DType x, DType w, DType y) {
  KernelId best = -1;
  for (size_t i = 0; i < c.catalog.size(); ++i) {
    const KernelDesc& k = c.catalog[i];
    if (k.cls != s.cls || k.input != x || k.weights != w || k.output != y ||
        !c.target.isa.includes(k.isa) || !k.fits(s.kernel))
      continue;
    if (best < 0 || k.macs_per_cycle > c.catalog[static_cast<size_t>(best)].macs_per_cycle)
      best = static_cast<KernelId>(i);
  }
  return best;
}

PackRecipe make_recipe(const LowerContext& c, const Op& op, const ConvShape& s,
                       const KernelDesc& kernel) {
  const Tensor& x = c.tensor(op.inputs[0]);
  const Tensor& w = c.tensor(op.inputs[1]);
  const Tensor& y = c.tensor(op.outputs[0]);
  const bool depthwise = s.cls == KernelClass::kDepthwise;
  PackRecipe r;
  r.weights = op.inputs[1];
  r.bias = op.inputs.size() > 2 ? op.inputs[2] : kNoTensor;
  PackSpec& spec = r.spec;
  spec.packing = kernel.packing;
  spec.input = x.dtype;
  spec.weights = w.dtype;
  spec.nr = kernel.nr;
  spec.kr = kernel.kr;
  spec.taps = s.kernel.kernel_h * s.kernel.kernel_w;
  spec.in_channels = depthwise ? 1 : s.in_c;
  spec.out_channels = s.out_c;
  spec.pad_channels = s.in_c;
  spec.tap_stride = s.tap_stride;
  spec.in_stride = s.in_stride;
  spec.out_stride = s.out_stride;
  if (spec.packing == PackingId::kConvWindows) {
    // Taps follow each other as channels do: in_channels * in_stride, or with one channel any
    // distance, is the distance of two taps.
    if (s.in_c == 1 && spec.taps > 1) spec.in_stride = s.tap_stride;
    spec.in_channels *= spec.taps;
    spec.taps = 1;
  }
  if (spec.integer()) {
    spec.input_zero_point = x.quant.zero_point[0];
    spec.weights_zero_point = w.quant.zero_point[0];
    for (int32_t o = 0; o < s.out_c; ++o) {
      const float ws =
          w.quant.per_tensor() ? w.quant.scale[0] : w.quant.scale[static_cast<size_t>(o)];
      r.scales.push_back(requantization_scale(x.quant.scale[0], ws, y.quant.scale[0]));
    }
  }
  return r;
}

ConvKernelParams make_params(const ConvShape& s, const Tensor& x, const Tensor& y,
                             const PackSpec& spec) {
  ConvKernelParams k = s.kernel;
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  k.in_col_bytes = s.in_c * size;
  k.out_col_bytes = s.out_c * size;
  k.out_row_bytes = s.out_w * k.out_col_bytes;
  k.panel_bytes = spec.panel_bytes();
  if (spec.integer()) {
    k.stage = make_output_stage(y.dtype, y.quant.scale[0], y.quant.zero_point[0], s.activation);
    k.weights_zero_point = signed_zero_point(spec.weights, spec.weights_zero_point);
  } else {
    const ActivationLimits limits = limits_of(s.activation);
    k.low = limits.low;
    k.high = limits.high;
  }
  return k;
}

// Loops. A convolution keeps a block of pixels, at most half of L1, while all panels of weights
// pass by; a depthwise one takes a row at a time, so that the rows of its window stay in L1 or L2
// from one row to the next.
std::vector<Loop> make_loops(const ConvShape& s, const KernelDesc& kernel, const Target& target) {
  if (s.cls == KernelClass::kDepthwise) return {{kBatch, 1, true}, {kRow, 1, true}};
  const int64_t pixel = int64_t{s.in_c} * s.kernel.kernel_h * s.kernel.stride_w *
                        static_cast<int64_t>(size_of(kernel.input));
  const int64_t fit = target.l1_bytes / 2 / pixel / kernel.mr * kernel.mr;
  const auto cols = static_cast<int32_t>(std::clamp<int64_t>(fit, 4 * kernel.mr, 256));
  return {{kBatch, 1, true}, {kRow, 1, true}, {kCol, cols, true}, {kChannel, kernel.nr, true}};
}

// n in pieces of about one size, a multiple of `unit` and at most about `most`.
int32_t even_step(int64_t n, int64_t most, int64_t unit) {
  const int64_t count = ceil_div(n, std::max(most, unit));
  return static_cast<int32_t>(ceil_div(ceil_div(n, count), unit) * unit);
}

// Loops of kernels that prepare a block of pixels for all channels: tiles are whole rows or blocks
// of them, with all channels unless that leaves too few parts for threads.
std::vector<Loop> make_window_loops(const ConvShape& s, const KernelDesc& kernel) {
  constexpr int64_t kParts = 8, kLeastPanels = 4;
  const WidenedRows block(s.kernel);
  const int32_t cols = even_step(s.out_w, block.pixels, kernel.mr);
  const auto rows = static_cast<int32_t>(std::clamp(block.pixels / s.out_w, 1, s.out_h));
  const int64_t pixel_parts = s.batch * ceil_div(s.out_h, rows) * ceil_div(s.out_w, cols);
  const int64_t channels =
      std::max(ceil_div(s.out_c, ceil_div(kParts, pixel_parts)), kLeastPanels * kernel.nr);
  return {{kBatch, 1, true},
          {kRow, rows, true},
          {kCol, cols, true},
          {kChannel, even_step(s.out_c, channels, kernel.nr), true}};
}

// A layer and the row that computes it.
struct Choice {
  ConvShape shape;
  KernelId kernel;
};

std::optional<Choice> choose(const LowerContext& c, const Op& op) {
  std::optional<ConvShape> shape = shape_of(c.graph, op);
  if (!shape) return std::nullopt;
  ConvShape& s = *shape;
  s.kernel.in_width = s.in_w;
  s.kernel.in_channels = s.in_c;
  s.kernel.out_channels = s.out_c;
  const KernelId id = choose_kernel(c, s, c.tensor(op.inputs[0]).dtype,
                                    c.tensor(op.inputs[1]).dtype, c.tensor(op.outputs[0]).dtype);
  if (id < 0) return std::nullopt;
  return Choice{s, id};
}

}  // namespace

bool has_tuned_kernel(const LowerContext& c, int32_t op_index) {
  const std::optional<Choice> choice = choose(c, c.graph.ops[static_cast<size_t>(op_index)]);
  return choice && c.catalog[static_cast<size_t>(choice->kernel)].tuned;
}

std::optional<LoopNest> lower_convolution(LowerContext& c, int32_t op_index) {
  const Op& op = c.graph.ops[static_cast<size_t>(op_index)];
  const std::optional<Choice> choice = choose(c, op);
  if (!choice) return std::nullopt;
  const ConvShape& s = choice->shape;
  const KernelId id = choice->kernel;
  const Tensor& x = c.tensor(op.inputs[0]);
  const Tensor& y = c.tensor(op.outputs[0]);
  const KernelDesc& kernel = c.catalog[static_cast<size_t>(id)];
  const bool depthwise = s.cls == KernelClass::kDepthwise;

  PackRecipe recipe = make_recipe(c, op, s, kernel);
  const PackSpec spec = recipe.spec;
  const ConvKernelParams params = make_params(s, x, y, spec);

  LoopNest nest;
  nest.kernel = id;
  nest.extent[kBatch] = s.batch;
  nest.extent[kRow] = s.out_h;
  nest.extent[kCol] = s.out_w;
  nest.extent[kChannel] = s.out_c;
  nest.loops = kernel.packing == PackingId::kConvWindows ? make_window_loops(s, kernel)
                                                         : make_loops(s, kernel, c.target);
  nest.windowed = true;
  nest.window = {s.kernel.stride_h, s.pad_top, (s.kernel.kernel_h - 1) * s.kernel.dilation_h + 1,
                 s.in_h};

  const int64_t channel = depthwise ? static_cast<int64_t>(size_of(x.dtype)) : 0;
  Operand in{.buffer = c.buffer_of(op.inputs[0]), .bytes = byte_size(x)};
  in.stride[kRow] = s.in_w * params.in_col_bytes;
  in.stride[kBatch] = s.in_h * in.stride[kRow];
  in.stride[kChannel] = channel;

  const int32_t packed = c.add_packed(op_index, std::move(recipe));
  Operand panels{.buffer = {Space::kPacked, packed, spec.pad_bytes()},
                 .bytes = spec.total_bytes() - spec.pad_bytes()};
  // Tiles begin at multiples of nr, and a panel is a multiple of nr bytes long.
  panels.stride[kChannel] = spec.panel_bytes() / kernel.nr;
  Operand pad{.buffer = {Space::kPacked, packed, 0}, .bytes = spec.pad_bytes()};
  pad.stride[kChannel] = channel;

  Operand out{.buffer = c.buffer_of(op.outputs[0]), .bytes = byte_size(y)};
  out.stride[kChannel] = static_cast<int64_t>(size_of(y.dtype));
  out.stride[kCol] = params.out_col_bytes;
  out.stride[kRow] = params.out_row_bytes;
  out.stride[kBatch] = s.out_h * params.out_row_bytes;

  nest.in = {in, panels, pad};
  nest.out = {out};
  nest.params.resize(sizeof(params));
  std::memcpy(nest.params.data(), &params, sizeof(params));
  if (spec.weights == DType::kF16) {
    // Room to widen one panel.
    nest.scratch_bytes = int64_t{spec.taps} * spec.in_channels * kernel.nr * 4;
  }
  if (spec.packing == PackingId::kConvWindows)
    nest.scratch_bytes = WidenedRows(params).total_bytes();
  return nest;
}

void pack(const Graph& graph, const PackRecipe& r, std::span<std::byte> packed) {
  const Tensor* bias = r.bias == kNoTensor ? nullptr : &graph.tensor(r.bias);
  pack_weights(r.spec, graph.tensor(r.weights).data.bytes.data(),
               bias ? bias->data.bytes.data() : nullptr, bias && bias->dtype == DType::kF16,
               r.scales, packed);
}

}  // namespace pj
