#include "runtime/graph/graph.h"

#include <cstring>
#include <numeric>

#include "runtime/base/aligned.h"
#include "runtime/graph/op_table.h"

namespace pj {

SharedBytes SharedBytes::copy_of(std::span<const std::byte> bytes) {
  auto buffer = std::make_shared<AlignedBuffer>(bytes.size());
  // Out of memory leaves the buffer empty, which the caller sees by the size.
  if (buffer->size() != bytes.size() || bytes.empty()) return {};
  std::memcpy(buffer->data(), bytes.data(), bytes.size());
  const std::span<const std::byte> view = buffer->bytes();
  return {view, std::move(buffer)};
}

Uses find_uses(const Graph& graph) {
  const size_t count = graph.tensors.size();
  Uses uses;
  uses.producer.assign(count, -1);
  uses.is_output.assign(count, false);
  for (TensorId id : graph.outputs) uses.is_output[static_cast<size_t>(id)] = true;
  std::vector<int32_t>& at = uses.consumers_at;
  at.assign(count + 1, 0);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    for (TensorId id : graph.ops[i].inputs)
      if (id != kNoTensor) ++at[static_cast<size_t>(id)];
    for (TensorId id : graph.ops[i].outputs)
      uses.producer[static_cast<size_t>(id)] = static_cast<int32_t>(i);
  }
  // Numbers become ends, and ends beginnings as the lists fill up from behind.
  std::partial_sum(at.begin(), at.end(), at.begin());
  uses.all_consumers.resize(static_cast<size_t>(at[count]));
  for (size_t i = graph.ops.size(); i-- > 0;) {
    for (TensorId id : graph.ops[i].inputs)
      if (id != kNoTensor)
        uses.all_consumers[static_cast<size_t>(--at[static_cast<size_t>(id)])] =
            static_cast<int32_t>(i);
  }
  return uses;
}

std::string describe_tensor(const Graph& graph, TensorId id) {
  if (id < 0 || static_cast<size_t>(id) >= graph.tensors.size())
    return fmt::format("tensor {}", id);
  return fmt::format("tensor {} '{}'", id, graph.tensor(id).name);
}

std::string describe(const Graph& graph, int32_t op_index) {
  const Op& op = graph.ops[static_cast<size_t>(op_index)];
  std::string s = fmt::format("{}, node {}", op.display_name(), op_index);
  const bool named = !op.outputs.empty() && op.outputs[0] >= 0 &&
                     static_cast<size_t>(op.outputs[0]) < graph.tensors.size();
  if (named) s += fmt::format(", output '{}'", graph.tensor(op.outputs[0]).name);
  return s;
}

}  // namespace pj
