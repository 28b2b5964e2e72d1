// Mapping of .tflite operators to ours: one row an operator, in the operators_*.cc files.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converters/tflite/file_view.h"

namespace pj {

// One operator of the file, as a mapping function sees it.
struct Node {
  const tfl::Operator& source;
  const Graph& graph;  // its tensors are complete
  std::span<const std::byte> custom_options;

  // Null if the operator has no options, or those of another kind.
  template <typename T>
  const T* options() const {
    return source.builtin_options_as<T>();
  }
};

// Sets kind and attributes of `op`, whose inputs and outputs are those of the file (indices in
// range, kNoTensor for absent ones), and changes the inputs where their order differs from ours.
// The number of operands is not yet checked: validate() does that for all operators afterwards.
// Errors name the defect; the caller adds the operator's place. A kModelUnsupported error joins the
// list of all unsupported operators of the file.
using MapFn = Status (*)(const Node& node, Op& op);

struct BuiltinRow {
  tfl::BuiltinOperator code;
  MapFn map;
};
struct CustomRow {
  const char* name;
  MapFn map;
};

std::span<const BuiltinRow> matrix_operators();
std::span<const BuiltinRow> elementwise_operators();
std::span<const BuiltinRow> shape_operators();
std::span<const CustomRow> custom_operators();

// Appends all operators of the file to `graph`, whose tensors are complete.
class OperatorImporter {
 public:
  OperatorImporter(const FileView& view, Budget& budget) : view_(view), budget_(budget) {}

  // Looks up every operator code and checks every index; marks graph inputs and operators' outputs
  // in `produced`.
  Status prepare(std::vector<bool>& produced);
  // An error with all operators that have no mapping; the one to show if the tensors fail, too.
  Status unsupported() const;
  Status import(Graph& graph);

 private:
  struct Code {
    std::string name;  // "CONV_2D", "CUSTOM:Foo"
    MapFn map;         // null: not supported
  };
  Result<Code> resolve(const tfl::OperatorCode& code) const;
  const Code& code_of(const tfl::Operator& op) const { return codes_[op.opcode_index()]; }
  // "CONV_2D, node 3, output 'conv1'".
  std::string place(uint32_t index) const;
  Status check_operands(const tfl::Operator& op, std::vector<bool>& produced) const;
  Status import_one(uint32_t index, Graph& graph);
  // `why` may be empty: there is no mapping at all.
  void add_unsupported(uint32_t index, std::string_view why);

  const FileView& view_;
  Budget& budget_;
  std::vector<Code> codes_;
  std::vector<std::string> unsupported_;  // the first kListed
  size_t unsupported_count_ = 0;
};

// --- for mapping functions -----------------------------------------------------------------------

template <OpKind kind>
Status set(Op& op, const ParamsOf<kind>& params) {
  op.kind = kind;
  op.params = params;
  return {};
}

// An operator without attributes.
template <OpKind kind>
Status map_plain(const Node&, Op& op) {
  return set<kind>(op, {});
}

// The options of an operator that cannot do without.
template <typename T>
Result<const T*> required_options(const Node& node) {
  const T* options = node.options<T>();
  if (options == nullptr)
    return error(ErrorCode::kModelInvalid, "its options are missing; convert the model again");
  return options;
}

Result<Activation> import_activation(tfl::ActivationFunctionType type);
Result<Padding> import_padding(tfl::Padding padding);

// Fails unless input i is there.
Status require_input(const Op& op, size_t i, const char* what);
// The single integer that constant input i holds; `what` names it in errors.
Result<int32_t> constant_int(const Node& node, const Op& op, size_t i, const char* what);
// All integers of constant input i, at most kMaxRank.
Result<Dims> constant_ints(const Node& node, const Op& op, size_t i, const char* what);

}  // namespace pj
