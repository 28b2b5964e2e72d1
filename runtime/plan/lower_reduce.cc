// Reductions over neighbouring dimensions, softmax and layer normalisation.
#include <cmath>

#include "kernels/reduce/reduce.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

// A shape as [outer, count, inner], where `count` are the dimensions that are reduced.
struct Folded {
  int64_t outer = 1, count = 1, inner = 1;
};

// Nothing if a dimension that stays lies between two that are reduced.
std::optional<Folded> fold(const Shape& shape, const Dims& axes) {
  bool reduced[kMaxRank] = {};
  for (int32_t axis : axes) reduced[normalize_axis(axis, shape.rank())] = true;
  Folded f;
  for (int32_t d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) continue;
    if (!axes.empty() && !reduced[d]) {
      (f.count == 1 ? f.outer : f.inner) *= shape[d];
    } else {
      if (f.inner > 1) return std::nullopt;
      f.count *= shape[d];
    }
  }
  return f;
}

std::optional<LoopNest> lower_fold(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const auto& a = op.as<ReduceParams>();
  if (a.fn == ReduceFn::kProd || elements(x.shape) == 0) return std::nullopt;
  const std::optional<Folded> f = fold(x.shape, a.axes);
  if (!f || f->outer > INT32_MAX || f->inner > INT32_MAX) return std::nullopt;
  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kReduce, x.dtype, y.dtype);
  if (nest.kernel < 0) return std::nullopt;

  ReduceKernelParams p = {};
  p.fn = static_cast<int32_t>(a.fn);
  p.count = f->count;
  p.inner = f->inner;
  if (x.dtype != DType::kF32) {
    const bool extreme = a.fn == ReduceFn::kMax || a.fn == ReduceFn::kMin;
    if (extreme) {
      if (x.quant != y.quant) return std::nullopt;
    } else {
      if (!is_quantized(x) || !is_quantized(y)) return std::nullopt;
      const float divisor = a.fn == ReduceFn::kMean ? static_cast<float>(f->count) : 1.0f;
      p.zero_point = x.quant.zero_point[0];
      p.scale = finite_ratio(x.quant.scale[0], y.quant.scale[0] * divisor);
      p.stage =
          make_output_stage(y.dtype, y.quant.scale[0], y.quant.zero_point[0], Activation::kNone);
    }
  }
  nest.params = params_bytes(p);
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  nest.extent[kRow] = static_cast<int32_t>(f->outer);
  nest.extent[kChannel] = static_cast<int32_t>(f->inner);
  Operand in = whole_operand(c, op.inputs[0]), out = whole_operand(c, op.outputs[0]);
  in.stride[kChannel] = out.stride[kChannel] = size;
  in.stride[kRow] = f->count * f->inner * size;
  out.stride[kRow] = f->inner * size;
  nest.in = {in};
  nest.out = {out};
  const bool by_rows = f->outer >= f->inner;
  cut(nest, by_rows ? kRow : kChannel, by_rows ? 1 : 64);
  return nest;
}

// A nest over the rows of the last dimension; P has its length as `count`.
template <typename P>
std::optional<LoopNest> finish_rows(const LowerContext& c, const Op& op, KernelClass cls, DType out,
                                    P params) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  LoopNest nest;
  nest.kernel = find_row(c, cls, x.dtype, out);
  if (nest.kernel < 0 || elements(x.shape) == 0) return std::nullopt;
  params.count = x.shape.empty() ? 1 : x.shape.back(0);
  nest.params = params_bytes(params);
  nest.extent[kRow] = static_cast<int32_t>(elements(x.shape) / params.count);
  nest.in = {whole_operand(c, op.inputs[0])};
  nest.out = {whole_operand(c, op.outputs[0])};
  nest.in[0].stride[kRow] = params.count * static_cast<int64_t>(size_of(x.dtype));
  nest.out[0].stride[kRow] = byte_size(y) / nest.extent[kRow];
  cut(nest, kRow);
  return nest;
}

std::optional<LoopNest> lower_softmax(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const bool integer = x.dtype != DType::kF32;
  if (elements(x.shape) == 0 || (integer && (!is_quantized(x) || !is_quantized(y))))
    return std::nullopt;
  SoftmaxKernelParams p = {};
  p.beta = op.as<SoftmaxParams>().beta;
  if (integer) {
    p.output_scale = y.quant.scale[0];
    p.zero_point = y.quant.zero_point[0];
    const IntRange range = range_of(y.dtype);
    p.qmin = range.min;
    p.high = static_cast<float>(range.max - p.zero_point);
    const float slope = -x.quant.scale[0] * p.beta;
    for (int d = 0; d < 256; ++d) p.table[d] = std::exp(slope * static_cast<float>(d));
  }
  return finish_rows(c, op, KernelClass::kSoftmax, y.dtype, p);
}

std::optional<LoopNest> lower_arg(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const auto& a = op.as<ArgReduceParams>();
  const int32_t axis = normalize_axis(a.axis, x.shape.rank());
  if (elements(x.shape, axis + 1, x.shape.rank()) != 1) return std::nullopt;
  // Dimensions of 1 behind the axis do not count.
  if (elements(x.shape) == 0 || x.shape[axis] != x.shape.back(0)) return std::nullopt;
  ArgReduceKernelParams p = {};
  p.maximum = a.maximum;
  p.index_bytes = static_cast<int32_t>(size_of(y.dtype));
  return finish_rows(c, op, KernelClass::kArgReduce, DType::kI32, p);
}

std::optional<LoopNest> lower_top_k(const LowerContext& c, const Op& op) {
  const Shape& y = c.tensor(op.outputs[0]).shape;
  if (elements(y) == 0) return std::nullopt;
  TopKKernelParams p = {};
  p.k = y.back(0);
  std::optional<LoopNest> nest =
      finish_rows(c, op, KernelClass::kTopK, c.tensor(op.outputs[0]).dtype, p);
  if (!nest) return std::nullopt;
  nest->out.push_back(whole_operand(c, op.outputs[1]));
  nest->out[1].stride[kRow] = p.k * static_cast<int64_t>(sizeof(int32_t));
  return nest;
}

std::optional<LoopNest> lower_quantized_normalize(const LowerContext& c, const Op& op,
                                                  NormalizeFn fn) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  if (!is_quantized(x) || !is_quantized(y)) return std::nullopt;
  QuantizedNormalizeParams p = {};
  p.fn = static_cast<int32_t>(fn);
  p.zero_x = x.quant.zero_point[0];
  p.zero_y = y.quant.zero_point[0];
  p.scale = x.quant.scale[0];
  p.inverse = 1.0f / y.quant.scale[0];
  for (int d = 0; d < 256; ++d) p.table[d] = std::exp(-p.scale * static_cast<float>(d));
  return finish_rows(c, op, KernelClass::kNormalize, y.dtype, p);
}

std::optional<LoopNest> lower_normalize(const LowerContext& c, const Op& op, NormalizeFn fn) {
  if (!is_float(c.tensor(op.inputs[0]).dtype)) return lower_quantized_normalize(c, op, fn);
  NormalizeKernelParams p = {};
  p.fn = static_cast<int32_t>(fn);
  return finish_rows(c, op, KernelClass::kNormalize, c.tensor(op.outputs[0]).dtype, p);
}

std::optional<LoopNest> lower_layer_norm(const LowerContext& c, const Op& op) {
  const Tensor& x = c.tensor(op.inputs[0]);
  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kLayerNorm, x.dtype, x.dtype);
  if (nest.kernel < 0 || elements(x.shape) == 0) return std::nullopt;
  LayerNormKernelParams p = {};
  p.count = x.shape.back(0);
  p.epsilon = op.as<LayerNormParams>().epsilon;
  nest.params = params_bytes(p);
  nest.extent[kRow] = static_cast<int32_t>(elements(x.shape) / p.count);
  for (TensorId id : op.inputs) nest.in.push_back(whole_operand(c, id));
  nest.out = {whole_operand(c, op.outputs[0])};
  nest.in[0].stride[kRow] = nest.out[0].stride[kRow] =
      p.count * static_cast<int64_t>(size_of(x.dtype));
  cut(nest, kRow);
  return nest;
}

}  // namespace

std::optional<LoopNest> lower_reduce(const LowerContext& c, const Op& op) {
  switch (op.kind) {
    case OpKind::kReduce:
      return lower_fold(c, op);
    case OpKind::kArgReduce:
      return lower_arg(c, op);
    case OpKind::kTopK:
      return lower_top_k(c, op);
    case OpKind::kSoftmax:
      return lower_softmax(c, op);
    case OpKind::kLogSoftmax:
      return lower_normalize(c, op, NormalizeFn::kLogSoftmax);
    case OpKind::kL2Normalization:
      return lower_normalize(c, op, NormalizeFn::kL2);
    case OpKind::kLayerNorm:
      return lower_layer_norm(c, op);
    default:
      return std::nullopt;
  }
}

}  // namespace pj
