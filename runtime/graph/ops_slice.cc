// Operators that take a part of a tensor, or surround it: Slice, StridedSlice, Pad.
#include "runtime/base/strided_slice.h"
#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

Status require_entries(const char* what, int32_t count, int32_t rank) {
  if (dims_agree(count, rank)) return {};
  return error(ErrorCode::kModelInvalid, "{} has {} entries for a tensor of {} dimensions", what,
               count, rank);
}

// The size of one dimension of a slice, as far as it can be told.
Result<int32_t> slice_size(int32_t dim, const DimsParameter& begins, const DimsParameter& sizes,
                           int32_t i) {
  if (!sizes.known) return kUnknownDim;
  const int32_t size = sizes.value[i];
  if (size < -1) return error(ErrorCode::kModelInvalid, "size {} of dimension {}", size, i);
  if (!begins.known) return size;
  const int64_t begin = begins.value[i];
  const int64_t needed = begin + (size == -1 ? 0 : size);
  if (begin < 0 || (known(dim) && needed > dim)) {
    return error(ErrorCode::kModelInvalid,
                 "the slice from {} of size {} leaves dimension {} of size {}", begin, size, i,
                 dim);
  }
  if (size == -1) return known(dim) ? static_cast<int32_t>(dim - begin) : kUnknownDim;
  return size;
}

// Mirrored elements have to exist: reflection leaves out the border itself.
Status check_mirror(PadFn fn, int32_t dim, int32_t before, int32_t after, int32_t i) {
  if (fn == PadFn::kConstant || !known(dim)) return {};
  const int32_t limit = fn == PadFn::kReflect ? dim - 1 : dim;
  if (before <= limit && after <= limit) return {};
  // An empty dimension that stays empty mirrors nothing.
  if (before == 0 && after == 0) return {};
  return error(ErrorCode::kModelInvalid,
               "paddings {} and {} of dimension {} mirror more than its {} elements", before, after,
               i, dim);
}

// The sparse parameters of a StridedSlice; `known` only if all three are.
struct StridedSliceParameters {
  bool known = false;
  StridedSliceParams params;
  int32_t count = 0;
};

Result<StridedSliceParameters> strided_slice_parameters(const InferContext& ctx) {
  StridedSliceParameters r{false, ctx.op.as<StridedSliceParams>(), 0};
  PJ_ASSIGN(const DimsParameter begin, dims_parameter(ctx, 1, r.params.begin));
  PJ_ASSIGN(const DimsParameter end, dims_parameter(ctx, 2, r.params.end));
  PJ_ASSIGN(const DimsParameter strides, dims_parameter(ctx, 3, r.params.strides));
  r.known = begin.known && end.known && strides.known;
  r.params.begin = begin.value;
  r.params.end = end.value;
  r.params.strides = strides.value;
  r.count = merge_dims(begin.count, merge_dims(end.count, strides.count));
  return r;
}

// Only the ranks can be told: single indices drop a dimension.
Result<Shape> unknown_slice(const InferContext& ctx, int32_t entries, int32_t mask) {
  if (!known(entries)) return Dims::filled(output_of(ctx, 0).shape.rank(), kUnknownDim);
  int32_t rank = input_shape(ctx, 0).rank();
  for (int32_t i = 0; i < entries; ++i) rank -= (mask >> i) & 1;
  if (rank < 0) {
    return error(ErrorCode::kModelInvalid, "{} entries for a tensor of {} dimensions", entries,
                 input_shape(ctx, 0).rank());
  }
  return Dims::filled(rank, kUnknownDim);
}

}  // namespace

Status validate_Slice(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_dims_parameter(ctx, 1));
  return require_dims_parameter(ctx, 2);
}

Status infer_Slice(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<SliceParams>();
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const DimsParameter begin, dims_parameter(ctx, 1, p.begin));
  PJ_ASSIGN(const DimsParameter size, dims_parameter(ctx, 2, p.size));
  PJ_TRY(require_entries("begin", begin.count, in.rank()));
  PJ_TRY(require_entries("size", size.count, in.rank()));
  Shape out = in;
  for (int32_t i = 0; i < in.rank(); ++i) {
    PJ_ASSIGN(out[i], slice_size(in[i], begin, size, i));
  }
  outputs.push_back(out);
  return {};
}

Status validate_StridedSlice(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  for (size_t i = 1; i < 4; ++i) PJ_TRY(require_dims_parameter(ctx, i));
  return {};
}

Status infer_StridedSlice(const InferContext& ctx, std::vector<Shape>& outputs) {
  PJ_ASSIGN(const StridedSliceParameters p, strided_slice_parameters(ctx));
  if (!p.known) {
    PJ_ASSIGN(const Shape out, unknown_slice(ctx, p.count, p.params.shrink_axis_mask));
    outputs.push_back(out);
    return {};
  }
  PJ_ASSIGN(const StridedSlicePlan plan, resolve_strided_slice(input_shape(ctx, 0), p.params));
  outputs.push_back(plan.output_shape());
  return {};
}

Status validate_Pad(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  PJ_TRY(require_pairs_parameter(ctx, 1));
  if (!ctx.has_input(2)) return {};
  if (ctx.op.as<PadParams>().fn != PadFn::kConstant) {
    return error(ErrorCode::kModelInvalid, "{} gives a value, but this padding mirrors",
                 input_name(ctx, 2));
  }
  return require_input_like_first(ctx, 2);
}

Status infer_Pad(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<PadParams>();
  const Shape& in = input_shape(ctx, 0);
  if (ctx.has_input(2)) {
    for (int32_t d : input_shape(ctx, 2)) {
      if (!dims_agree(d, 1))
        return error(ErrorCode::kModelInvalid, "{} has shape {}; it must be one value",
                     input_name(ctx, 2), to_string(input_shape(ctx, 2)));
    }
  }
  PJ_ASSIGN(const PairsParameter pads, pairs_parameter(ctx, 1, p.before, p.after));
  PJ_TRY(require_entries("paddings", pads.count, in.rank()));
  Shape out = Dims::filled(in.rank(), kUnknownDim);
  for (int32_t i = 0; pads.known && i < in.rank(); ++i) {
    const int64_t before = pads.before[i], after = pads.after[i];
    if (before < 0 || after < 0) {
      return error(ErrorCode::kModelInvalid, "paddings {} and {} of dimension {} are negative",
                   before, after, i);
    }
    PJ_TRY(check_mirror(p.fn, in[i], pads.before[i], pads.after[i], i));
    if (known(in[i])) {
      PJ_ASSIGN(out[i], to_dim(in[i] + before + after));
    }
  }
  outputs.push_back(out);
  return {};
}

}  // namespace pj
