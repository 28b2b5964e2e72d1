#include "runtime/graph/op_table.h"

namespace pj {
namespace {

// Saturates: two tensors at the limit of size have a product just above 63 bits.
int64_t product(int64_t a, int64_t b) {
  int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? INT64_MAX : result;
}

}  // namespace

int64_t mac_count(const Graph& graph, const Op& op) {
  auto input = [&](size_t i) -> const Shape& { return graph.tensor(op.inputs[i]).shape; };
  const int64_t outputs = elements(graph.tensor(op.outputs[0]).shape);
  switch (op.kind) {
    case OpKind::kConv2D:
      return product(outputs, elements(input(1), 1, 4));
    case OpKind::kDepthwiseConv2D:
      return product(outputs, elements(input(1), 1, 3));
    case OpKind::kTransposeConv2D:
      // Every input meets every weight of its channel; what the crop discards is counted too.
      return product(elements(input(0), 0, 3), elements(input(1)));
    case OpKind::kFullyConnected:
      return product(outputs, input(1)[1]);
    case OpKind::kBatchMatMul: {
      const Shape& a = input(0);
      return product(outputs, op.as<BatchMatMulParams>().transpose_a ? a.back(1) : a.back(0));
    }
    default:
      return 0;
  }
}

}  // namespace pj
