// Operators that compute element by element or along one axis: arithmetic, activations, reductions,
// changes of type.
#include "converters/tflite/operators.h"

namespace pj {
namespace {

using B = tfl::BuiltinOperator;

template <BinaryFn fn>
Status map_binary(const Node&, Op& op) {
  return set<OpKind::kBinary>(op, {fn, Activation::kNone});
}

template <BinaryFn fn, typename Options>
Status map_arithmetic(const Node& node, Op& op) {
  BinaryParams p{fn, Activation::kNone};
  if (const auto* o = node.options<Options>()) {
    PJ_ASSIGN(p.activation, import_activation(o->fused_activation_function()));
  }
  return set<OpKind::kBinary>(op, p);
}

template <UnaryFn fn>
Status map_unary(const Node&, Op& op) {
  return set<OpKind::kUnary>(op, {fn, 0});
}

Status map_gelu(const Node& node, Op& op) {
  const auto* o = node.options<tfl::GeluOptions>();
  const bool approximate = o != nullptr && o->approximate();
  return set<OpKind::kUnary>(op, {approximate ? UnaryFn::kGeluTanh : UnaryFn::kGelu, 0});
}

Status map_leaky_relu(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::LeakyReluOptions* o, required_options<tfl::LeakyReluOptions>(node));
  return set<OpKind::kUnary>(op, {UnaryFn::kLeakyRelu, o->alpha()});
}

// SELECT chooses whole rows where the condition is a vector, SELECT_V2 broadcasts as we do. The two
// agree unless a vector meets operands of more dimensions.
Status map_select(const Node& node, Op& op) {
  PJ_TRY(require_input(op, 0, "condition"));
  PJ_TRY(require_input(op, 1, "x"));
  const Shape& condition = node.graph.tensor(op.inputs[0]).shape;
  const Shape& x = node.graph.tensor(op.inputs[1]).shape;
  if (condition.rank() == 1 && x.rank() > 1 && condition[0] != 1) {
    return error(ErrorCode::kModelUnsupported,
                 "a condition of shape {} that chooses whole rows of {}", to_string(condition),
                 to_string(x));
  }
  return set<OpKind::kSelect>(op, {});
}

Status map_softmax(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::SoftmaxOptions* o, required_options<tfl::SoftmaxOptions>(node));
  return set<OpKind::kSoftmax>(op, {o->beta()});
}

Status map_l2_normalization(const Node& node, Op& op) {
  if (const auto* o = node.options<tfl::L2NormOptions>()) {
    PJ_ASSIGN(const Activation a, import_activation(o->fused_activation_function()));
    if (a != Activation::kNone)
      return error(ErrorCode::kModelUnsupported, "fused activation {}", name_of(a));
  }
  return set<OpKind::kL2Normalization>(op, {});
}

template <ReduceFn fn>
Status map_reduce(const Node& node, Op& op) {
  PJ_TRY(require_input(op, 1, "axes"));
  ReduceParams p;
  p.fn = fn;
  const auto* o = node.options<tfl::ReducerOptions>();
  p.keep_dims = o != nullptr && o->keep_dims();
  return set<OpKind::kReduce>(op, p);
}

template <bool maximum>
Status map_arg_reduce(const Node& node, Op& op) {
  PJ_ASSIGN(const int32_t axis, constant_int(node, op, 1, "axis"));
  op.inputs.resize(1);
  return set<OpKind::kArgReduce>(op, {maximum, axis, false});
}

constexpr BuiltinRow kRows[] = {
    {B::ADD, map_arithmetic<BinaryFn::kAdd, tfl::AddOptions>},
    {B::SUB, map_arithmetic<BinaryFn::kSub, tfl::SubOptions>},
    {B::MUL, map_arithmetic<BinaryFn::kMul, tfl::MulOptions>},
    {B::DIV, map_arithmetic<BinaryFn::kDiv, tfl::DivOptions>},
    {B::MINIMUM, map_binary<BinaryFn::kMinimum>},
    {B::MAXIMUM, map_binary<BinaryFn::kMaximum>},
    {B::SQUARED_DIFFERENCE, map_binary<BinaryFn::kSquaredDifference>},
    {B::POW, map_binary<BinaryFn::kPow>},
    {B::FLOOR_DIV, map_binary<BinaryFn::kFloorDiv>},
    {B::FLOOR_MOD, map_binary<BinaryFn::kFloorMod>},
    {B::EQUAL, map_binary<BinaryFn::kEqual>},
    {B::NOT_EQUAL, map_binary<BinaryFn::kNotEqual>},
    {B::LESS, map_binary<BinaryFn::kLess>},
    {B::LESS_EQUAL, map_binary<BinaryFn::kLessEqual>},
    {B::GREATER, map_binary<BinaryFn::kGreater>},
    {B::GREATER_EQUAL, map_binary<BinaryFn::kGreaterEqual>},
    {B::LOGICAL_AND, map_binary<BinaryFn::kLogicalAnd>},
    {B::LOGICAL_OR, map_binary<BinaryFn::kLogicalOr>},

    {B::ABS, map_unary<UnaryFn::kAbs>},
    {B::NEG, map_unary<UnaryFn::kNeg>},
    {B::EXP, map_unary<UnaryFn::kExp>},
    {B::LOG, map_unary<UnaryFn::kLog>},
    {B::SQRT, map_unary<UnaryFn::kSqrt>},
    {B::RSQRT, map_unary<UnaryFn::kRsqrt>},
    {B::SQUARE, map_unary<UnaryFn::kSquare>},
    {B::SIN, map_unary<UnaryFn::kSin>},
    {B::COS, map_unary<UnaryFn::kCos>},
    {B::TANH, map_unary<UnaryFn::kTanh>},
    {B::LOGISTIC, map_unary<UnaryFn::kLogistic>},
    {B::RELU, map_unary<UnaryFn::kRelu>},
    {B::RELU6, map_unary<UnaryFn::kRelu6>},
    {B::RELU_N1_TO_1, map_unary<UnaryFn::kReluN1To1>},
    {B::ELU, map_unary<UnaryFn::kElu>},
    {B::GELU, map_gelu},
    {B::HARD_SWISH, map_unary<UnaryFn::kHardSwish>},
    {B::LEAKY_RELU, map_leaky_relu},
    {B::FLOOR, map_unary<UnaryFn::kFloor>},
    {B::CEIL, map_unary<UnaryFn::kCeil>},
    {B::ROUND, map_unary<UnaryFn::kRound>},
    {B::LOGICAL_NOT, map_unary<UnaryFn::kLogicalNot>},

    {B::PRELU, map_plain<OpKind::kPRelu>},
    {B::SELECT, map_select},
    {B::SELECT_V2, map_plain<OpKind::kSelect>},

    {B::SOFTMAX, map_softmax},
    {B::LOG_SOFTMAX, map_plain<OpKind::kLogSoftmax>},
    {B::L2_NORMALIZATION, map_l2_normalization},
    {B::MEAN, map_reduce<ReduceFn::kMean>},
    {B::SUM, map_reduce<ReduceFn::kSum>},
    {B::REDUCE_MAX, map_reduce<ReduceFn::kMax>},
    {B::REDUCE_MIN, map_reduce<ReduceFn::kMin>},
    {B::REDUCE_PROD, map_reduce<ReduceFn::kProd>},
    {B::ARG_MAX, map_arg_reduce<true>},
    {B::ARG_MIN, map_arg_reduce<false>},

    {B::CAST, map_plain<OpKind::kCast>},
    {B::QUANTIZE, map_plain<OpKind::kQuantize>},
    {B::DEQUANTIZE, map_plain<OpKind::kDequantize>},
};

}  // namespace

std::span<const BuiltinRow> elementwise_operators() { return kRows; }

}  // namespace pj
