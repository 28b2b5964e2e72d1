#include "runtime/plan/buffers.h"

namespace pj {
namespace {

bool is_reshape(OpKind kind) {
  return kind == OpKind::kReshape || kind == OpKind::kSqueeze || kind == OpKind::kExpandDims;
}

}  // namespace

BufferMap map_buffers(const Graph& graph) {
  const size_t count = graph.tensors.size();
  BufferMap map;
  map.root.resize(count);
  for (size_t t = 0; t < count; ++t) map.root[t] = static_cast<TensorId>(t);
  map.view_op.resize(graph.ops.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (!is_reshape(op.kind)) continue;
    map.view_op[i] = true;
    map.root[static_cast<size_t>(op.outputs[0])] = map.root[static_cast<size_t>(op.inputs[0])];
  }

  // The memory of every root; other tensors follow theirs.
  std::vector<BufferRef> memory(count);
  for (size_t t = 0; t < count; ++t) {
    memory[t] = {graph.tensors[t].constant ? Space::kConstant : Space::kArena,
                 static_cast<int32_t>(t), 0};
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    memory[static_cast<size_t>(graph.inputs[i])] = {Space::kInput, static_cast<int32_t>(i), 0};
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const TensorId t = graph.outputs[i];
    BufferRef& now = memory[static_cast<size_t>(map.root[static_cast<size_t>(t)])];
    const auto index = static_cast<int32_t>(i);
    if (now.space == Space::kArena) {
      // The producer writes to the output's memory, and every view reads it there.
      now = {Space::kOutput, index, 0};
    } else {
      map.copies.push_back({t, index});
    }
  }
  map.buffer.resize(count);
  for (size_t t = 0; t < count; ++t) map.buffer[t] = memory[static_cast<size_t>(map.root[t])];
  return map;
}

}  // namespace pj
