#include "runtime/graph/op_table.h"

#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

// Operands of an operator that takes a list of them; far above any real model.
constexpr int32_t kManyOperands = 1 << 16;

struct Arity {
  int32_t min_inputs, max_inputs, first_parameter_input;
  int32_t min_outputs = 1, max_outputs = 1;
};

constexpr Arity arity_of(OpKind kind) {
  // `data`: inputs of which the last `optional` may be missing; `parameters` follow them.
  auto fixed = [](int32_t data, int32_t optional, int32_t parameters, int32_t outputs = 1) {
    return Arity{data - optional, data + parameters, data, outputs, outputs};
  };
  switch (kind) {
    case OpKind::kConv2D:
    case OpKind::kDepthwiseConv2D:
    case OpKind::kFullyConnected:
      return fixed(4, 2, 0);
    case OpKind::kTransposeConv2D:
      return fixed(3, 1, 0);
    case OpKind::kBatchMatMul:
    case OpKind::kBinary:
    case OpKind::kPRelu:
    case OpKind::kGather:
    case OpKind::kGatherNd:
      return fixed(2, 0, 0);
    case OpKind::kSelect:
    case OpKind::kLayerNorm:
      return fixed(3, 0, 0);
    case OpKind::kUnary:
    case OpKind::kSoftmax:
    case OpKind::kLogSoftmax:
    case OpKind::kL2Normalization:
    case OpKind::kPool2D:
    case OpKind::kArgReduce:
    case OpKind::kSqueeze:
    case OpKind::kShapeOf:
    case OpKind::kCast:
    case OpKind::kQuantize:
    case OpKind::kDequantize:
    case OpKind::kDepthToSpace:
    case OpKind::kSpaceToDepth:
      return fixed(1, 0, 0);
    case OpKind::kReduce:
    case OpKind::kReshape:
    case OpKind::kExpandDims:
    case OpKind::kTranspose:
    case OpKind::kTile:
    case OpKind::kBroadcastTo:
    case OpKind::kResize:
      return fixed(1, 0, 1);
    case OpKind::kSlice:
    case OpKind::kPad:
    case OpKind::kSpaceToBatch:
    case OpKind::kBatchToSpace:
      return fixed(1, 0, 2);
    case OpKind::kStridedSlice:
      return fixed(1, 0, 3);
    case OpKind::kConcat:
    case OpKind::kPack:
      return {1, kManyOperands, kManyOperands};
    case OpKind::kSplit:
      return {1, 2, 1, 1, kManyOperands};
    case OpKind::kUnpack:
      return {1, 1, 1, 1, kManyOperands};
    case OpKind::kTopK:
      return fixed(1, 0, 1, 2);
    case OpKind::kDetectionPostProcess:
      return fixed(3, 0, 0, 4);
  }
  return {};
}

constexpr OpInfo make_row(OpKind kind, decltype(OpInfo::validate) validate,
                          decltype(OpInfo::infer) infer) {
  const Arity a = arity_of(kind);
  const bool list = a.max_inputs == kManyOperands;
  // A list has no holes; the number actually present is checked there.
  const int32_t required = list ? 1 : a.min_inputs;
  return {kind,
          a.min_inputs,
          a.max_inputs,
          required,
          a.min_outputs,
          a.max_outputs,
          a.first_parameter_input,
          validate,
          infer};
}

constexpr OpInfo kTable[] = {
#define X(kind, name, params) make_row(OpKind::k##kind, &validate_##kind, &infer_##kind),
    PJ_OPERATORS(X)
#undef X
};

}  // namespace

const OpInfo& op_info(OpKind kind) { return kTable[static_cast<size_t>(kind)]; }

}  // namespace pj
