// Operators that multiply and add: convolutions, matrix products, and pooling beside them.
#include <utility>

#include "converters/tflite/operators.h"

namespace pj {
namespace {

using B = tfl::BuiltinOperator;

// Both kinds of convolution have the same options, up to a redundant field.
template <OpKind kind, typename Options>
Status map_conv(const Node& node, Op& op) {
  PJ_ASSIGN(const Options* o, required_options<Options>(node));
  ParamsOf<kind> p;
  p.stride_h = o->stride_h();
  p.stride_w = o->stride_w();
  p.dilation_h = o->dilation_h_factor();
  p.dilation_w = o->dilation_w_factor();
  PJ_ASSIGN(p.padding, import_padding(o->padding()));
  PJ_ASSIGN(p.activation, import_activation(o->fused_activation_function()));
  return set<kind>(op, p);
}

// File: output shape, weights, x, bias. Ours: x, weights, bias, with the size as an attribute.
Status map_transpose_conv(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::TransposeConvOptions* o, required_options<tfl::TransposeConvOptions>(node));
  PJ_ASSIGN(const Dims size, constant_ints(node, op, 0, "output shape"));
  if (size.count != 4) {
    return error(ErrorCode::kModelInvalid, "the output shape has {} dimensions; it must have 4",
                 size.count);
  }
  PJ_TRY(require_input(op, 1, "weights"));
  PJ_TRY(require_input(op, 2, "x"));
  TransposeConv2DParams p;
  p.stride_h = o->stride_h();
  p.stride_w = o->stride_w();
  p.out_h = size[1];
  p.out_w = size[2];
  PJ_ASSIGN(p.padding, import_padding(o->padding()));
  PJ_ASSIGN(p.activation, import_activation(o->fused_activation_function()));
  op.inputs.erase(op.inputs.begin());
  std::swap(op.inputs[0], op.inputs[1]);
  return set<OpKind::kTransposeConv2D>(op, p);
}

Status map_fully_connected(const Node& node, Op& op) {
  FullyConnectedParams p;
  if (const auto* o = node.options<tfl::FullyConnectedOptions>()) {
    if (o->weights_format() != tfl::FullyConnectedOptionsWeightsFormat::DEFAULT)
      return error(ErrorCode::kModelUnsupported, "shuffled weights");
    p.keep_dims = o->keep_num_dims();
    PJ_ASSIGN(p.activation, import_activation(o->fused_activation_function()));
  }
  return set<OpKind::kFullyConnected>(op, p);
}

Status map_batch_matmul(const Node& node, Op& op) {
  BatchMatMulParams p;
  if (const auto* o = node.options<tfl::BatchMatMulOptions>()) {
    p.transpose_a = o->adj_x();
    p.transpose_b = o->adj_y();
  }
  return set<OpKind::kBatchMatMul>(op, p);
}

template <PoolFn fn>
Status map_pool(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::Pool2DOptions* o, required_options<tfl::Pool2DOptions>(node));
  Pool2DParams p;
  p.fn = fn;
  p.kernel_h = o->filter_height();
  p.kernel_w = o->filter_width();
  p.stride_h = o->stride_h();
  p.stride_w = o->stride_w();
  PJ_ASSIGN(p.padding, import_padding(o->padding()));
  PJ_ASSIGN(p.activation, import_activation(o->fused_activation_function()));
  return set<OpKind::kPool2D>(op, p);
}

constexpr BuiltinRow kRows[] = {
    {B::CONV_2D, map_conv<OpKind::kConv2D, tfl::Conv2DOptions>},
    {B::DEPTHWISE_CONV_2D, map_conv<OpKind::kDepthwiseConv2D, tfl::DepthwiseConv2DOptions>},
    {B::TRANSPOSE_CONV, map_transpose_conv},
    {B::FULLY_CONNECTED, map_fully_connected},
    {B::BATCH_MATMUL, map_batch_matmul},
    {B::AVERAGE_POOL_2D, map_pool<PoolFn::kAverage>},
    {B::MAX_POOL_2D, map_pool<PoolFn::kMax>},
};

}  // namespace

std::span<const BuiltinRow> matrix_operators() { return kRows; }

}  // namespace pj
