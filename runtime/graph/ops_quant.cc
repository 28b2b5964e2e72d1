// Operators between types: Quantize, Dequantize, Cast.
#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

Status infer_same_shape(const InferContext& ctx, std::vector<Shape>& outputs) {
  outputs.push_back(input_shape(ctx, 0));
  return {};
}

}  // namespace

Status validate_Quantize(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8, DType::kI16}));
  PJ_TRY(require_output_dtype(ctx, 0, {DType::kI8, DType::kU8, DType::kI16}));
  if (ctx.input(0).dtype != DType::kF32) PJ_TRY(require_input_quantized(ctx, 0));
  return require_output_quantized(ctx, 0);
}
Status infer_Quantize(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_same_shape(ctx, outputs);
}

Status validate_Dequantize(const InferContext& ctx) {
  PJ_TRY(
      require_input_dtype(ctx, 0, {DType::kF16, DType::kI8, DType::kU8, DType::kI16, DType::kI32}));
  PJ_TRY(require_output_dtype(ctx, 0, {DType::kF32}));
  if (ctx.input(0).dtype == DType::kF16 || !ctx.input(0).quant.empty()) return {};
  return require_input_quantized(ctx, 0);
}
Status infer_Dequantize(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_same_shape(ctx, outputs);
}

Status validate_Cast(const InferContext&) { return {}; }
Status infer_Cast(const InferContext& ctx, std::vector<Shape>& outputs) {
  return infer_same_shape(ctx, outputs);
}

}  // namespace pj
