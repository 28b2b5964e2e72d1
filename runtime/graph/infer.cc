#include "runtime/graph/graph_checks.h"
#include "runtime/graph/op_table.h"

namespace pj {
namespace {

Status infer_outputs(Graph& graph, const Op& op) {
  std::vector<Shape> shapes;
  PJ_TRY(op_info(op.kind).infer(InferContext{graph, op}, shapes));
  if (shapes.size() != op.outputs.size()) {
    return error(ErrorCode::kModelInvalid, "it has {} outputs; its attributes ask for {}",
                 op.outputs.size(), shapes.size());
  }
  for (size_t i = 0; i < shapes.size(); ++i) {
    Tensor& t = graph.tensor(op.outputs[i]);
    Status s = check_shape(shapes[i], t.dtype);
    if (s) {
      t.shape = shapes[i];
      s = check_channels(t);
    }
    if (!s) return in_context(describe_tensor(graph, op.outputs[i]), s.error());
  }
  return {};
}

}  // namespace

Status infer_op(Graph& graph, int32_t op_index) {
  if (Status s = infer_outputs(graph, graph.ops[static_cast<size_t>(op_index)]); !s)
    return in_context(describe(graph, op_index), s.error());
  return {};
}

Status infer_shapes(Graph& graph) {
  for (size_t i = 0; i < graph.ops.size(); ++i) PJ_TRY(infer_op(graph, static_cast<int32_t>(i)));
  return {};
}

}  // namespace pj
