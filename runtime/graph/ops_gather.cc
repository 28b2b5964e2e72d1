// Operators that pick or repeat elements: Gather, GatherNd, Tile, BroadcastTo, Transpose.
#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

Status append(Shape& out, const Shape& from, int32_t first, int32_t last) {
  for (int32_t i = first; i < last; ++i) {
    if (out.rank() == kMaxRank) {
      return error(ErrorCode::kLimitExceeded, "the output would have more than {} dimensions",
                   kMaxRank);
    }
    out.push_back(from[i]);
  }
  return {};
}

Status require_permutation(const Dims& perm, int32_t rank) {
  uint32_t seen = 0;
  for (int32_t axis : perm)
    if (axis >= -rank && axis < rank) seen |= 1u << normalize_axis(axis, rank);
  if (perm.count == rank && seen == (1u << rank) - 1) return {};
  return error(ErrorCode::kModelInvalid, "perm [{}] does not name each of {} dimensions once",
               fmt::join(perm.begin(), perm.end(), ", "), rank);
}

}  // namespace

Status validate_Gather(const InferContext& ctx) {
  PJ_TRY(require_input_dtype(ctx, 1, {DType::kI32, DType::kI64}));
  return require_output_like_first(ctx, 0);
}

Status infer_Gather(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<GatherParams>();
  const Shape& x = input_shape(ctx, 0);
  const Shape& indices = input_shape(ctx, 1);
  PJ_ASSIGN(const int32_t axis, resolve_axis(p.axis, x.rank()));
  // batch_dims counts dimensions: a negative one is relative to the rank of the indices.
  const int64_t batch = p.batch_dims < 0 ? int64_t{p.batch_dims} + indices.rank() : p.batch_dims;
  if (batch < 0 || batch > indices.rank() || batch > axis) {
    return error(ErrorCode::kModelInvalid,
                 "batch_dims {} must not pass the {} dimensions of the indices or axis {}",
                 p.batch_dims, indices.rank(), axis);
  }
  const auto batch_dims = static_cast<int32_t>(batch);
  for (int32_t i = 0; i < batch_dims; ++i) {
    if (!dims_agree(x[i], indices[i]))
      return error(ErrorCode::kModelInvalid, "shapes {} and {} differ in batch dimension {}",
                   to_string(x), to_string(indices), i);
  }
  Shape out;
  PJ_TRY(append(out, x, 0, axis));
  PJ_TRY(append(out, indices, batch_dims, indices.rank()));
  PJ_TRY(append(out, x, axis + 1, x.rank()));
  if (x[axis] == 0 && element_count(out).value_or(1) != 0) {
    return error(ErrorCode::kModelInvalid, "axis {} of shape {} is empty; nothing can be gathered",
                 axis, to_string(x));
  }
  outputs.push_back(out);
  return {};
}

Status validate_GatherNd(const InferContext& ctx) { return validate_Gather(ctx); }

Status infer_GatherNd(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& x = input_shape(ctx, 0);
  const Shape& indices = input_shape(ctx, 1);
  PJ_TRY(require_input_rank_at_least(ctx, 1, 1));
  const int32_t depth = indices.back(0);
  if (!known(depth)) {
    outputs.push_back(Dims::filled(output_of(ctx, 0).shape.rank(), kUnknownDim));
    return {};
  }
  if (depth > x.rank()) {
    return error(ErrorCode::kModelInvalid, "indices of {} entries into shape {}", depth,
                 to_string(x));
  }
  Shape out;
  PJ_TRY(append(out, indices, 0, indices.rank() - 1));
  PJ_TRY(append(out, x, depth, x.rank()));
  for (int32_t i = 0; i < depth; ++i) {
    if (x[i] == 0 && element_count(out).value_or(1) != 0)
      return error(ErrorCode::kModelInvalid, "shape {} is empty; nothing can be gathered",
                   to_string(x));
  }
  outputs.push_back(out);
  return {};
}

Status validate_Tile(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  return require_dims_parameter(ctx, 1);
}

Status infer_Tile(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const DimsParameter p, dims_parameter(ctx, 1, ctx.op.as<TileParams>().multiples));
  if (!dims_agree(p.count, in.rank())) {
    return error(ErrorCode::kModelInvalid, "{} multiples for a tensor of {} dimensions", p.count,
                 in.rank());
  }
  Shape out = Dims::filled(in.rank(), kUnknownDim);
  for (int32_t i = 0; p.known && i < in.rank(); ++i) {
    if (p.value[i] < 0)
      return error(ErrorCode::kModelInvalid, "dimension {} would repeat {} times", i, p.value[i]);
    if (known(in[i])) {
      PJ_ASSIGN(out[i], to_dim(int64_t{in[i]} * p.value[i]));
    }
  }
  outputs.push_back(out);
  return {};
}

Status validate_BroadcastTo(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  return require_dims_parameter(ctx, 1);
}

Status infer_BroadcastTo(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const DimsParameter p, dims_parameter(ctx, 1, ctx.op.as<BroadcastToParams>().shape));
  if (!p.known) {
    const int32_t rank = known(p.count) ? p.count : output_of(ctx, 0).shape.rank();
    outputs.push_back(Dims::filled(rank, kUnknownDim));
    return {};
  }
  for (int32_t d : p.value)
    if (d < 0) return error(ErrorCode::kModelInvalid, "dimension {} in the new shape", d);
  bool fits = in.rank() <= p.value.rank();
  for (int32_t i = 0; fits && i < in.rank(); ++i)
    fits = in.back(i) == 1 || dims_agree(in.back(i), p.value.back(i));
  if (!fits) {
    return error(ErrorCode::kModelInvalid, "shape {} does not broadcast to {}", to_string(in),
                 to_string(p.value));
  }
  outputs.push_back(p.value);
  return {};
}

Status validate_Transpose(const InferContext& ctx) {
  PJ_TRY(require_output_like_first(ctx, 0));
  return require_dims_parameter(ctx, 1);
}

Status infer_Transpose(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const DimsParameter perm, dims_parameter(ctx, 1, ctx.op.as<TransposeParams>().perm));
  if (!perm.known) {
    outputs.push_back(Dims::filled(in.rank(), kUnknownDim));
    return {};
  }
  PJ_TRY(require_permutation(perm.value, in.rank()));
  Shape out = in;
  for (int32_t i = 0; i < in.rank(); ++i) out[i] = in[normalize_axis(perm.value[i], in.rank())];
  outputs.push_back(out);
  return {};
}

}  // namespace pj
