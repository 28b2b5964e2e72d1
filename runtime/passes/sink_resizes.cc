#include <algorithm>
#include <utility>

#include "runtime/passes/passes.h"
#include "runtime/passes/rewrite.h"

namespace pj {
namespace {

// A nearest-neighbour resize that gives more pixels than it gets, all of them copies.
bool is_upsampling(const Graph& graph, const Op& op) {
  if (op.kind != OpKind::kResize || op.as<ResizeParams>().fn != ResizeFn::kNearest ||
      op.inputs.size() != 1)
    return false;
  const Tensor &x = graph.tensor(op.inputs[0]), &y = graph.tensor(op.outputs[0]);
  return is_static(x.shape) && is_static(y.shape) && same_values(x, y) &&
         elements(y.shape) > elements(x.shape);
}

// Every output pixel comes from the input pixel at its place.
bool is_pointwise(const Graph& graph, const Op& op) {
  switch (op.kind) {
    case OpKind::kUnary:
    case OpKind::kQuantize:
    case OpKind::kDequantize:
      return true;
    case OpKind::kConv2D: {
      const auto& p = op.as<Conv2DParams>();
      const Shape& w = graph.tensor(op.inputs[1]).shape;
      const Padding& pad = p.padding;
      const bool padded = pad.mode == PadMode::kExplicit &&
                          (pad.top != 0 || pad.bottom != 0 || pad.left != 0 || pad.right != 0);
      return w.rank() == 4 && w[1] == 1 && w[2] == 1 && p.stride_h == 1 && p.stride_w == 1 &&
             !padded && !p.epilogue.present();
    }
    default:
      return false;
  }
}

// The other operands do not depend on what runs between the two.
bool has_constant_operands(const Graph& graph, const Op& op) {
  return std::all_of(op.inputs.begin() + 1, op.inputs.end(),
                     [&](TensorId id) { return id == kNoTensor || graph.tensor(id).constant; });
}

}  // namespace

Result<int> sink_resizes(Graph& graph) {
  const Uses uses = find_uses(graph);
  int rewrites = 0;
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    Op& resize = graph.ops[i];
    if (!is_upsampling(graph, resize) || !has_single_use(uses, resize.outputs[0])) continue;
    Op& next = graph.ops[static_cast<size_t>(uses.consumers(resize.outputs[0]).front())];
    if (next.inputs[0] != resize.outputs[0] || !is_pointwise(graph, next) ||
        !has_constant_operands(graph, next))
      continue;
    // The two change places: `next` computes a small tensor of its own, which becomes large last.
    Tensor small = graph.tensor(next.outputs[0]);
    small.name = small.name + "/small";
    for (int32_t d = 1; d < 3; ++d) small.shape[d] = graph.tensor(resize.inputs[0]).shape[d];
    next.inputs[0] = resize.inputs[0];
    resize.outputs[0] = next.outputs[0];
    next.outputs[0] = resize.inputs[0] = graph.add_tensor(std::move(small));
    std::swap(resize, next);
    ++rewrites;
  }
  return rewrites;
}

}  // namespace pj
