// Operators that multiply by weights: Conv2D, DepthwiseConv2D, TransposeConv2D, FullyConnected; and
// BatchMatMul, whose second factor need not be constant.
#include <cmath>

#include "runtime/graph/op_rows.h"
#include "runtime/graph/op_windows.h"
#include "runtime/graph/quant_scan.h"

namespace pj {
namespace {

Status require_rank_if_constant(const InferContext& ctx, size_t i, int32_t rank) {
  return ctx.input(i).constant ? require_input_rank(ctx, i, rank) : Status{};
}

// Which types of weights go with which activations.
Status check_factor_types(const InferContext& ctx) {
  const DType x = ctx.input(0).dtype, w = ctx.input(1).dtype;
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8}));
  PJ_TRY(require_output_like_first(ctx, 0));
  if (x == DType::kF32 && is_int8_like(w)) {
    return error(ErrorCode::kModelUnsupported,
                 "hybrid arithmetic ({} activations with {} weights, {}) is not supported; "
                 "dequantise the weights, or quantise the whole model",
                 name_of(x), name_of(w), input_name(ctx, 1));
  }
  const bool fits = x == DType::kF32 ? is_float(w) : w == x;
  if (fits) return {};
  return error(ErrorCode::kModelUnsupported, "{} is {}; {} activations take {} weights",
               input_name(ctx, 1), name_of(w), name_of(x),
               x == DType::kF32 ? "f32 or f16" : name_of(x));
}

Status check_bias(const InferContext& ctx, size_t i) {
  if (!ctx.has_input(i)) return {};
  PJ_TRY(require_rank_if_constant(ctx, i, 1));
  if (ctx.input(0).dtype == DType::kF32)
    return require_input_dtype(ctx, i, {DType::kF32, DType::kF16});
  return require_input_dtype(ctx, i, {DType::kI32});
}

// Weights have a scale for the whole tensor or one for each output channel. Signed ones are
// symmetric: kernels need not correct for a zero point.
Status check_weight_scales(const InferContext& ctx, int32_t channel_axis) {
  const Tensor& w = ctx.input(1);
  const Quantization& q = w.quant;
  if (q.empty() || (w.dtype == DType::kU8 && !q.per_tensor()))
    return require_input_quantized(ctx, 1);
  if (!q.per_tensor() && q.axis != channel_axis) {
    return error(
        ErrorCode::kModelUnsupported,
        "{} has a scale for each index of axis {}; it must be axis {}, the output channels",
        input_name(ctx, 1), q.axis, channel_axis);
  }
  if (w.dtype != DType::kI8 || all_zero(q.zero_point)) return {};
  for (int32_t z : q.zero_point) {
    if (z != 0)
      return error(ErrorCode::kModelUnsupported,
                   "{} has zero point {}; int8 weights must have 0 (quantise them symmetrically)",
                   input_name(ctx, 1), z);
  }
  return {};
}

// Types, quantisation and constant shapes of x, weights, bias.
Status check_weighted(const InferContext& ctx, int32_t weight_rank, int32_t channel_axis) {
  PJ_TRY(check_factor_types(ctx));
  PJ_TRY(require_rank_if_constant(ctx, 1, weight_rank));
  PJ_TRY(check_bias(ctx, 2));
  if (ctx.input(0).dtype == DType::kF32) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  PJ_TRY(require_output_quantized(ctx, 0));
  return check_weight_scales(ctx, channel_axis);
}

// The epilogue of an operator that can have one, and its operand, input 3.
Status check_epilogue(const InferContext& ctx) {
  const Epilogue& e = *epilogue_of(ctx.op.params);
  const bool operand = e.fn == EpilogueFn::kAdd || e.fn == EpilogueFn::kPRelu;
  if (ctx.has_input(3) != operand) {
    return error(ErrorCode::kModelInvalid, "{} inputs; x, weights and bias are all it takes",
                 ctx.op.inputs.size());
  }
  if (!e.present()) return {};
  if (operand) PJ_TRY(require_input_like_first(ctx, 3));
  if (ctx.input(0).dtype == DType::kF32) return {};
  if (operand) PJ_TRY(require_input_quantized(ctx, 3));
  const IntRange range = range_of(ctx.input(0).dtype);
  if (std::isfinite(e.scale) && e.scale > 0 && e.zero_point >= range.min &&
      e.zero_point <= range.max)
    return {};
  return error(ErrorCode::kModelInvalid, "the epilogue's input has scale {} and zero point {}",
               e.scale, e.zero_point);
}

// Shape of the epilogue's operand, for an output of shape y.
Status check_epilogue_shape(const InferContext& ctx, const Shape& y) {
  if (!ctx.has_input(3)) return {};
  const Shape& operand = input_shape(ctx, 3);
  const bool fits = epilogue_of(ctx.op.params)->fn == EpilogueFn::kPRelu
                        ? dims_agree(operand.back(0), y.back(0)) &&
                              (!is_static(operand) || elements(operand) == operand.back(0))
                        : operand == y || !is_static(operand) || !is_static(y);
  if (fits) return {};
  return error(ErrorCode::kModelInvalid, "{} of shape {} does not go with an output of shape {}",
               input_name(ctx, 3), to_string(operand), to_string(y));
}

// The shapes of x, weights and bias, before what is particular to the operator.
Status check_weighted_shapes(const InferContext& ctx, int32_t weight_rank, int32_t channel_axis) {
  PJ_TRY(require_input_rank(ctx, 1, weight_rank));
  const Shape& w = input_shape(ctx, 1);
  for (int32_t d : w) {
    if (d == 0)
      return error(ErrorCode::kModelInvalid, "{} has shape {}; weights cannot be empty",
                   input_name(ctx, 1), to_string(w));
  }
  if (!ctx.has_input(2)) return {};
  PJ_TRY(require_input_rank(ctx, 2, 1));
  if (dims_agree(input_shape(ctx, 2)[0], w[channel_axis])) return {};
  return error(ErrorCode::kModelInvalid, "{} has {} values for {} output channels",
               input_name(ctx, 2), input_shape(ctx, 2)[0], w[channel_axis]);
}

tl::unexpected<Error> channel_mismatch(const InferContext& ctx) {
  return error(ErrorCode::kModelInvalid,
               "{} of shape {} and {} of shape {} do not agree in the number of channels",
               input_name(ctx, 0), to_string(input_shape(ctx, 0)), input_name(ctx, 1),
               to_string(input_shape(ctx, 1)));
}

Status check_conv_attributes(const Conv2DParams& p) {
  PJ_TRY(check_step("stride_h", p.stride_h));
  PJ_TRY(check_step("stride_w", p.stride_w));
  PJ_TRY(check_step("dilation_h", p.dilation_h));
  PJ_TRY(check_step("dilation_w", p.dilation_w));
  return check_padding(p.padding);
}

// [N, positions, positions, channels]
Result<Shape> conv_output(const InferContext& ctx, const Conv2DParams& p, int32_t channels) {
  const Shape &x = input_shape(ctx, 0), &w = input_shape(ctx, 1);
  const Padding& pad = p.padding;
  PJ_ASSIGN(const int32_t h, window_positions(pad.mode, {"height", x[1], w[1], p.stride_h,
                                                         p.dilation_h, pad.top, pad.bottom}));
  PJ_ASSIGN(const int32_t width, window_positions(pad.mode, {"width", x[2], w[2], p.stride_w,
                                                             p.dilation_w, pad.left, pad.right}));
  return Shape{x[0], h, width, channels};
}

// One dimension of a transposed convolution: `out` elements convolve to `in` positions.
Status check_transposed(PadMode mode, WindowDim d, int32_t in) {
  PJ_ASSIGN(const int32_t positions, window_positions(mode, d));
  if (dims_agree(positions, in)) return {};
  return error(ErrorCode::kModelInvalid,
               "an output {} of {} belongs to an input of {}, but the input has {}", d.name, d.in,
               positions, in);
}

// Elements of x divided by the depth of the weights; unknown if a dimension is.
Result<int32_t> row_count(const InferContext& ctx, int32_t depth) {
  const Shape& x = input_shape(ctx, 0);
  if (!is_static(x) || !known(depth)) return kUnknownDim;
  const std::optional<int64_t> count = element_count(x);
  if (!count || *count % depth != 0) {
    return error(ErrorCode::kModelInvalid, "{} of shape {} does not divide into rows of {}",
                 input_name(ctx, 0), to_string(x), depth);
  }
  return to_dim(*count / depth);
}

}  // namespace

Status validate_Conv2D(const InferContext& ctx) {
  PJ_TRY(check_conv_attributes(ctx.op.as<Conv2DParams>()));
  PJ_TRY(check_epilogue(ctx));
  return check_weighted(ctx, 4, 0);
}

Status infer_Conv2D(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  PJ_TRY(check_weighted_shapes(ctx, 4, 0));
  const Shape &x = input_shape(ctx, 0), &w = input_shape(ctx, 1);
  if (known(x[3]) && known(w[3])) {
    if (x[3] == 0 || x[3] % w[3] != 0) return channel_mismatch(ctx);
    const int32_t groups = x[3] / w[3];
    if (known(w[0]) && w[0] % groups != 0) {
      return error(ErrorCode::kModelInvalid, "{} output channels do not divide into {} groups",
                   w[0], groups);
    }
  }
  PJ_ASSIGN(const Shape y, conv_output(ctx, ctx.op.as<Conv2DParams>(), w[0]));
  outputs.push_back(y);
  return check_epilogue_shape(ctx, y);
}

Status validate_DepthwiseConv2D(const InferContext& ctx) {
  PJ_TRY(check_conv_attributes(ctx.op.as<DepthwiseConv2DParams>()));
  PJ_TRY(check_epilogue(ctx));
  return check_weighted(ctx, 4, 3);
}

Status infer_DepthwiseConv2D(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  PJ_TRY(check_weighted_shapes(ctx, 4, 3));
  const Shape &x = input_shape(ctx, 0), &w = input_shape(ctx, 1);
  if (!dims_agree(w[0], 1)) {
    return error(ErrorCode::kModelInvalid, "{} has shape {}; its first dimension must be 1",
                 input_name(ctx, 1), to_string(w));
  }
  if (known(x[3]) && known(w[3]) && (x[3] == 0 || w[3] % x[3] != 0)) return channel_mismatch(ctx);
  PJ_ASSIGN(const Shape y, conv_output(ctx, ctx.op.as<DepthwiseConv2DParams>(), w[3]));
  outputs.push_back(y);
  return check_epilogue_shape(ctx, y);
}

Status validate_TransposeConv2D(const InferContext& ctx) {
  const auto& p = ctx.op.as<TransposeConv2DParams>();
  PJ_TRY(check_step("stride_h", p.stride_h));
  PJ_TRY(check_step("stride_w", p.stride_w));
  PJ_TRY(check_padding(p.padding));
  if (p.out_h < 1 || p.out_w < 1) {
    return error(ErrorCode::kModelInvalid,
                 "the output size {}x{} is not positive; a transposed "
                 "convolution needs a constant one",
                 p.out_h, p.out_w);
  }
  return check_weighted(ctx, 4, 0);
}

Status infer_TransposeConv2D(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  PJ_TRY(check_weighted_shapes(ctx, 4, 0));
  const auto& p = ctx.op.as<TransposeConv2DParams>();
  const Shape &x = input_shape(ctx, 0), &w = input_shape(ctx, 1);
  if (!dims_agree(x[3], w[3])) return channel_mismatch(ctx);
  const Padding& pad = p.padding;
  PJ_TRY(check_transposed(pad.mode, {"height", p.out_h, w[1], p.stride_h, 1, pad.top, pad.bottom},
                          x[1]));
  PJ_TRY(check_transposed(pad.mode, {"width", p.out_w, w[2], p.stride_w, 1, pad.left, pad.right},
                          x[2]));
  outputs.push_back({x[0], p.out_h, p.out_w, w[0]});
  return {};
}

Status validate_FullyConnected(const InferContext& ctx) {
  PJ_TRY(check_epilogue(ctx));
  return check_weighted(ctx, 2, 0);
}

Status infer_FullyConnected(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank_at_least(ctx, 0, 1));
  PJ_TRY(check_weighted_shapes(ctx, 2, 0));
  const Shape &x = input_shape(ctx, 0), &w = input_shape(ctx, 1);
  if (!ctx.op.as<FullyConnectedParams>().keep_dims) {
    PJ_ASSIGN(const int32_t rows, row_count(ctx, w[1]));
    outputs.push_back({rows, w[0]});
    return check_epilogue_shape(ctx, outputs.back());
  }
  if (!dims_agree(x.back(0), w[1])) return channel_mismatch(ctx);
  Shape y = x;
  y.back(0) = w[0];
  outputs.push_back(y);
  return check_epilogue_shape(ctx, y);
}

Status validate_BatchMatMul(const InferContext& ctx) {
  PJ_TRY(check_factor_types(ctx));
  if (ctx.input(0).dtype == DType::kF32) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  PJ_TRY(require_input_quantized(ctx, 1));
  return require_output_quantized(ctx, 0);
}

Status infer_BatchMatMul(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank_at_least(ctx, 0, 2));
  PJ_TRY(require_input_rank_at_least(ctx, 1, 2));
  const auto& p = ctx.op.as<BatchMatMulParams>();
  Shape a = input_shape(ctx, 0), b = input_shape(ctx, 1);
  const int32_t m = a.back(p.transpose_a ? 0 : 1), k_a = a.back(p.transpose_a ? 1 : 0);
  const int32_t n = b.back(p.transpose_b ? 1 : 0), k_b = b.back(p.transpose_b ? 0 : 1);
  if (!dims_agree(k_a, k_b)) {
    return error(ErrorCode::kModelInvalid,
                 "matrices of shapes {} and {} cannot be multiplied: {} "
                 "columns meet {} rows",
                 to_string(a), to_string(b), k_a, k_b);
  }
  a.count -= 2;
  b.count -= 2;
  PJ_ASSIGN(Shape y, broadcast_shapes(a, b));
  y.push_back(m);
  y.push_back(n);
  outputs.push_back(y);
  return {};
}

}  // namespace pj
