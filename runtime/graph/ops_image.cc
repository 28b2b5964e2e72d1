// Operators on images that have no weights: Pool2D, Resize.
#include "runtime/graph/op_rows.h"
#include "runtime/graph/op_windows.h"

namespace pj {
namespace {

// The numbers of the output mean what those of the input mean.
Status check_kept_quantization(const InferContext& ctx) {
  return require_same_quantization(input_name(ctx, 0), ctx.input(0).quant, output_name(ctx, 0),
                                   output_of(ctx, 0).quant);
}

}  // namespace

Status validate_Pool2D(const InferContext& ctx) {
  const auto& p = ctx.op.as<Pool2DParams>();
  PJ_TRY(check_step("kernel_h", p.kernel_h));
  PJ_TRY(check_step("kernel_w", p.kernel_w));
  PJ_TRY(check_step("stride_h", p.stride_h));
  PJ_TRY(check_step("stride_w", p.stride_w));
  PJ_TRY(check_padding(p.padding));
  const Padding& pad = p.padding;
  if (pad.mode == PadMode::kExplicit && (pad.top >= p.kernel_h || pad.bottom >= p.kernel_h ||
                                         pad.left >= p.kernel_w || pad.right >= p.kernel_w)) {
    return error(
        ErrorCode::kModelInvalid,
        "padding {},{},{},{} is not smaller than the window {}x{}: some windows would hold "
        "nothing",
        pad.top, pad.bottom, pad.left, pad.right, p.kernel_h, p.kernel_w);
  }
  PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8}));
  PJ_TRY(require_output_like_first(ctx, 0));
  if (ctx.input(0).dtype == DType::kF32) return {};
  PJ_TRY(require_input_quantized(ctx, 0));
  return check_kept_quantization(ctx);
}

Status infer_Pool2D(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  const auto& p = ctx.op.as<Pool2DParams>();
  const Shape& x = input_shape(ctx, 0);
  const Padding& pad = p.padding;
  PJ_ASSIGN(const int32_t h, window_positions(pad.mode, {"height", x[1], p.kernel_h, p.stride_h, 1,
                                                         pad.top, pad.bottom}));
  PJ_ASSIGN(const int32_t w, window_positions(pad.mode, {"width", x[2], p.kernel_w, p.stride_w, 1,
                                                         pad.left, pad.right}));
  outputs.push_back({x[0], h, w, x[3]});
  return {};
}

Status validate_Resize(const InferContext& ctx) {
  const auto& p = ctx.op.as<ResizeParams>();
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_dims_parameter(ctx, 1));
  if (p.align_corners && p.half_pixel) {
    return error(ErrorCode::kModelInvalid,
                 "align_corners and half_pixel contradict each other; set one of them");
  }
  if (p.fn == ResizeFn::kBilinear)
    PJ_TRY(require_input_dtype(ctx, 0, {DType::kF32, DType::kI8, DType::kU8}));
  return check_kept_quantization(ctx);
}

Status infer_Resize(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_TRY(require_input_rank(ctx, 0, 4));
  const auto& p = ctx.op.as<ResizeParams>();
  const Shape& x = input_shape(ctx, 0);
  PJ_ASSIGN(const DimsParameter size, dims_parameter(ctx, 1, {p.out_h, p.out_w}));
  if (!dims_agree(size.count, 2)) {
    return error(ErrorCode::kModelInvalid, "{} has {} values; a size has 2, height and width",
                 input_name(ctx, 1), size.count);
  }
  if (x[1] == 0 || x[2] == 0) {
    return error(ErrorCode::kModelInvalid, "{} of shape {} has no pixels to resize",
                 input_name(ctx, 0), to_string(x));
  }
  if (!size.known) {
    outputs.push_back({x[0], kUnknownDim, kUnknownDim, x[3]});
    return {};
  }
  if (size.value[0] < 1 || size.value[1] < 1) {
    return error(ErrorCode::kModelInvalid, "the size {}x{} is not positive", size.value[0],
                 size.value[1]);
  }
  outputs.push_back({x[0], size.value[0], size.value[1], x[3]});
  return {};
}

}  // namespace pj
