// Operators on single elements: Binary, Unary, PRelu, Select.
#include <cmath>

#include "runtime/graph/op_rows.h"
#include "runtime/graph/op_windows.h"

namespace pj {
namespace {

// Types whose numbers stand for reals if the tensor has a scale.
constexpr bool may_be_quantized(DType t) { return is_int8_like(t) || t == DType::kI16; }

Status check_comparison(const InferContext& ctx, BinaryFn fn) {
  PJ_TRY(require_output_dtype(ctx, 0, {DType::kBool}));
  const DType x = ctx.input(0).dtype;
  if (fn == BinaryFn::kLogicalAnd || fn == BinaryFn::kLogicalOr)
    return require_input_dtype(ctx, 0, {DType::kBool});
  if (x == DType::kBool && (fn == BinaryFn::kEqual || fn == BinaryFn::kNotEqual)) return {};
  PJ_TRY(require_input_dtype(
      ctx, 0, {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kI16}));
  // Numbers without a scale can only be compared with their like.
  if (!may_be_quantized(x) || (ctx.input(0).quant.empty() && ctx.input(1).quant.empty())) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  return require_input_quantized(ctx, 1);
}

Status check_arithmetic(const InferContext& ctx, const BinaryParams& p) {
  const DType x = ctx.input(0).dtype;
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_input_dtype(
      ctx, 0, {DType::kF32, DType::kI32, DType::kI64, DType::kI8, DType::kU8, DType::kI16}));
  if (!may_be_quantized(x)) return {};
  const bool extreme = p.fn == BinaryFn::kMinimum || p.fn == BinaryFn::kMaximum;
  if (extreme && p.activation == Activation::kNone && ctx.input(0).quant.empty() &&
      ctx.input(1).quant.empty() && output_of(ctx, 0).quant.empty())
    return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  PJ_TRY(require_input_quantized(ctx, 1));
  return require_output_quantized(ctx, 0);
}

Status infer_like_first(const InferContext& ctx, std::vector<Shape>& outputs) {
  outputs.push_back(input_shape(ctx, 0));
  return {};
}

}  // namespace

Status validate_Binary(const InferContext& ctx) {
  const auto& p = ctx.op.as<BinaryParams>();
  PJ_TRY(require_input_like_first(ctx, 1));
  if (!gives_bool(p.fn)) return check_arithmetic(ctx, p);
  if (p.activation != Activation::kNone) {
    return error(ErrorCode::kModelInvalid, "activation {} on the bool result of {}; remove it",
                 name_of(p.activation), name_of(p.fn));
  }
  return check_comparison(ctx, p.fn);
}

Status infer_Binary(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const Shape y, broadcast_shapes(input_shape(ctx, 0), input_shape(ctx, 1)));
  outputs.push_back(y);
  return {};
}

Status validate_Unary(const InferContext& ctx) {
  const auto& p = ctx.op.as<UnaryParams>();
  PJ_TRY(require_output_like_first(ctx, 0));
  if (!std::isfinite(p.alpha)) {
    return error(ErrorCode::kModelInvalid, "alpha {} is not a finite number", p.alpha);
  }
  switch (p.fn) {
    case UnaryFn::kLogicalNot:
      return require_input_dtype(ctx, 0, {DType::kBool});
    case UnaryFn::kAbs:
    case UnaryFn::kNeg:
    case UnaryFn::kSquare:
    case UnaryFn::kRelu:
      PJ_TRY(require_input_dtype(
          ctx, 0, {DType::kF32, DType::kI8, DType::kU8, DType::kI16, DType::kI32, DType::kI64}));
      break;
    default:
      PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8, DType::kI16}));
  }
  if (!may_be_quantized(ctx.input(0).dtype)) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  return require_output_quantized(ctx, 0);
}

Status infer_Unary(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_like_first(ctx, outputs);
}

Status validate_PRelu(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8}));
  PJ_TRY(require_output_like_first(ctx, 0));
  if (ctx.input(0).dtype == DType::kF32)
    return require_input_dtype(ctx, 1, {DType::kF32, DType::kF16});
  PJ_TRY(require_input_like_first(ctx, 1));
  PJ_TRY(require_input_quantized(ctx, 0));
  PJ_TRY(require_input_quantized(ctx, 1));
  return require_output_quantized(ctx, 0);
}

Status infer_PRelu(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape &x = input_shape(ctx, 0), &alpha = input_shape(ctx, 1);
  PJ_ASSIGN(const Shape y, broadcast_shapes(x, alpha));
  bool same = y.rank() == x.rank();
  for (int32_t i = 0; same && i < x.rank(); ++i) same = dims_agree(x[i], y[i]);
  if (!same) {
    return error(ErrorCode::kModelInvalid, "the slopes of shape {} do not fit an input of shape {}",
                 to_string(alpha), to_string(x));
  }
  outputs.push_back(y);
  return {};
}

Status validate_Select(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kBool}));
  for (size_t i : {size_t{1}, size_t{2}}) {
    if (ctx.input(i).dtype != output_of(ctx, 0).dtype) {
      return error(ErrorCode::kModelInvalid, "{} is {} but the output is {}; they must be the same",
                   input_name(ctx, i), name_of(ctx.input(i).dtype),
                   name_of(output_of(ctx, 0).dtype));
    }
    PJ_TRY(require_same_quantization(input_name(ctx, i), ctx.input(i).quant, output_name(ctx, 0),
                                     output_of(ctx, 0).quant));
  }
  return {};
}

Status infer_Select(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const Shape values, broadcast_shapes(input_shape(ctx, 1), input_shape(ctx, 2)));
  PJ_ASSIGN(const Shape y, broadcast_shapes(input_shape(ctx, 0), values));
  outputs.push_back(y);
  return {};
}

}  // namespace pj
