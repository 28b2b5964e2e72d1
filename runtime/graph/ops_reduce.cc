// Operators along dimensions: Softmax, LogSoftmax, L2Normalization, LayerNorm, Reduce, ArgReduce,
// TopK.
#include <cmath>

#include "runtime/graph/op_rows.h"
#include "runtime/graph/op_windows.h"

namespace pj {
namespace {

// f32, or 8 bits with a scale for input and output; over the last dimension.
Status check_normalization(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8}));
  PJ_TRY(require_output_like_first(ctx, 0));
  if (ctx.input(0).dtype == DType::kF32) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  return require_output_quantized(ctx, 0);
}

Status infer_normalization(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank_at_least(ctx, 0, 1));
  outputs.push_back(input_shape(ctx, 0));
  return {};
}

Status infer_reduced(const InferContext& ctx, const Dims& axes, bool keep_dims,
                     std::vector<Shape>& outputs) {
  const Shape& x = input_shape(ctx, 0);
  bool reduced[kMaxRank] = {};
  for (int32_t a : axes) {
    PJ_ASSIGN(const int32_t axis, resolve_axis(a, x.rank()));
    reduced[axis] = true;
  }
  Shape y;
  for (int32_t i = 0; i < x.rank(); ++i) {
    const bool goes = axes.empty() || reduced[i];
    if (!goes) y.push_back(x[i]);
    if (goes && keep_dims) y.push_back(1);
  }
  outputs.push_back(y);
  return {};
}

}  // namespace

Status validate_Softmax(const InferContext& ctx) {
  const float beta = ctx.op.as<SoftmaxParams>().beta;
  if (!(beta > 0) || !std::isfinite(beta)) {
    return error(ErrorCode::kModelInvalid, "beta {} is not a positive number", beta);
  }
  return check_normalization(ctx);
}
Status infer_Softmax(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_normalization(ctx, outputs);
}

Status validate_LogSoftmax(const InferContext& ctx) { return check_normalization(ctx); }
Status infer_LogSoftmax(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_normalization(ctx, outputs);
}

Status validate_L2Normalization(const InferContext& ctx) { return check_normalization(ctx); }
Status infer_L2Normalization(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_normalization(ctx, outputs);
}

Status validate_LayerNorm(const InferContext& ctx) {
  const float epsilon = ctx.op.as<LayerNormParams>().epsilon;
  if (!(epsilon >= 0) || !std::isfinite(epsilon)) {
    return error(ErrorCode::kModelInvalid, "epsilon {} is not a number from 0 up", epsilon);
  }
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32}));
  PJ_TRY(require_input_like_first(ctx, 1));
  PJ_TRY(require_input_like_first(ctx, 2));
  return require_output_like_first(ctx, 0);
}
Status infer_LayerNorm(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank_at_least(ctx, 0, 1));
  for (size_t i : {1u, 2u}) {
    PJ_TRY(require_input_rank(ctx, i, 1));
    const int32_t given = input_shape(ctx, i)[0], needed = input_shape(ctx, 0).back(0);
    if (!dims_agree(given, needed)) {
      return error(ErrorCode::kModelInvalid, "{} has {} elements, rows of {} have {}",
                   input_name(ctx, i), given, input_name(ctx, 0), needed);
    }
  }
  return infer_normalization(ctx, outputs);
}

Status validate_Reduce(const InferContext& ctx) {
  const ReduceFn fn = ctx.op.as<ReduceParams>().fn;
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_dims_parameter(ctx, 1));
  switch (fn) {
    case ReduceFn::kProd:
      return require_input_dtype(ctx, 0, {DType::kF32, DType::kI32, DType::kI64});
    case ReduceFn::kMax:
    case ReduceFn::kMin:
      PJ_TRY(require_input_dtype(ctx, 0,
                                 {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8,
                                  DType::kI16, DType::kBool}));
      break;
    default:
      PJ_TRY(require_input_dtype(
          ctx, 0, {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kI16}));
  }
  if (!is_int8_like(ctx.input(0).dtype) && ctx.input(0).dtype != DType::kI16) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  return require_output_quantized(ctx, 0);
}

// No axes at all mean every axis.
Status infer_Reduce(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<ReduceParams>();
  PJ_ASSIGN(const DimsParameter axes, dims_parameter(ctx, 1, p.axes));
  if (axes.known) return infer_reduced(ctx, axes.value, p.keep_dims, outputs);
  const int32_t rank = input_shape(ctx, 0).rank();
  if (!p.keep_dims && (axes.count < 0 || axes.count > rank)) {
    return error(ErrorCode::kModelUnsupported,
                 "the number of dimensions of the output depends on {}, which is not constant",
                 input_name(ctx, 1));
  }
  outputs.push_back(Dims::filled(p.keep_dims ? rank : rank - axes.count, kUnknownDim));
  return {};
}

Status validate_ArgReduce(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(
      ctx, 0, {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kI16}));
  return require_output_dtype(ctx, 0, {DType::kI32, DType::kI64});
}

Status infer_ArgReduce(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<ArgReduceParams>();
  PJ_ASSIGN(const int32_t axis, resolve_axis(p.axis, input_shape(ctx, 0).rank()));
  if (input_shape(ctx, 0)[axis] == 0) {
    return error(ErrorCode::kModelInvalid, "{} has no element along axis {} to choose",
                 input_name(ctx, 0), axis);
  }
  return infer_reduced(ctx, {axis}, p.keep_dims, outputs);
}

Status validate_TopK(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(
      ctx, 0, {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kI16}));
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_output_dtype(ctx, 1, {DType::kI32}));
  PJ_TRY(require_same_quantization(input_name(ctx, 0), ctx.input(0).quant, output_name(ctx, 0),
                                   output_of(ctx, 0).quant));
  return require_int_parameter(ctx, 1);
}

Status infer_TopK(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank_at_least(ctx, 0, 1));
  PJ_ASSIGN(const IntParameter k, int_parameter(ctx, 1, ctx.op.as<TopKParams>().k));
  Shape y = input_shape(ctx, 0);
  const int32_t length = y.back(0);
  if (k.known && (k.value < 1 || (known(length) && k.value > length))) {
    return error(ErrorCode::kModelInvalid, "k is {}; rows of {} have from 1 to {} largest elements",
                 k.value, length, length);
  }
  y.back(0) = k.known ? k.value : kUnknownDim;
  outputs.push_back(y);
  outputs.push_back(y);
  return {};
}

}  // namespace pj
