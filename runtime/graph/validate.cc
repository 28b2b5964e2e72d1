// The border: what a graph from a file must satisfy before anything else looks at it.
#include <algorithm>

#include "runtime/graph/graph_checks.h"
#include "runtime/graph/op_checks.h"
#include "runtime/graph/quant_scan.h"

namespace pj {
namespace {

// Scales outside these make products of two of them leave the range of float.
constexpr float kMinScale = 1e-30f;
constexpr float kMaxScale = 1e30f;

Status check_scales(const Quantization& q) {
  if (all_within(q.scale, kMinScale, kMaxScale)) return {};
  for (float s : q.scale) {
    // The negation also catches NaN.
    if (!(s >= kMinScale && s <= kMaxScale))
      return error(ErrorCode::kModelInvalid, "scale {} is not a positive number in [{}, {}]", s,
                   kMinScale, kMaxScale);
  }
  return {};
}

Status check_zero_points(const Tensor& t) {
  const IntRange range = range_of(t.dtype);
  if (all_zero(t.quant.zero_point) && range.min <= 0) return {};  // most are
  for (int32_t z : t.quant.zero_point) {
    if (z < range.min || z > range.max)
      return error(ErrorCode::kModelInvalid, "zero point {} is outside the range of {}", z,
                   name_of(t.dtype));
    if (z != 0 && !t.quant.per_tensor())
      return error(ErrorCode::kModelUnsupported,
                   "zero point {} with a scale per channel; it must be 0", z);
  }
  return {};
}

Status check_constant(const Tensor& t) {
  if (!is_static(t.shape)) {
    return error(ErrorCode::kModelInvalid, "it is constant but its shape {} is not known",
                 to_string(t.shape));
  }
  if (t.data.bytes.size() != static_cast<uint64_t>(byte_size(t))) {
    return error(ErrorCode::kModelInvalid, "it has {} bytes of data; {} of shape {} takes {}",
                 t.data.bytes.size(), name_of(t.dtype), to_string(t.shape), byte_size(t));
  }
  if (reinterpret_cast<uintptr_t>(t.data.bytes.data()) % size_of(t.dtype) != 0) {
    return error(ErrorCode::kModelInvalid,
                 "its data is not aligned to {} bytes; the importer has to copy it",
                 size_of(t.dtype));
  }
  return {};
}

Status check_tensor(const Tensor& t) {
  if (static_cast<int>(t.dtype) >= kDTypeCount) {
    return error(ErrorCode::kModelInvalid, "element type {} does not exist",
                 static_cast<int>(t.dtype));
  }
  PJ_TRY(check_shape(t.shape, t.dtype));
  PJ_TRY(check_scales(t.quant));
  PJ_TRY(check_channels(t));
  PJ_TRY(check_zero_points(t));
  if (t.constant) PJ_TRY(check_constant(t));
  return {};
}

// Visits attributes: enumerators exist and lists have a length.
struct FieldChecker {
  Status status;

  template <typename T>
  void operator()(const char* name, T& field) {
    if constexpr (std::is_enum_v<T>) {
      if (static_cast<int>(field) >= enum_count(field))
        status = error(ErrorCode::kModelInvalid, "attribute {} has no value {}", name,
                       static_cast<int>(field));
    } else if constexpr (std::is_same_v<T, Dims>) {
      if (field.count < 0 || field.count > kMaxRank)
        status = error(ErrorCode::kModelInvalid, "attribute {} has {} entries; at most {}", name,
                       field.count, kMaxRank);
    }
  }
};

// Kind and attributes; after it, describe() can print the operator.
Status check_attributes(const Op& op) {
  if (static_cast<int>(op.kind) >= kOpKindCount) {
    return error(ErrorCode::kModelInvalid, "operator kind {} does not exist",
                 static_cast<int>(op.kind));
  }
  if (op.params.index() != params_for(op.kind).index()) {
    return error(ErrorCode::kModelInvalid, "{} has the attributes of another operator",
                 name_of(op.kind));
  }
  FieldChecker checker;
  OpParams params = op.params;
  visit_fields(params, checker);
  if (!checker.status) return in_context(name_of(op.kind), checker.status.error());
  return {};
}

Status check_arity(const Op& op) {
  const OpInfo& info = op_info(op.kind);
  auto check = [](const char* what, size_t n, int32_t low, int32_t high) -> Status {
    if (n >= static_cast<size_t>(low) && n <= static_cast<size_t>(high)) return {};
    return error(ErrorCode::kModelInvalid, "it has {} {}; from {} to {} are allowed", n, what, low,
                 high);
  };
  PJ_TRY(check("inputs", op.inputs.size(), info.min_inputs, info.max_inputs));
  return check("outputs", op.outputs.size(), info.min_outputs, info.max_outputs);
}

// The walk over the operators in order: which tensors have a value by then.
class Walk {
 public:
  explicit Walk(const Graph& graph) : graph_(graph), available_(graph.tensors.size(), false) {}

  Status run() {
    PJ_TRY(check_inputs());
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      if (Status s = check_attributes(graph_.ops[i]); !s)
        return in_context(fmt::format("node {}", i), s.error());
      if (Status s = check_op(graph_.ops[i]); !s)
        return in_context(describe(graph_, static_cast<int32_t>(i)), s.error());
    }
    return check_outputs();
  }

 private:
  Status check_inputs() {
    for (size_t i = 0; i < graph_.tensors.size(); ++i) available_[i] = graph_.tensors[i].constant;
    for (TensorId id : graph_.inputs) {
      PJ_TRY(check_id(id, "graph input"));
      if (graph_.tensor(id).constant)
        return error(ErrorCode::kModelInvalid, "graph input {} is a constant",
                     describe_tensor(graph_, id));
      PJ_TRY(make_available(id));
    }
    return {};
  }

  Status check_op(const Op& op) {
    PJ_TRY(check_arity(op));
    const auto required = static_cast<size_t>(op_info(op.kind).required_inputs);
    // The operands of a list all have to be there; elsewhere only the first ones.
    const bool list = op.kind == OpKind::kConcat || op.kind == OpKind::kPack;
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (op.inputs[i] == kNoTensor && i >= required && !list) continue;
      if (op.inputs[i] == kNoTensor)
        return error(ErrorCode::kModelInvalid, "input {} is missing; it is required", i);
      PJ_TRY(check_id(op.inputs[i], "input"));
      if (!available_[static_cast<size_t>(op.inputs[i])]) {
        return error(ErrorCode::kModelInvalid,
                     "input {}, {}, has no value: it is no graph input, no constant, and no "
                     "operator before this one produces it",
                     i, describe_tensor(graph_, op.inputs[i]));
      }
    }
    for (TensorId id : op.outputs) PJ_TRY(check_id(id, "output"));
    PJ_TRY(op_info(op.kind).validate(InferContext{graph_, op}));
    for (TensorId id : op.outputs) PJ_TRY(make_available(id));
    return {};
  }

  Status check_outputs() {
    if (graph_.outputs.empty())
      return error(ErrorCode::kModelInvalid, "the graph has no outputs; nothing would be computed");
    for (TensorId id : graph_.outputs) {
      PJ_TRY(check_id(id, "graph output"));
      if (!available_[static_cast<size_t>(id)])
        return error(ErrorCode::kModelInvalid, "graph output {} has no producer",
                     describe_tensor(graph_, id));
    }
    return {};
  }

  Status check_id(TensorId id, const char* role) {
    if (id >= 0 && static_cast<size_t>(id) < graph_.tensors.size()) return {};
    return error(ErrorCode::kModelInvalid, "{} {} is not one of the {} tensors", role, id,
                 graph_.tensors.size());
  }

  Status make_available(TensorId id) {
    if (!available_[static_cast<size_t>(id)]) {
      available_[static_cast<size_t>(id)] = true;
      return {};
    }
    return error(ErrorCode::kModelInvalid, "{} gets a value twice: it is {}",
                 describe_tensor(graph_, id),
                 graph_.tensor(id).constant ? "a constant and produced"
                                            : "an input or an output more than once");
  }

  const Graph& graph_;
  std::vector<bool> available_;
};

}  // namespace

Status check_shape(const Shape& shape, DType dtype) {
  if (shape.count < 0 || shape.count > kMaxRank) {
    return error(ErrorCode::kLimitExceeded, "it has {} dimensions; at most {} are supported",
                 shape.count, kMaxRank);
  }
  // Unknown dimensions count as 1 and empty ones too, so that no product of dimensions overflows.
  Shape known_dims = shape;
  for (int32_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] < kUnknownDim) {
      return error(ErrorCode::kModelInvalid, "dimension {} of its shape is {}", i, shape[i]);
    }
    known_dims[i] = std::max(shape[i], 1);
  }
  const std::optional<int64_t> count = element_count(known_dims);
  if (!count || *count > kMaxTensorBytes / static_cast<int64_t>(size_of(dtype))) {
    return error(ErrorCode::kLimitExceeded, "{} of shape {} takes more than {} bytes",
                 name_of(dtype), to_string(shape), kMaxTensorBytes);
  }
  return {};
}

Status check_channels(const Tensor& t) {
  const Quantization& q = t.quant;
  if (q.zero_point.size() != q.scale.size()) {
    return error(ErrorCode::kModelInvalid, "it has {} scales but {} zero points", q.scale.size(),
                 q.zero_point.size());
  }
  if (q.empty()) return {};
  if (is_float(t.dtype) || t.dtype == DType::kBool) {
    return error(ErrorCode::kModelInvalid, "it is {} and has a scale; only integers have one",
                 name_of(t.dtype));
  }
  if (q.per_tensor()) return {};
  if (q.axis < 0 || q.axis >= t.shape.rank()) {
    return error(ErrorCode::kModelInvalid, "{} scales along axis {}, which shape {} does not have",
                 q.scale.size(), q.axis, to_string(t.shape));
  }
  const int32_t channels = t.shape[q.axis];
  if (known(channels) && q.scale.size() != static_cast<size_t>(channels)) {
    return error(ErrorCode::kModelInvalid, "{} scales for {} channels (axis {})", q.scale.size(),
                 channels, q.axis);
  }
  return {};
}

Status validate(const Graph& graph) {
  if (graph.tensors.size() > static_cast<size_t>(kMaxTensors)) {
    return error(ErrorCode::kLimitExceeded, "the graph has {} tensors; at most {}",
                 graph.tensors.size(), kMaxTensors);
  }
  if (graph.ops.size() > static_cast<size_t>(kMaxOps)) {
    return error(ErrorCode::kLimitExceeded, "the graph has {} operators; at most {}",
                 graph.ops.size(), kMaxOps);
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (Status s = check_tensor(graph.tensors[i]); !s)
      return in_context(describe_tensor(graph, static_cast<TensorId>(i)), s.error());
  }
  return Walk(graph).run();
}

}  // namespace pj
