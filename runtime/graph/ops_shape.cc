// Operators that rename the dimensions and leave the elements in place: Reshape, Squeeze,
// ExpandDims, ShapeOf.
#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

Status check_target(const Shape& target) {
  int32_t open = 0;
  for (int32_t d : target) {
    open += d == -1;
    if (d < -1) return error(ErrorCode::kModelInvalid, "dimension {} in the new shape", d);
  }
  if (open > 1) {
    return error(ErrorCode::kModelInvalid, "{} dimensions of the new shape are -1; at most one can",
                 open);
  }
  return {};
}

// Fills in the -1 of `target` from the number of elements.
Result<Shape> complete_shape(const Shape& input, const Shape& target) {
  PJ_TRY(check_target(target));
  Shape out = target;
  int32_t open = -1;
  Shape closed = target;
  for (int32_t i = 0; i < target.rank(); ++i) {
    if (target[i] != -1) continue;
    open = i;
    closed[i] = 1;
  }
  if (!is_static(input)) return out;
  const std::optional<int64_t> others = element_count(closed);
  const int64_t total = elements(input);
  const bool divides = others && (*others == 0 ? total == 0 : total % *others == 0);
  if (!divides || (open < 0 && *others != total)) {
    return error(ErrorCode::kModelInvalid, "shape {} has {} elements and cannot become {}",
                 to_string(input), total, to_string(target));
  }
  if (open >= 0) {
    PJ_ASSIGN(out[open], to_dim(*others == 0 ? 0 : total / *others));
  }
  return out;
}

}  // namespace

Status validate_Reshape(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_dims_parameter(ctx, 1));
  return check_target(ctx.op.as<ReshapeParams>().shape);
}

Status infer_Reshape(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const DimsParameter shape, dims_parameter(ctx, 1, ctx.op.as<ReshapeParams>().shape));
  if (!shape.known) {
    // A list of unknown length leaves only the rank that the file declares.
    const int32_t rank = known(shape.count) ? shape.count : output_of(ctx, 0).shape.rank();
    outputs.push_back(Dims::filled(rank, kUnknownDim));
    return {};
  }
  PJ_ASSIGN(const Shape out, complete_shape(input_shape(ctx, 0), shape.value));
  outputs.push_back(out);
  return {};
}

Status validate_Squeeze(const InferContext& ctx) { return require_output_like_first(ctx, 0); }

Status infer_Squeeze(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  const Dims& axes = ctx.op.as<SqueezeParams>().axes;
  uint32_t dropped = 0;
  for (int32_t a : axes) {
    PJ_ASSIGN(const int32_t axis, resolve_axis(a, in.rank(), "axes"));
    if (!dims_agree(in[axis], 1)) {
      return error(ErrorCode::kModelInvalid, "axis {} of shape {} is not 1 and cannot be dropped",
                   axis, to_string(in));
    }
    dropped |= 1u << axis;
  }
  Shape out;
  for (int32_t i = 0; i < in.rank(); ++i) {
    const bool drop = axes.empty() ? in[i] == 1 : ((dropped >> i) & 1u) != 0;
    if (!drop) out.push_back(in[i]);
  }
  outputs.push_back(out);
  return {};
}

Status validate_ExpandDims(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  return require_int_parameter(ctx, 1);
}

Status infer_ExpandDims(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  if (in.rank() == kMaxRank) {
    return error(ErrorCode::kLimitExceeded, "shape {} already has {} dimensions, the most possible",
                 to_string(in), kMaxRank);
  }
  PJ_ASSIGN(const IntParameter p, int_parameter(ctx, 1, ctx.op.as<ExpandDimsParams>().axis));
  if (!p.known) {
    outputs.push_back(Dims::filled(in.rank() + 1, kUnknownDim));
    return {};
  }
  PJ_ASSIGN(const int32_t axis, resolve_axis(p.value, in.rank() + 1));
  Shape out;
  for (int32_t i = 0; i <= in.rank(); ++i) {
    if (i == axis) out.push_back(1);
    if (i < in.rank()) out.push_back(in[i]);
  }
  outputs.push_back(out);
  return {};
}

Status validate_ShapeOf(const InferContext& ctx) {
  return require_output_dtype(ctx, 0, {DType::kI32, DType::kI64});
}

Status infer_ShapeOf(const InferContext& ctx, std::vector<Shape>& outputs) {
  outputs.push_back({input_shape(ctx, 0).rank()});
  return {};
}

}  // namespace pj
