#include "converters/tflite/export.h"

#include <algorithm>
#include <map>

#include "converters/tflite/export_lower.h"
#include "converters/tflite/export_operators.h"

namespace pj {
namespace {

template <typename T>
using Offset = flatbuffers::Offset<T>;
template <typename T>
using Offsets = std::vector<Offset<T>>;

constexpr size_t kListed = 20;                // operators that a message names
constexpr size_t kMaxFile = size_t{1} << 31;  // FlatBuffers' offsets have 31 bits
constexpr size_t kConstantAlignment = 16;     // asked for by the format

tfl::TensorType type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return tfl::TensorType::FLOAT32;
    case DType::kF16:
      return tfl::TensorType::FLOAT16;
    case DType::kI8:
      return tfl::TensorType::INT8;
    case DType::kU8:
      return tfl::TensorType::UINT8;
    case DType::kI16:
      return tfl::TensorType::INT16;
    case DType::kI32:
      return tfl::TensorType::INT32;
    case DType::kI64:
      return tfl::TensorType::INT64;
    case DType::kBool:
      return tfl::TensorType::BOOL;
  }
  return tfl::TensorType::FLOAT32;
}

size_t constant_bytes(const Graph& graph) {
  size_t bytes = 0;
  for (const Tensor& t : graph.tensors) bytes += t.data.bytes.size();
  return bytes;
}

class FileWriter {
 public:
  explicit FileWriter(const Graph& graph)
      : graph_(graph), builder_(constant_bytes(graph) + graph.tensors.size() * 512 + 4096) {
    // By the format's convention buffer 0 is empty: that of tensors without data.
    buffers_.push_back(tfl::CreateBuffer(builder_));
  }

  Result<SharedBytes> write(const std::string& description) {
    PJ_ASSIGN(const Offset<tfl::SubGraph> subgraph, write_subgraph());
    const auto root =
        tfl::CreateModel(builder_, 3, builder_.CreateVector(write_codes()),
                         builder_.CreateVector(Offsets<tfl::SubGraph>{subgraph}),
                         builder_.CreateString(description), builder_.CreateVector(buffers_));
    tfl::FinishModelBuffer(builder_, root);
    auto file = std::make_shared<flatbuffers::DetachedBuffer>(builder_.Release());
    const std::span<const uint8_t> bytes(file->data(), file->size());
    return SharedBytes{std::as_bytes(bytes), std::move(file)};
  }

 private:
  // --- tensors -----------------------------------------------------------------------------------

  uint32_t buffer_of(const Tensor& t) {
    if (!t.constant) return 0;
    const std::span<const std::byte> bytes = t.data.bytes;
    const auto [known, is_new] = buffer_at_.try_emplace({bytes.data(), bytes.size()},
                                                        static_cast<uint32_t>(buffers_.size()));
    if (!is_new) return known->second;
    builder_.ForceVectorAlignment(bytes.size(), 1, kConstantAlignment);
    const auto data =
        builder_.CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    buffers_.push_back(tfl::CreateBuffer(builder_, data));
    return known->second;
  }

  Offset<tfl::QuantizationParameters> write_quantization(const Quantization& q) {
    if (q.empty()) return {};
    const std::vector<int64_t> zero_points(q.zero_point.begin(), q.zero_point.end());
    const auto scale = builder_.CreateVector(q.scale.data(), q.scale.size());
    const auto zero_point = builder_.CreateVector(zero_points);
    return tfl::CreateQuantizationParameters(builder_, scale, zero_point,
                                             tfl::QuantizationDetails::NONE, {}, q.axis);
  }

  Offset<tfl::Tensor> write_tensor(const Tensor& t) {
    std::vector<int32_t> shape(t.shape.begin(), t.shape.end());
    // Unknown dimensions stand in the signature; the shape itself has a 1.
    Offset<flatbuffers::Vector<int32_t>> signature;
    if (!is_static(t.shape)) signature = builder_.CreateVector(shape);
    std::replace(shape.begin(), shape.end(), kUnknownDim, 1);
    const uint32_t buffer = buffer_of(t);
    const auto quantization = write_quantization(t.quant);
    const auto name = builder_.CreateString(std::string_view(t.name));
    return tfl::CreateTensor(builder_, builder_.CreateVector(shape), type_of(t.dtype), buffer, name,
                             quantization, false, {}, signature);
  }

  // --- operators ---------------------------------------------------------------------------------

  uint32_t code_index(const FileOperator& op) {
    const auto [found, is_new] =
        code_at_.try_emplace({op.code, op.version}, static_cast<uint32_t>(codes_.size()));
    if (is_new) codes_.push_back(found->first);
    return found->second;
  }

  Offset<tfl::Operator> write_operator(const Op& op, const FileOperator& as) {
    const auto inputs = builder_.CreateVector(op.inputs);
    const auto outputs = builder_.CreateVector(op.outputs);
    return tfl::CreateOperator(builder_, code_index(as), inputs, outputs, as.options_type,
                               as.options);
  }

  Result<Offsets<tfl::Operator>> write_operators() {
    Offsets<tfl::Operator> ops;
    std::string list;
    size_t count = 0;
    for (size_t i = 0; i < graph_.ops.size(); ++i) {
      const Op& op = graph_.ops[i];
      const Result<FileOperator> as = export_operator(graph_, op, builder_);
      if (as) {
        ops.push_back(write_operator(op, *as));
        continue;
      }
      if (++count > kListed) continue;
      const std::string& why = as.error().message;
      list += fmt::format("{}{}, output '{}'{}", list.empty() ? "" : "; ", op.display_name(),
                          graph_.tensor(op.outputs[0]).name, why.empty() ? "" : ": " + why);
    }
    if (count == 0) return ops;
    return error(ErrorCode::kModelUnsupported,
                 "{} operators that cannot be written to a .tflite file: {}{}", count, list,
                 count > kListed ? "; ..." : "");
  }

  // Codes above 126 do not fit into the byte of older readers, which then holds 127.
  Offsets<tfl::OperatorCode> write_codes() {
    Offsets<tfl::OperatorCode> codes;
    for (const auto& [code, version] : codes_) {
      const auto byte = static_cast<int8_t>(std::min(static_cast<int32_t>(code), 127));
      codes.push_back(tfl::CreateOperatorCode(builder_, byte, {}, version, code));
    }
    return codes;
  }

  Result<Offset<tfl::SubGraph>> write_subgraph() {
    PJ_ASSIGN(const Offsets<tfl::Operator> ops, write_operators());
    Offsets<tfl::Tensor> tensors;
    for (const Tensor& t : graph_.tensors) tensors.push_back(write_tensor(t));
    const auto tensor_list = builder_.CreateVector(tensors);
    const auto inputs = builder_.CreateVector(graph_.inputs);
    const auto outputs = builder_.CreateVector(graph_.outputs);
    const auto op_list = builder_.CreateVector(ops);
    const auto name = builder_.CreateString(graph_.name);
    return tfl::CreateSubGraph(builder_, tensor_list, inputs, outputs, op_list, name);
  }

  using Code = std::pair<tfl::BuiltinOperator, int32_t>;  // and version

  const Graph& graph_;
  flatbuffers::FlatBufferBuilder builder_;
  Offsets<tfl::Buffer> buffers_;
  std::map<std::pair<const std::byte*, size_t>, uint32_t> buffer_at_;
  std::vector<Code> codes_;
  std::map<Code, uint32_t> code_at_;
};

}  // namespace

Result<SharedBytes> export_tflite(const Graph& graph, const std::string& description) {
  PJ_ASSIGN(const Graph lowered, lower_for_tflite(graph));
  const size_t bytes = constant_bytes(lowered);
  if (bytes > kMaxFile - kMaxFile / 16) {
    return error(ErrorCode::kLimitExceeded,
                 "{} bytes of constants; a .tflite file has at most 2 GB, write a .pj file", bytes);
  }
  return FileWriter(lowered).write(description);
}

}  // namespace pj
