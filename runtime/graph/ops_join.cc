// Operators that join tensors or take them apart along an axis: Concat, Split, Pack, Unpack.
#include <algorithm>

#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

Status require_inputs_like_first(const InferContext& ctx) {
  for (size_t i = 1; i < ctx.op.inputs.size(); ++i) PJ_TRY(require_input_like_first(ctx, i));
  return {};
}
Status require_outputs_like_first(const InferContext& ctx) {
  for (size_t i = 0; i < ctx.op.outputs.size(); ++i) PJ_TRY(require_output_like_first(ctx, i));
  return {};
}

// Either nothing is quantised, or all with one scale each; 8 and 16 bits can be requantised.
Status require_requantizable(const InferContext& ctx) {
  bool any = !output_of(ctx, 0).quant.empty();
  for (size_t i = 0; i < ctx.op.inputs.size(); ++i) any |= !ctx.input(i).quant.empty();
  if (!any) return {};
  PJ_TRY(require_output_quantized(ctx, 0));
  const DType dtype = output_of(ctx, 0).dtype;
  const bool narrow = is_int8_like(dtype) || dtype == DType::kI16;
  for (size_t i = 0; i < ctx.op.inputs.size(); ++i) {
    PJ_TRY(require_input_quantized(ctx, i));
    if (!narrow && !(ctx.input(i).quant == output_of(ctx, 0).quant)) {
      return error(ErrorCode::kModelUnsupported, "{} is {} and its scale is not the output's",
                   input_name(ctx, i), name_of(dtype));
    }
  }
  return {};
}

// `shape` with what `other` knows more, all dimensions but `axis`.
Status merge_other_dims(const InferContext& ctx, size_t i, int32_t axis, Shape& shape) {
  const Shape& other = input_shape(ctx, i);
  PJ_TRY(require_input_rank(ctx, i, shape.rank()));
  for (int32_t d = 0; d < shape.rank(); ++d) {
    if (d == axis) continue;
    if (!dims_agree(shape[d], other[d])) {
      return error(ErrorCode::kModelInvalid, "{} has shape {}, which differs from {} at axis {}",
                   input_name(ctx, i), to_string(other), to_string(input_shape(ctx, 0)), d);
    }
    shape[d] = merge_dims(shape[d], other[d]);
  }
  return {};
}

struct SplitSizes {
  bool known = false;
  std::vector<int32_t> value;  // empty: equal parts
};

Status check_split_sizes(const InferContext& ctx, const std::vector<int32_t>& sizes) {
  const size_t parts = ctx.op.outputs.size();
  if (sizes.size() != parts) {
    return error(ErrorCode::kModelInvalid, "{} sizes for {} outputs", sizes.size(), parts);
  }
  const bool equal =
      std::all_of(sizes.begin(), sizes.end(), [&](int32_t s) { return s >= 0 && s == sizes[0]; });
  if (parts > kMaxRank && !equal) {
    return error(ErrorCode::kModelUnsupported,
                 "a split into {} parts of different size; at most {}", parts, kMaxRank);
  }
  if (std::count(sizes.begin(), sizes.end(), -1) > 1 ||
      std::any_of(sizes.begin(), sizes.end(), [](int32_t s) { return s < -1; })) {
    return error(ErrorCode::kModelInvalid,
                 "the sizes of the parts must not be negative, except one that may be -1");
  }
  return {};
}

Result<SplitSizes> split_sizes(const InferContext& ctx) {
  if (!ctx.has_input(1)) {
    const Dims& attribute = ctx.op.as<SplitParams>().sizes;
    const std::vector<int32_t> sizes(attribute.begin(), attribute.end());
    if (!sizes.empty()) PJ_TRY(check_split_sizes(ctx, sizes));
    return SplitSizes{true, sizes};
  }
  if (!ctx.input(1).constant) return SplitSizes{};
  PJ_ASSIGN(std::vector<int32_t> sizes, read_ints(ctx.input(1), ctx.op.outputs.size()));
  PJ_TRY(check_split_sizes(ctx, sizes));
  return SplitSizes{true, std::move(sizes)};
}

Status split_equally(const Shape& in, int32_t axis, size_t parts, std::vector<Shape>& outputs) {
  Shape out = in;
  const auto n = static_cast<int32_t>(parts);
  if (known(in[axis])) {
    if (in[axis] % n != 0) {
      return error(ErrorCode::kModelInvalid, "axis {} of shape {} does not split into {} parts",
                   axis, to_string(in), parts);
    }
    out[axis] = in[axis] / n;
  }
  outputs.assign(parts, out);
  return {};
}

Status split_by_sizes(const Shape& in, int32_t axis, const std::vector<int32_t>& sizes,
                      std::vector<Shape>& outputs) {
  int64_t sum = 0;
  bool open = false;
  for (int32_t s : sizes) {
    if (s >= 0) sum += s;
    open |= s < 0;
  }
  const int64_t rest = in[axis] - sum;
  if (known(in[axis]) && (open ? rest < 0 : rest != 0)) {
    return error(ErrorCode::kModelInvalid,
                 "the parts have {} elements together, axis {} of shape {} has {}", sum, axis,
                 to_string(in), in[axis]);
  }
  for (int32_t s : sizes) {
    Shape out = in;
    out[axis] = s >= 0 ? s : known(in[axis]) ? static_cast<int32_t>(rest) : kUnknownDim;
    outputs.push_back(out);
  }
  return {};
}

}  // namespace

Status validate_Concat(const InferContext& ctx) {
  PJ_TRY(require_inputs_like_first(ctx));
  PJ_TRY(require_outputs_like_first(ctx));
  if (ctx.op.as<ConcatParams>().activation != Activation::kNone) {
    return error(ErrorCode::kModelUnsupported,
                 "a concatenation with a fused activation; make the activation an operator");
  }
  return require_requantizable(ctx);
}

Status infer_Concat(const InferContext& ctx, std::vector<Shape>& outputs) {
  Shape out = input_shape(ctx, 0);
  PJ_ASSIGN(const int32_t axis, resolve_axis(ctx.op.as<ConcatParams>().axis, out.rank()));
  int64_t sum = 0;
  bool sum_known = true;
  for (size_t i = 0; i < ctx.op.inputs.size(); ++i) {
    PJ_TRY(merge_other_dims(ctx, i, axis, out));
    const int32_t size = input_shape(ctx, i)[axis];
    sum_known &= known(size);
    if (known(size)) sum += size;
  }
  out[axis] = kUnknownDim;
  if (sum_known) {
    PJ_ASSIGN(out[axis], to_dim(sum));
  }
  outputs.push_back(out);
  return {};
}

Status validate_Split(const InferContext& ctx) {
  PJ_TRY(require_outputs_like_first(ctx));
  if (ctx.has_input(1)) PJ_TRY(require_input_dtype(ctx, 1, {DType::kI32, DType::kI64}));
  PJ_TRY(split_sizes(ctx));
  return {};
}

Status infer_Split(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const int32_t axis, resolve_axis(ctx.op.as<SplitParams>().axis, in.rank()));
  PJ_ASSIGN(const SplitSizes sizes, split_sizes(ctx));
  if (!sizes.known) {
    Shape out = in;
    out[axis] = kUnknownDim;
    outputs.assign(ctx.op.outputs.size(), out);
    return {};
  }
  if (sizes.value.empty()) return split_equally(in, axis, ctx.op.outputs.size(), outputs);
  return split_by_sizes(in, axis, sizes.value, outputs);
}

Status validate_Pack(const InferContext& ctx) {
  PJ_TRY(require_inputs_like_first(ctx));
  return require_outputs_like_first(ctx);
}

Status infer_Pack(const InferContext& ctx, std::vector<Shape>& outputs) {
  Shape in = input_shape(ctx, 0);
  for (size_t i = 1; i < ctx.op.inputs.size(); ++i) PJ_TRY(merge_other_dims(ctx, i, -1, in));
  if (in.rank() == kMaxRank) {
    return error(ErrorCode::kLimitExceeded, "shape {} already has {} dimensions, the most possible",
                 to_string(in), kMaxRank);
  }
  PJ_ASSIGN(const int32_t axis, resolve_axis(ctx.op.as<PackParams>().axis, in.rank() + 1));
  Shape out;
  for (int32_t i = 0; i <= in.rank(); ++i) {
    if (i == axis) out.push_back(static_cast<int32_t>(ctx.op.inputs.size()));
    if (i < in.rank()) out.push_back(in[i]);
  }
  outputs.push_back(out);
  return {};
}

Status validate_Unpack(const InferContext& ctx) { return require_outputs_like_first(ctx); }

Status infer_Unpack(const InferContext& ctx, std::vector<Shape>& outputs) {
  const Shape& in = input_shape(ctx, 0);
  PJ_ASSIGN(const int32_t axis, resolve_axis(ctx.op.as<UnpackParams>().axis, in.rank()));
  const auto parts = static_cast<int32_t>(ctx.op.outputs.size());
  if (!dims_agree(in[axis], parts)) {
    return error(ErrorCode::kModelInvalid, "axis {} of shape {} does not unpack to {} outputs",
                 axis, to_string(in), parts);
  }
  Shape out;
  for (int32_t i = 0; i < in.rank(); ++i)
    if (i != axis) out.push_back(in[i]);
  outputs.assign(ctx.op.outputs.size(), out);
  return {};
}

}  // namespace pj
