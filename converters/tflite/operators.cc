#include "converters/tflite/operators.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace pj {
namespace {

constexpr size_t kListed = 20;  // unsupported operators that a message names
constexpr size_t kMaxNodeOperands = size_t{1} << 20;

MapFn find_builtin(tfl::BuiltinOperator code) {
  for (auto rows : {matrix_operators(), elementwise_operators(), shape_operators()})
    for (const BuiltinRow& row : rows)
      if (row.code == code) return row.map;
  return nullptr;
}

MapFn find_custom(std::string_view name) {
  for (const CustomRow& row : custom_operators())
    if (name == row.name) return row.map;
  return nullptr;
}

std::string builtin_name(tfl::BuiltinOperator code) {
  const char* name = tfl::EnumNameBuiltinOperator(code);
  return *name != '\0' ? name : fmt::format("builtin operator {}", static_cast<int32_t>(code));
}

Status check_index(int32_t id, size_t tensors, const char* role, size_t i) {
  if (id >= 0 && static_cast<size_t>(id) < tensors) return {};
  return error(ErrorCode::kModelInvalid,
               "{} {} is tensor {}, but the file has {} tensors; convert the model again", role, i,
               id, tensors);
}

}  // namespace

Result<OperatorImporter::Code> OperatorImporter::resolve(const tfl::OperatorCode& code) const {
  // Codes above 126 do not fit the old one-byte field, which then holds a smaller placeholder.
  const auto builtin = std::max(static_cast<tfl::BuiltinOperator>(code.deprecated_builtin_code()),
                                code.builtin_code());
  if (builtin != tfl::BuiltinOperator::CUSTOM)
    return Code{builtin_name(builtin), find_builtin(builtin)};
  PJ_TRY(budget_.spend(length(code.custom_code())));
  const std::string name = text(code.custom_code());
  return Code{"CUSTOM:" + name, find_custom(name)};
}

std::string OperatorImporter::place(uint32_t index) const {
  const tfl::Operator& op = *view_.graph->operators()->Get(index);
  std::string s = fmt::format("{}, node {}", code_of(op).name, index);
  const std::span<const int32_t> outputs = ints(op.outputs());
  const auto* tensors = view_.graph->tensors();
  if (!outputs.empty() && outputs[0] >= 0 && static_cast<size_t>(outputs[0]) < length(tensors)) {
    const auto* tensor = tensors->Get(static_cast<uint32_t>(outputs[0]));
    s += fmt::format(", output '{}'", text(tensor->name()));
  }
  return s;
}

Status OperatorImporter::check_operands(const tfl::Operator& op,
                                        std::vector<bool>& produced) const {
  const std::span<const int32_t> inputs = ints(op.inputs()), outputs = ints(op.outputs());
  if (inputs.size() > kMaxNodeOperands || outputs.size() > kMaxNodeOperands) {
    return error(ErrorCode::kLimitExceeded, "{} inputs and {} outputs; at most {} are supported",
                 inputs.size(), outputs.size(), kMaxNodeOperands);
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != kNoTensor) PJ_TRY(check_index(inputs[i], produced.size(), "input", i));
  for (size_t i = 0; i < outputs.size(); ++i) {
    PJ_TRY(check_index(outputs[i], produced.size(), "output", i));
    produced[static_cast<size_t>(outputs[i])] = true;
  }
  return {};
}

Status OperatorImporter::prepare(std::vector<bool>& produced) {
  const auto* codes = view_.model->operator_codes();
  PJ_TRY(budget_.spend(length(codes) * sizeof(Code)));
  codes_.reserve(length(codes));
  for (uint32_t i = 0; i < length(codes); ++i) {
    PJ_ASSIGN(Code code, resolve(*codes->Get(i)));
    codes_.push_back(std::move(code));
  }
  for (int32_t id : ints(view_.graph->inputs()))
    if (id >= 0 && static_cast<size_t>(id) < produced.size())
      produced[static_cast<size_t>(id)] = true;
  const auto* ops = view_.graph->operators();
  for (uint32_t i = 0; i < length(ops); ++i) {
    const tfl::Operator& op = *ops->Get(i);
    if (op.opcode_index() >= codes_.size()) {
      return error(ErrorCode::kModelInvalid,
                   "node {} has operator code {}, but the file has {}; convert the model again", i,
                   op.opcode_index(), codes_.size());
    }
    // The same vector may serve a million nodes: what is walked is charged as if it were kept.
    PJ_TRY(budget_.spend(sizeof(Op) +
                         (length(op.inputs()) + length(op.outputs())) * sizeof(TensorId)));
    if (Status s = check_operands(op, produced); !s)
      return in_context(place(i), std::move(s).error());
    if (code_of(op).map == nullptr) add_unsupported(i, "");
  }
  return {};
}

void OperatorImporter::add_unsupported(uint32_t index, std::string_view why) {
  ++unsupported_count_;
  if (unsupported_.size() == kListed) return;
  unsupported_.push_back(why.empty() ? place(index) : fmt::format("{} ({})", place(index), why));
}

Status OperatorImporter::unsupported() const {
  if (unsupported_count_ == 0) return {};
  std::string list;
  for (const std::string& entry : unsupported_) list += (list.empty() ? "" : "; ") + entry;
  const size_t more = unsupported_count_ - unsupported_.size();
  if (more > 0) list += fmt::format("; and {} more", more);
  return error(ErrorCode::kModelUnsupported,
               "{} operator{} of the model not supported, convert it without: {}",
               unsupported_count_, unsupported_count_ == 1 ? " is" : "s are", list);
}

Status OperatorImporter::import_one(uint32_t index, Graph& graph) {
  const tfl::Operator& source = *view_.graph->operators()->Get(index);
  PJ_ASSIGN(const std::span<const std::byte> custom, custom_options(view_, source));
  const std::span<const int32_t> inputs = ints(source.inputs()), outputs = ints(source.outputs());
  Op op{OpKind::kUnary,
        UnaryParams{},
        {inputs.begin(), inputs.end()},
        {outputs.begin(), outputs.end()},
        {}};
  PJ_TRY(code_of(source).map(Node{source, graph, custom}, op));
  graph.ops.push_back(std::move(op));
  return {};
}

Status OperatorImporter::import(Graph& graph) {
  const auto* ops = view_.graph->operators();
  graph.ops.reserve(length(ops));
  for (uint32_t i = 0; i < length(ops); ++i) {
    if (code_of(*ops->Get(i)).map == nullptr) continue;  // already on the list
    Status s = import_one(i, graph);
    if (s) continue;
    if (s.error().code != ErrorCode::kModelUnsupported)
      return in_context(place(i), std::move(s).error());
    add_unsupported(i, s.error().message);
  }
  return unsupported();
}

Result<Activation> import_activation(tfl::ActivationFunctionType type) {
  using A = tfl::ActivationFunctionType;
  switch (type) {
    case A::NONE:
      return Activation::kNone;
    case A::RELU:
      return Activation::kRelu;
    case A::RELU6:
      return Activation::kRelu6;
    case A::RELU_N1_TO_1:
      return Activation::kReluN1To1;
    case A::TANH:
      return error(ErrorCode::kModelUnsupported, "fused TANH");
    case A::SIGN_BIT:
      return error(ErrorCode::kModelUnsupported, "fused SIGN_BIT");
  }
  return error(ErrorCode::kModelUnsupported, "fused activation {}", static_cast<int>(type));
}

Result<Padding> import_padding(tfl::Padding padding) {
  Padding p;
  switch (padding) {
    case tfl::Padding::SAME:
      p.mode = PadMode::kSame;
      return p;
    case tfl::Padding::VALID:
      p.mode = PadMode::kValid;
      return p;
  }
  return error(ErrorCode::kModelInvalid, "padding {} is neither SAME nor VALID",
               static_cast<int>(padding));
}

Status require_input(const Op& op, size_t i, const char* what) {
  if (i < op.inputs.size() && op.inputs[i] != kNoTensor) return {};
  return error(ErrorCode::kModelInvalid, "input {} ({}) is missing; convert the model again", i,
               what);
}

Result<Dims> constant_ints(const Node& node, const Op& op, size_t i, const char* what) {
  PJ_TRY(require_input(op, i, what));
  const Tensor& t = node.graph.tensor(op.inputs[i]);
  if (!t.constant) {
    return error(ErrorCode::kModelUnsupported, "input {} ({}) '{}' is not a constant", i, what,
                 t.name);
  }
  if (t.dtype != DType::kI32 && t.dtype != DType::kI64) {
    return error(ErrorCode::kModelInvalid, "input {} ({}) '{}' is {}; it must be int32 or int64", i,
                 what, t.name, name_of(t.dtype));
  }
  const int64_t count = elements(t.shape);
  if (count > kMaxRank) {
    return error(ErrorCode::kModelInvalid,
                 "input {} ({}) '{}' has {} values; at most {} make sense", i, what, t.name, count,
                 kMaxRank);
  }
  Dims dims;
  for (size_t k = 0; k < static_cast<size_t>(count); ++k) {
    const int64_t v = t.dtype == DType::kI32 ? t.as<int32_t>()[k] : t.as<int64_t>()[k];
    if (v < std::numeric_limits<int32_t>::min() || v > std::numeric_limits<int32_t>::max()) {
      return error(ErrorCode::kModelInvalid, "input {} ({}) '{}' holds {}, outside int32", i, what,
                   t.name, v);
    }
    dims.push_back(static_cast<int32_t>(v));
  }
  return dims;
}

Result<int32_t> constant_int(const Node& node, const Op& op, size_t i, const char* what) {
  PJ_ASSIGN(const Dims dims, constant_ints(node, op, i, what));
  if (dims.count == 1) return dims[0];
  return error(ErrorCode::kModelInvalid, "input {} ({}) has {} values; it must have one", i, what,
               dims.count);
}

}  // namespace pj
