// Mapping of our operators to those of a .tflite file.
#pragma once

#include "converters/tflite/schema.h"
#include "runtime/graph/graph.h"

namespace pj {

// An operator as the file has it. Inputs and outputs are those of ours.
struct FileOperator {
  tfl::BuiltinOperator code = tfl::BuiltinOperator::ADD;
  int32_t version = 1;  // the first of the format that allows these types and options
  tfl::BuiltinOptions options_type = tfl::BuiltinOptions::NONE;
  flatbuffers::Offset<void> options = {};
};

// `op` is an operator of `graph`, a result of lower_for_tflite(). Writes its options. Errors:
// kModelUnsupported with a few words, empty if there is no mapping at all.
Result<FileOperator> export_operator(const Graph& graph, const Op& op,
                                     flatbuffers::FlatBufferBuilder& builder);

}  // namespace pj
