#include "converters/tflite/tensors.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace pj {
namespace {

std::optional<DType> dtype_of(tfl::TensorType type) {
  switch (type) {
    case tfl::TensorType::FLOAT32:
      return DType::kF32;
    case tfl::TensorType::FLOAT16:
      return DType::kF16;
    case tfl::TensorType::INT8:
      return DType::kI8;
    case tfl::TensorType::UINT8:
      return DType::kU8;
    case tfl::TensorType::INT16:
      return DType::kI16;
    case tfl::TensorType::INT32:
      return DType::kI32;
    case tfl::TensorType::INT64:
      return DType::kI64;
    case tfl::TensorType::BOOL:
      return DType::kBool;
    default:
      return std::nullopt;
  }
}

std::string type_name(tfl::TensorType type) {
  const char* name = tfl::EnumNameTensorType(type);
  return *name != '\0' ? name : fmt::format("{}", static_cast<int>(type));
}

// What we cannot represent at all.
Status check_kind(const tfl::Tensor& t) {
  if (!dtype_of(t.type())) {
    return error(ErrorCode::kModelUnsupported,
                 "type {} is not supported; use float32, float16, int8, uint8, int16, int32, int64 "
                 "or bool",
                 type_name(t.type()));
  }
  if (t.is_variable()) {
    return error(ErrorCode::kModelUnsupported,
                 "variable tensors (state kept between runs) are not supported; make the state an "
                 "input and an output of the model");
  }
  if (t.sparsity() != nullptr) {
    return error(ErrorCode::kModelUnsupported,
                 "sparse storage is not supported; convert the model with dense weights");
  }
  return {};
}

// `shape`, with the unknown dimensions of `signature` where the tensor is not a constant.
Result<Shape> import_shape(std::span<const int32_t> shape, std::span<const int32_t> signature,
                           bool constant) {
  if (shape.size() > static_cast<size_t>(kMaxRank)) {
    return error(ErrorCode::kModelUnsupported, "{} dimensions; at most {} are supported",
                 shape.size(), kMaxRank);
  }
  if (!signature.empty() && signature.size() != shape.size()) {
    return error(ErrorCode::kModelInvalid,
                 "the shape has {} dimensions but the shape signature {}; convert the model again",
                 shape.size(), signature.size());
  }
  Shape result;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool unknown = shape[i] == -1 || (!signature.empty() && signature[i] == -1);
    const int32_t dim = unknown && !constant ? kUnknownDim : shape[i];
    if (dim < 0 && dim != kUnknownDim) {
      return error(ErrorCode::kModelInvalid, "dimension {} is {}; convert the model again", i, dim);
    }
    result.push_back(dim);
  }
  return result;
}

Status check_quantization_counts(const Quantization& q, size_t zero_points, const Shape& shape) {
  if (zero_points != 0 && zero_points != q.scale.size()) {
    return error(ErrorCode::kModelInvalid, "{} scales but {} zero points; quantise it again",
                 q.scale.size(), zero_points);
  }
  if (q.per_tensor()) return {};
  if (q.axis < 0 || q.axis >= shape.rank()) {
    return error(ErrorCode::kModelInvalid,
                 "quantised along axis {} but it has {} dimensions; quantise it again", q.axis,
                 shape.rank());
  }
  const int32_t channels = shape[q.axis];
  if (channels != kUnknownDim && static_cast<size_t>(channels) != q.scale.size()) {
    return error(ErrorCode::kModelInvalid, "{} scales for {} channels (axis {}); quantise it again",
                 q.scale.size(), channels, q.axis);
  }
  return {};
}

// Zero points are 64-bit in the file, and the verifier does not check their alignment.
Result<std::vector<int32_t>> import_zero_points(const flatbuffers::Vector<int64_t>* v,
                                                size_t count) {
  std::vector<int32_t> result(count, 0);
  for (size_t i = 0; i < std::min(count, length(v)); ++i) {
    int64_t z;
    std::memcpy(&z, v->Data() + i * sizeof(z), sizeof(z));
    if (z < std::numeric_limits<int32_t>::min() || z > std::numeric_limits<int32_t>::max()) {
      return error(ErrorCode::kModelInvalid, "zero point {} is outside the range of int32", z);
    }
    result[i] = static_cast<int32_t>(z);
  }
  return result;
}

Result<Quantization> import_quantization(const tfl::QuantizationParameters* params, DType dtype,
                                         const Shape& shape, Budget& budget) {
  Quantization q;
  // Converters leave scales on tensors whose values are real or logical; there they mean nothing.
  const bool meaningless = is_float(dtype) || dtype == DType::kBool || dtype == DType::kI64;
  if (params == nullptr || meaningless) return q;
  if (params->details_type() != tfl::QuantizationDetails::NONE) {
    return error(ErrorCode::kModelUnsupported,
                 "custom quantisation is not supported; use scales and zero points");
  }
  const size_t count = length(params->scale());
  if (count == 0) return q;
  PJ_TRY(budget.spend(count * (sizeof(float) + sizeof(int32_t))));
  q.scale = std::vector<float>(params->scale()->begin(), params->scale()->end());
  q.axis = q.per_tensor() ? 0 : params->quantized_dimension();
  PJ_TRY(check_quantization_counts(q, length(params->zero_point()), shape));
  PJ_ASSIGN(q.zero_point, import_zero_points(params->zero_point(), count));
  return q;
}

Status check_constant_size(const Tensor& t, size_t bytes) {
  const std::optional<int64_t> count = element_count(t.shape);
  if (!count) {
    return error(ErrorCode::kModelInvalid, "constant of shape {}; convert the model again",
                 to_string(t.shape));
  }
  const auto needed = static_cast<uint64_t>(*count) * size_of(t.dtype);
  if (needed != bytes) {
    return error(ErrorCode::kModelInvalid,
                 "shape {} of {} needs {} bytes but its buffer has {}; convert the model again",
                 to_string(t.shape), name_of(t.dtype), needed, bytes);
  }
  return {};
}

Status check_bools(std::span<const std::byte> bytes) {
  const bool ok = std::all_of(bytes.begin(), bytes.end(),
                              [](std::byte b) { return std::to_integer<int>(b) <= 1; });
  if (ok) return {};
  return error(ErrorCode::kModelInvalid, "a bool constant holds values other than 0 and 1");
}

// Uses `bytes` in place, or a copy if they are misaligned.
Status attach_constant(const FileView& view, std::span<const std::byte> bytes, Budget& budget,
                       Tensor& t) {
  PJ_TRY(check_constant_size(t, bytes.size()));
  if (t.dtype == DType::kBool) PJ_TRY(check_bools(bytes));
  const bool aligned = reinterpret_cast<uintptr_t>(bytes.data()) % size_of(t.dtype) == 0;
  if (aligned) {
    t.data = {bytes, view.file.owner};
    return {};
  }
  PJ_TRY(budget.spend(bytes.size()));
  t.data = SharedBytes::copy_of(bytes);
  if (t.data.bytes.size() != bytes.size()) {
    return error(ErrorCode::kOutOfMemory, "no memory for its {} bytes", bytes.size());
  }
  return {};
}

Status import_tensor(const FileView& view, const tfl::Tensor& source, bool produced, Budget& budget,
                     Tensor& t) {
  PJ_TRY(check_kind(source));
  t.dtype = *dtype_of(source.type());
  PJ_ASSIGN(const std::span<const std::byte> bytes, buffer_bytes(view, source.buffer()));
  const std::span<const int32_t> shape = ints(source.shape());
  // An empty buffer marks an activation, unless there is nothing to store (the shape of a scalar).
  const bool no_elements = std::find(shape.begin(), shape.end(), 0) != shape.end();
  t.constant = !bytes.empty() || (!produced && no_elements);
  PJ_ASSIGN(t.shape, import_shape(shape, ints(source.shape_signature()), t.constant));
  PJ_ASSIGN(t.quant, import_quantization(source.quantization(), t.dtype, t.shape, budget));
  if (t.constant) PJ_TRY(attach_constant(view, bytes, budget, t));
  return {};
}

}  // namespace

Status import_tensors(const FileView& view, const std::vector<bool>& produced, Budget& budget,
                      Graph& graph) {
  PJ_TRY(budget.spend(produced.size() * sizeof(Tensor)));
  graph.tensors.reserve(produced.size());
  for (size_t i = 0; i < produced.size(); ++i) {
    const tfl::Tensor& source = *view.graph->tensors()->Get(static_cast<uint32_t>(i));
    PJ_TRY(budget.spend(length(source.name())));
    Tensor t;
    t.name = text(source.name());
    if (Status s = import_tensor(view, source, produced[i], budget, t); !s)
      return in_context(fmt::format("tensor {} '{}'", i, t.name), std::move(s).error());
    graph.tensors.push_back(std::move(t));
  }
  return {};
}

}  // namespace pj
