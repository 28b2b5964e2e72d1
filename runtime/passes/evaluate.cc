#include "runtime/passes/evaluate.h"

#include "runtime/base/aligned.h"

namespace pj {

OperandDesc operand_of(const Tensor& t) {
  OperandDesc d;
  d.dtype = t.dtype;
  d.shape = t.shape;
  if (t.quant.per_tensor()) {
    d.scale = t.quant.scale[0];
    d.zero_point = t.quant.zero_point[0];
  } else if (!t.quant.empty()) {
    d.channel_scales = t.quant.scale;
    d.channel_axis = t.quant.axis;
  }
  return d;
}

Result<std::vector<SharedBytes>> evaluate(const Graph& graph, const Op& op) {
  std::vector<OperandDesc> inputs, outputs;
  std::vector<const std::byte*> input_data;
  std::vector<std::byte*> output_data;
  for (TensorId id : op.inputs) {
    OperandDesc absent;
    absent.present = false;
    inputs.push_back(id == kNoTensor ? absent : operand_of(graph.tensor(id)));
    input_data.push_back(id == kNoTensor ? nullptr : graph.tensor(id).data.bytes.data());
  }
  std::vector<SharedBytes> results;
  for (TensorId id : op.outputs) {
    const Tensor& t = graph.tensor(id);
    const auto size = static_cast<size_t>(byte_size(t));
    auto buffer = std::make_shared<AlignedBuffer>(size);
    if (buffer->size() != size) {
      return error(ErrorCode::kOutOfMemory, "{}: no memory for {} bytes",
                   describe_tensor(graph, id), size);
    }
    outputs.push_back(operand_of(t));
    output_data.push_back(buffer->data());
    const std::span<const std::byte> view = buffer->bytes();
    results.push_back({view, std::move(buffer)});
  }
  run_reference(op.kind, op.params, inputs, input_data, outputs, output_data);
  return results;
}

}  // namespace pj
