#include "runtime/graph/op_checks.h"

#include <algorithm>
#include <limits>

namespace pj {
namespace {

std::string operand_name(const Graph& graph, const char* role, size_t i, TensorId id) {
  return fmt::format("{} {} '{}'", role, i, graph.tensor(id).name);
}

Status require_dtype(const std::string& operand, DType actual,
                     std::initializer_list<DType> allowed) {
  std::string list;
  for (DType t : allowed) list += fmt::format("{}{}", list.empty() ? "" : ", ", name_of(t));
  return error(ErrorCode::kModelUnsupported, "{} is {}; this operator takes {}", operand,
               name_of(actual), list);
}

Status require_quantized(const std::string& operand, const Quantization& q) {
  if (q.empty()) {
    return error(ErrorCode::kModelInvalid, "{} has no scale; quantised operators need one",
                 operand);
  }
  return error(ErrorCode::kModelUnsupported,
               "{} has {} scales; this operator takes one for the whole tensor", operand,
               q.scale.size());
}

bool contains(std::initializer_list<DType> list, DType t) {
  return std::find(list.begin(), list.end(), t) != list.end();
}

}  // namespace

std::string input_name(const InferContext& ctx, size_t i) {
  return operand_name(ctx.graph, "input", i, ctx.op.inputs[i]);
}
std::string output_name(const InferContext& ctx, size_t i) {
  return operand_name(ctx.graph, "output", i, ctx.op.outputs[i]);
}

Status require_input_dtype(const InferContext& ctx, size_t i,
                           std::initializer_list<DType> allowed) {
  const DType actual = ctx.input(i).dtype;
  if (contains(allowed, actual)) return {};
  return require_dtype(input_name(ctx, i), actual, allowed);
}

Status require_output_dtype(const InferContext& ctx, size_t i,
                            std::initializer_list<DType> allowed) {
  const DType actual = output_of(ctx, i).dtype;
  if (contains(allowed, actual)) return {};
  return require_dtype(output_name(ctx, i), actual, allowed);
}

Status require_input_like_first(const InferContext& ctx, size_t i) {
  if (ctx.input(i).dtype == ctx.input(0).dtype) return {};
  return error(ErrorCode::kModelInvalid, "{} is {} but input 0 is {}; they must be the same",
               input_name(ctx, i), name_of(ctx.input(i).dtype), name_of(ctx.input(0).dtype));
}

Status require_output_like_first(const InferContext& ctx, size_t i) {
  if (output_of(ctx, i).dtype == ctx.input(0).dtype) return {};
  return error(ErrorCode::kModelInvalid, "{} is {} but input 0 is {}; they must be the same",
               output_name(ctx, i), name_of(output_of(ctx, i).dtype), name_of(ctx.input(0).dtype));
}

Status require_input_quantized(const InferContext& ctx, size_t i) {
  const Quantization& q = ctx.input(i).quant;
  if (q.per_tensor()) return {};
  return require_quantized(input_name(ctx, i), q);
}

Status require_output_quantized(const InferContext& ctx, size_t i) {
  const Quantization& q = output_of(ctx, i).quant;
  if (q.per_tensor()) return {};
  return require_quantized(output_name(ctx, i), q);
}

Status require_input_rank(const InferContext& ctx, size_t i, int32_t rank) {
  if (input_shape(ctx, i).rank() == rank) return {};
  return error(ErrorCode::kModelInvalid, "{} has shape {}; it must have {} dimensions",
               input_name(ctx, i), to_string(input_shape(ctx, i)), rank);
}

Status require_input_rank_at_least(const InferContext& ctx, size_t i, int32_t rank) {
  if (input_shape(ctx, i).rank() >= rank) return {};
  return error(ErrorCode::kModelInvalid, "{} has shape {}; it must have at least {} dimensions",
               input_name(ctx, i), to_string(input_shape(ctx, i)), rank);
}

Result<int32_t> resolve_axis(int32_t axis, int32_t rank, const char* attribute) {
  if (axis >= -rank && axis < rank) return normalize_axis(axis, rank);
  return error(ErrorCode::kModelInvalid, "{} {} is outside [{}, {}) of a tensor of {} dimensions",
               attribute, axis, -rank, rank, rank);
}

Result<int32_t> to_dim(int64_t size) {
  if (size < 0) {
    return error(ErrorCode::kModelInvalid, "a dimension of the output would be {}", size);
  }
  if (size > std::numeric_limits<int32_t>::max()) {
    return error(ErrorCode::kLimitExceeded, "a dimension of the output would be {}; at most {}",
                 size, std::numeric_limits<int32_t>::max());
  }
  return static_cast<int32_t>(size);
}

Result<Shape> broadcast_shapes(const Shape& a, const Shape& b) {
  const int32_t rank = std::max(a.rank(), b.rank());
  Shape out = Dims::filled(rank, 1);
  for (int32_t i = 0; i < rank; ++i) {
    const int32_t x = i < a.rank() ? a.back(i) : 1;
    const int32_t y = i < b.rank() ? b.back(i) : 1;
    if (x == 1 || x == y) {
      out.back(i) = y;
    } else if (y == 1) {
      out.back(i) = x;
    } else if (!known(x) || !known(y)) {
      out.back(i) = merge_dims(x, y);
    } else {
      return error(ErrorCode::kModelInvalid, "shapes {} and {} do not broadcast", to_string(a),
                   to_string(b));
    }
  }
  return out;
}

bool is_parameter_input(OpKind kind, size_t i) {
  if (kind == OpKind::kPad && i == 2) return false;
  return i >= static_cast<size_t>(op_info(kind).first_parameter_input);
}

Result<std::vector<int32_t>> read_ints(const Tensor& t, size_t limit) {
  if (t.dtype != DType::kI32 && t.dtype != DType::kI64) {
    return error(ErrorCode::kModelInvalid, "parameter '{}' is {}; it must be int32 or int64",
                 t.name, name_of(t.dtype));
  }
  const auto count = static_cast<size_t>(elements(t.shape));
  if (count > limit) {
    return error(ErrorCode::kModelInvalid, "parameter '{}' has {} values; at most {} make sense",
                 t.name, count, limit);
  }
  std::vector<int32_t> values;
  values.reserve(count);
  if (t.dtype == DType::kI32) {
    for (int32_t v : t.as<int32_t>()) values.push_back(v);
  } else {
    for (int64_t v : t.as<int64_t>()) {
      values.push_back(static_cast<int32_t>(std::clamp<int64_t>(
          v, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max())));
    }
  }
  return values;
}

Result<DimsParameter> dims_parameter(const InferContext& ctx, size_t i, const Dims& attribute) {
  if (!ctx.has_input(i)) return DimsParameter{true, attribute, attribute.count};
  const Tensor& t = ctx.input(i);
  if (t.constant) {
    PJ_ASSIGN(const std::vector<int32_t> values, read_ints(t, kMaxRank));
    return DimsParameter{true, Dims(values), static_cast<int32_t>(values.size())};
  }
  if (t.shape.rank() > 1) {
    return error(ErrorCode::kModelInvalid, "{} has shape {}; a parameter must be a list",
                 input_name(ctx, i), to_string(t.shape));
  }
  const int32_t count = t.shape.empty() ? 1 : t.shape[0];
  if (count > kMaxRank) {
    return error(ErrorCode::kModelInvalid, "{} has {} values; tensors have at most {} dimensions",
                 input_name(ctx, i), count, kMaxRank);
  }
  return DimsParameter{false, {}, count};
}

Result<PairsParameter> pairs_parameter(const InferContext& ctx, size_t i, const Dims& before,
                                       const Dims& after) {
  if (!ctx.has_input(i)) {
    if (before.count == after.count) return PairsParameter{true, before, after, before.count};
    return error(ErrorCode::kModelInvalid, "{} values before but {} after the tensor", before.count,
                 after.count);
  }
  const Tensor& t = ctx.input(i);
  const bool pairs = t.shape.rank() == 2 && dims_agree(t.shape[1], 2);
  if (!pairs || t.shape[0] > kMaxRank) {
    return error(ErrorCode::kModelInvalid, "{} has shape {}; it must be [n, 2] with n up to {}",
                 input_name(ctx, i), to_string(t.shape), kMaxRank);
  }
  PairsParameter p{t.constant, {}, {}, t.shape[0]};
  if (!t.constant) return p;
  PJ_ASSIGN(const std::vector<int32_t> values, read_ints(t, 2 * kMaxRank));
  for (size_t k = 0; k + 1 < values.size(); k += 2) {
    p.before.push_back(values[k]);
    p.after.push_back(values[k + 1]);
  }
  return p;
}

Result<IntParameter> int_parameter(const InferContext& ctx, size_t i, int32_t attribute) {
  if (!ctx.has_input(i)) return IntParameter{true, attribute};
  const Tensor& t = ctx.input(i);
  if (!t.constant) return IntParameter{};
  PJ_ASSIGN(const std::vector<int32_t> values, read_ints(t, 1));
  if (values.empty()) {
    return error(ErrorCode::kModelInvalid, "{} is empty; it must hold one number",
                 input_name(ctx, i));
  }
  return IntParameter{true, values[0]};
}

Status require_dims_parameter(const InferContext& ctx, size_t i) {
  if (!ctx.has_input(i)) return {};
  PJ_TRY(require_input_dtype(ctx, i, {DType::kI32, DType::kI64}));
  if (ctx.input(i).constant) PJ_TRY(read_ints(ctx.input(i), kMaxRank));
  return {};
}

Status require_pairs_parameter(const InferContext& ctx, size_t i) {
  if (!ctx.has_input(i)) return {};
  PJ_TRY(require_input_dtype(ctx, i, {DType::kI32, DType::kI64}));
  if (ctx.input(i).constant) PJ_TRY(pairs_parameter(ctx, i, {}, {}));
  return {};
}

Status require_int_parameter(const InferContext& ctx, size_t i) {
  if (!ctx.has_input(i)) return {};
  PJ_TRY(require_input_dtype(ctx, i, {DType::kI32, DType::kI64}));
  PJ_TRY(int_parameter(ctx, i, 0));
  return {};
}

}  // namespace pj
