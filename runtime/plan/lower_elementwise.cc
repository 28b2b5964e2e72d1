// Operators that compute each element of the output from one element of each input.
#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/common/quantized_convert.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/pool/pool.h"
#include "kernels/reference/unary_table.h"
#include "kernels/reference/view.h"
#include "runtime/passes/evaluate.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

bool is_byte(DType t) { return t == DType::kI8 || t == DType::kU8; }

// The loops and operands of an elementwise kernel.
struct Frame {
  LoopNest nest;
  ElementStrides strides = {};
};

// Nothing if the shapes do not broadcast in four dimensions, or there is nothing to compute.
std::optional<Frame> make_frame(const LowerContext& c, const Op& op, size_t inputs) {
  const Tensor& y = c.tensor(op.outputs[0]);
  if (elements(y.shape) == 0) return std::nullopt;
  // Inputs first, then the output. A missing second input walks like the output.
  constexpr size_t kOut = kElementwiseInputs;
  std::array<ref::Strides, kOut + 1> strides;
  strides.fill(ref::contiguous_strides(y.shape));
  bool same = true;
  for (size_t k = 0; k < inputs; ++k) {
    const Shape& shape = c.tensor(op.inputs[k]).shape;
    if (shape == y.shape) continue;
    same = false;
    strides[k] = ref::broadcast_strides(shape, y.shape);
  }
  // Images of the same shape keep their rows: bands work by rows.
  Shape shape = y.shape;
  if (!same || shape.rank() != kDimCount) ref::collapse(shape, strides);
  if (shape.rank() > kDimCount) return std::nullopt;

  Frame f;
  auto size_in = [&](size_t k) {
    const Tensor& t = k == kOut ? y : c.tensor(op.inputs[std::min(k, inputs - 1)]);
    return static_cast<int64_t>(size_of(t.dtype));
  };
  for (size_t k = 0; k <= kOut; ++k) {
    int64_t* to = k == kOut ? f.strides.out : f.strides.in[k];
    if (shape.empty()) to[kChannel] = size_in(k);
    for (int32_t d = 0; d < shape.rank(); ++d)
      to[kDimCount - shape.rank() + d] = strides[k][static_cast<size_t>(d)] * size_in(k);
  }
  for (int32_t d = 0; d < shape.rank(); ++d) f.nest.extent[kDimCount - shape.rank() + d] = shape[d];
  for (size_t k = 0; k < inputs; ++k) {
    f.nest.in.push_back(whole_operand(c, op.inputs[k]));
    std::copy_n(f.strides.in[k], kDimCount, f.nest.in[k].stride);
  }
  f.nest.out.push_back(whole_operand(c, op.outputs[0]));
  std::copy_n(f.strides.out, kDimCount, f.nest.out[0].stride);
  const auto longest =
      static_cast<Dim>(std::max_element(f.nest.extent, f.nest.extent + kDimCount) - f.nest.extent);
  const Dim cut_dim = same && shape.rank() == kDimCount && shape[kRow] > 1 ? kRow : longest;
  // Whole vectors of bytes, where the last dimension is cut.
  cut(f.nest, cut_dim, cut_dim == kChannel ? 64 : 1);
  return f;
}

// The nest of a frame with a kernel and its parameters; P has the strides as `strides`.
template <typename P>
std::optional<LoopNest> finish(Frame& f, KernelId kernel, P params) {
  if (kernel < 0) return std::nullopt;
  params.strides = f.strides;
  f.nest.kernel = kernel;
  f.nest.params = params_bytes(params);
  return std::move(f.nest);
}

ScaleAndZero quant_of(const Tensor& t) { return {t.quant.scale[0], t.quant.zero_point[0]}; }

std::optional<FloatBinaryFn> float_function(BinaryFn fn) {
  switch (fn) {
    case BinaryFn::kAdd:
      return FloatBinaryFn::kAdd;
    case BinaryFn::kSub:
      return FloatBinaryFn::kSub;
    case BinaryFn::kMul:
      return FloatBinaryFn::kMul;
    case BinaryFn::kDiv:
      return FloatBinaryFn::kDiv;
    case BinaryFn::kMinimum:
      return FloatBinaryFn::kMinimum;
    case BinaryFn::kMaximum:
      return FloatBinaryFn::kMaximum;
    case BinaryFn::kSquaredDifference:
      return FloatBinaryFn::kSquaredDifference;
    default:
      return std::nullopt;
  }
}

std::optional<FloatUnaryFn> float_function(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::kAbs:
      return FloatUnaryFn::kAbs;
    case UnaryFn::kNeg:
      return FloatUnaryFn::kNeg;
    case UnaryFn::kSquare:
      return FloatUnaryFn::kSquare;
    case UnaryFn::kSqrt:
      return FloatUnaryFn::kSqrt;
    case UnaryFn::kRsqrt:
      return FloatUnaryFn::kRsqrt;
    case UnaryFn::kExp:
      return FloatUnaryFn::kExp;
    case UnaryFn::kLog:
      return FloatUnaryFn::kLog;
    case UnaryFn::kTanh:
      return FloatUnaryFn::kTanh;
    case UnaryFn::kLogistic:
      return FloatUnaryFn::kLogistic;
    case UnaryFn::kRelu:
      return FloatUnaryFn::kRelu;
    case UnaryFn::kRelu6:
      return FloatUnaryFn::kRelu6;
    case UnaryFn::kReluN1To1:
      return FloatUnaryFn::kReluN1To1;
    case UnaryFn::kElu:
      return FloatUnaryFn::kElu;
    case UnaryFn::kGeluTanh:
      return FloatUnaryFn::kGeluTanh;
    case UnaryFn::kHardSwish:
      return FloatUnaryFn::kHardSwish;
    case UnaryFn::kLeakyRelu:
      return FloatUnaryFn::kLeakyRelu;
    case UnaryFn::kSilu:
      return FloatUnaryFn::kSilu;
    case UnaryFn::kGelu:
      return FloatUnaryFn::kGelu;
    case UnaryFn::kFloor:
      return FloatUnaryFn::kFloor;
    case UnaryFn::kCeil:
      return FloatUnaryFn::kCeil;
    case UnaryFn::kRound:
      return FloatUnaryFn::kRound;
    default:
      return std::nullopt;
  }
}

std::optional<LoopNest> lower_float_unary(const LowerContext& c, const Op& op, FloatUnaryFn fn,
                                          float alpha = 0) {
  std::optional<Frame> f = make_frame(c, op, 1);
  if (!f) return std::nullopt;
  FloatUnaryParams p = {};
  p.fn = static_cast<int32_t>(fn);
  p.alpha = alpha;
  const DType type = c.tensor(op.inputs[0]).dtype;
  return finish(*f, find_row(c, KernelClass::kUnary, type, type), p);
}

std::optional<LoopNest> lower_float_binary(const LowerContext& c, const Op& op, FloatBinaryFn fn,
                                           Activation activation) {
  std::optional<Frame> f = make_frame(c, op, 2);
  if (!f) return std::nullopt;
  const ActivationLimits limits = limits_of(activation);
  FloatBinaryParams p = {};
  p.fn = static_cast<int32_t>(fn);
  p.low = limits.low;
  p.high = limits.high;
  const DType type = c.tensor(op.inputs[0]).dtype;
  return finish(*f, find_row(c, KernelClass::kBinary, type, type), p);
}

// x^2 and x^3 with the exponent as a constant are products.
std::optional<LoopNest> lower_power(const LowerContext& c, const Op& op) {
  const Tensor& exponent = c.tensor(op.inputs[1]);
  const bool known = exponent.constant && elements(exponent.shape) == 1 &&
                     c.tensor(op.inputs[0]).shape == c.tensor(op.outputs[0]).shape &&
                     op.as<BinaryParams>().activation == Activation::kNone;
  if (!known) return std::nullopt;
  const float e = exponent.as<float>()[0];
  if (e == 2) return lower_float_unary(c, op, FloatUnaryFn::kSquare);
  if (e == 3) return lower_float_unary(c, op, FloatUnaryFn::kCube);
  return std::nullopt;
}

bool means_the_same(const Tensor& a, const Tensor& b) {
  const OperandDesc da = operand_of(a), db = operand_of(b);
  return da.scale == db.scale && da.zero_point == db.zero_point;
}

// Types whose numbers kernels/elementwise/numbers.h computes with.
bool is_number(DType t) { return t != DType::kI64; }

NumbersParams numbers_params(const LowerContext& c, const Op& op, NumbersFn fn, bool real) {
  const Tensor& y = c.tensor(op.outputs[0]);
  NumbersParams p = {};
  p.inputs = static_cast<int32_t>(op.inputs.size());
  p.fn = static_cast<int32_t>(fn);
  p.real = real ? 1 : 0;
  p.out_type = static_cast<int32_t>(y.dtype);
  for (size_t k = 0; k < op.inputs.size(); ++k) {
    const Tensor& x = c.tensor(op.inputs[k]);
    p.type[k] = static_cast<int32_t>(x.dtype);
    // A cast takes numbers as they are stored.
    const bool scaled = real && op.kind == OpKind::kBinary && is_quantized(x);
    p.scale[k] = scaled ? x.quant.scale[0] : 1.0f;
    p.zero_point[k] = scaled ? x.quant.zero_point[0] : 0;
  }
  const IntRange range = range_of(y.dtype);
  p.low = static_cast<float>(range.min);
  p.high = static_cast<float>(range.max);
  p.out_scale = 1.0f;
  p.truncates = 1;
  p.least = INT32_MIN;
  p.most = INT32_MAX;
  return p;
}

std::optional<LoopNest> lower_numbers(const LowerContext& c, const Op& op, const NumbersParams& p) {
  std::optional<Frame> f = make_frame(c, op, op.inputs.size());
  if (!f) return std::nullopt;
  return finish(*f, find_row(c, KernelClass::kNumbers, DType::kU8, DType::kU8), p);
}

std::optional<LoopNest> lower_comparison(const LowerContext& c, const Op& op) {
  const Tensor &a = c.tensor(op.inputs[0]), &b = c.tensor(op.inputs[1]);
  if (!is_number(a.dtype)) return std::nullopt;
  // The order of the stored numbers is that of the real values, unless they mean different things.
  const bool scaled = is_byte(a.dtype) || a.dtype == DType::kI16;
  const bool real = is_float(a.dtype) || (scaled && !means_the_same(a, b));
  auto compare = [&](NumbersFn fn) {
    return lower_numbers(c, op, numbers_params(c, op, fn, real));
  };
  auto reversed = [&](NumbersFn fn) {
    Op swapped = op;
    std::swap(swapped.inputs[0], swapped.inputs[1]);
    return lower_numbers(c, swapped, numbers_params(c, swapped, fn, real));
  };
  // Of bools, which are 0 and 1 here.
  auto extreme = [&](FloatBinaryFn fn) {
    NumbersParams p = numbers_params(c, op, NumbersFn::kArithmetic, false);
    p.arithmetic = static_cast<int32_t>(fn);
    return lower_numbers(c, op, p);
  };
  switch (op.as<BinaryParams>().fn) {
    case BinaryFn::kEqual:
      return compare(NumbersFn::kEqual);
    case BinaryFn::kNotEqual:
      return compare(NumbersFn::kNotEqual);
    case BinaryFn::kLess:
      return compare(NumbersFn::kLess);
    case BinaryFn::kLessEqual:
      return compare(NumbersFn::kLessEqual);
    case BinaryFn::kGreater:
      return reversed(NumbersFn::kLess);
    case BinaryFn::kGreaterEqual:
      return reversed(NumbersFn::kLessEqual);
    case BinaryFn::kLogicalAnd:
      return extreme(FloatBinaryFn::kMinimum);
    case BinaryFn::kLogicalOr:
      return extreme(FloatBinaryFn::kMaximum);
    default:
      return std::nullopt;
  }
}

// Arithmetic on int32.
std::optional<LoopNest> lower_whole_arithmetic(const LowerContext& c, const Op& op) {
  const auto& params = op.as<BinaryParams>();
  const std::optional<FloatBinaryFn> fn = float_function(params.fn);
  if (!fn || *fn == FloatBinaryFn::kDiv) return std::nullopt;
  NumbersParams p = numbers_params(c, op, NumbersFn::kArithmetic, false);
  p.arithmetic = static_cast<int32_t>(*fn);
  const ActivationLimits limits = limits_of(params.activation);
  if (!std::isinf(limits.low)) p.least = static_cast<int32_t>(limits.low);
  if (!std::isinf(limits.high)) p.most = static_cast<int32_t>(limits.high);
  return lower_numbers(c, op, p);
}

// Functions of quantised numbers that have no rule of their own: through their real values.
std::optional<LoopNest> lower_through_reals(const LowerContext& c, const Op& op) {
  const Tensor& y = c.tensor(op.outputs[0]);
  const auto& params = op.as<BinaryParams>();
  const std::optional<FloatBinaryFn> fn = float_function(params.fn);
  if (!fn) return std::nullopt;
  NumbersParams p = numbers_params(c, op, NumbersFn::kArithmetic, true);
  p.arithmetic = static_cast<int32_t>(*fn);
  const OutputStage stage =
      make_output_stage(y.dtype, y.quant.scale[0], y.quant.zero_point[0], params.activation);
  p.out_scale = 1.0f / y.quant.scale[0];
  p.low = stage.low;
  p.high = stage.high;
  p.out_zero_point = stage.zero_point;
  p.truncates = 0;
  return lower_numbers(c, op, p);
}

std::optional<LoopNest> lower_binary(const LowerContext& c, const Op& op) {
  const Tensor &a = c.tensor(op.inputs[0]), &b = c.tensor(op.inputs[1]);
  const Tensor& y = c.tensor(op.outputs[0]);
  const auto& params = op.as<BinaryParams>();
  if (gives_bool(params.fn)) return lower_comparison(c, op);
  if (is_float(a.dtype)) {
    if (params.fn == BinaryFn::kPow) return lower_power(c, op);
    const std::optional<FloatBinaryFn> fn = float_function(params.fn);
    return fn ? lower_float_binary(c, op, *fn, params.activation) : std::nullopt;
  }
  if (y.dtype == DType::kI32) return lower_whole_arithmetic(c, op);
  if (!is_byte(y.dtype) || !is_quantized(a) || !is_quantized(b) || !is_quantized(y))
    return std::nullopt;
  const ScaleAndZero qa = quant_of(a), qb = quant_of(b), qy = quant_of(y);
  std::optional<Frame> f = make_frame(c, op, 2);
  if (!f) return std::nullopt;
  switch (params.fn) {
    case BinaryFn::kAdd:
    case BinaryFn::kSub: {
      SumParams p = {};
      p.rule = prepare_quantized_add(qa, qb, qy, y.dtype, params.activation,
                                     params.fn == BinaryFn::kSub);
      return finish(*f, find_row(c, KernelClass::kSum, y.dtype, y.dtype), p);
    }
    case BinaryFn::kMul: {
      ProductParams p = {};
      p.zero_a = qa.zero_point;
      p.zero_b = qb.zero_point;
      p.scale = requantization_scale(qa.scale, qb.scale, qy.scale);
      p.stage = make_output_stage(y.dtype, qy.scale, qy.zero_point, params.activation);
      return finish(*f, find_row(c, KernelClass::kProduct, y.dtype, y.dtype), p);
    }
    case BinaryFn::kMinimum:
    case BinaryFn::kMaximum: {
      if (!means_the_same(a, b) || !means_the_same(a, y)) return lower_through_reals(c, op);
      const OutputStage stage =
          make_output_stage(y.dtype, qy.scale, qy.zero_point, params.activation);
      ExtremeParams p = {};
      p.minimum = params.fn == BinaryFn::kMinimum;
      p.low = static_cast<int32_t>(stage.low) + stage.zero_point;
      p.high = static_cast<int32_t>(stage.high) + stage.zero_point;
      return finish(*f, find_row(c, KernelClass::kExtreme, y.dtype, y.dtype), p);
    }
    default:
      return lower_through_reals(c, op);
  }
}

std::optional<LoopNest> lower_prelu(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &alpha = c.tensor(op.inputs[1]);
  const Tensor& y = c.tensor(op.outputs[0]);
  if (is_float(x.dtype) && alpha.dtype == x.dtype)
    return lower_float_binary(c, op, FloatBinaryFn::kPRelu, Activation::kNone);
  if (!is_byte(x.dtype) || !is_quantized(x) || !is_quantized(alpha) || !is_quantized(y))
    return std::nullopt;
  std::optional<Frame> f = make_frame(c, op, 2);
  if (!f) return std::nullopt;
  const ScaleAndZero qx = quant_of(x), qa = quant_of(alpha), qy = quant_of(y);
  QuantizedPReluParams p = {};
  p.zero_x = qx.zero_point;
  p.zero_alpha = qa.zero_point;
  p.positive = finite_ratio(qx.scale, qy.scale);
  p.negative = requantization_scale(qx.scale, qa.scale, qy.scale);
  p.stage = make_output_stage(y.dtype, qy.scale, qy.zero_point, Activation::kNone);
  return finish(*f, find_row(c, KernelClass::kPRelu, x.dtype, y.dtype), p);
}

std::optional<LoopNest> lower_table(const LowerContext& c, const Op& op, const TableParams& p) {
  std::optional<Frame> f = make_frame(c, op, 1);
  if (!f) return std::nullopt;
  return finish(*f, find_row(c, KernelClass::kTable, DType::kU8, DType::kU8), p);
}

std::optional<LoopNest> lower_unary(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const auto& params = op.as<UnaryParams>();
  if (is_float(x.dtype)) {
    const std::optional<FloatUnaryFn> fn = float_function(params.fn);
    return fn ? lower_float_unary(c, op, *fn, params.alpha) : std::nullopt;
  }
  // A bool is not true where it equals the 0 of the missing second input.
  if (params.fn == UnaryFn::kLogicalNot)
    return lower_numbers(c, op, numbers_params(c, op, NumbersFn::kEqual, false));
  if (!is_byte(x.dtype) || !is_byte(y.dtype) || !is_quantized(x) || !is_quantized(y))
    return std::nullopt;
  TableParams p = {};
  make_unary_table(params, operand_of(x), operand_of(y), p.table);
  return lower_table(c, op, p);
}

std::optional<LoopNest> lower_quantize(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  if (!is_byte(y.dtype) || !is_quantized(y)) return std::nullopt;
  const ScaleAndZero to = quant_of(y);
  if (is_byte(x.dtype) && is_quantized(x)) {
    const ScaleAndZero from = quant_of(x);
    const QuantizedConvert rule = prepare_quantized_convert(x.dtype, from.scale, from.zero_point,
                                                            y.dtype, to.scale, to.zero_point);
    TableParams p = {};
    for (int32_t i = 0; i < 256; ++i) {
      const int32_t q = x.dtype == DType::kI8 ? static_cast<int8_t>(i) : i;
      p.table[i] = static_cast<uint8_t>(quantized_convert(rule, q));
    }
    return lower_table(c, op, p);
  }
  std::optional<Frame> f = make_frame(c, op, 1);
  if (!f) return std::nullopt;
  ConvertParams p = {};
  p.scale = 1.0f / to.scale;
  p.zero_point = to.zero_point;
  return finish(*f, find_row(c, KernelClass::kQuantize, x.dtype, y.dtype), p);
}

std::optional<LoopNest> lower_dequantize(const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  if (!is_byte(x.dtype) || !is_quantized(x)) return std::nullopt;
  std::optional<Frame> f = make_frame(c, op, 1);
  if (!f) return std::nullopt;
  ConvertParams p = {};
  p.scale = x.quant.scale[0];
  p.zero_point = x.quant.zero_point[0];
  return finish(*f, find_row(c, KernelClass::kDequantize, x.dtype, y.dtype), p);
}

std::optional<LoopNest> lower_cast(const LowerContext& c, const Op& op) {
  const DType from = c.tensor(op.inputs[0]).dtype, to = c.tensor(op.outputs[0]).dtype;
  if (is_float(from) && is_float(to)) {
    std::optional<Frame> f = make_frame(c, op, 1);
    if (!f) return std::nullopt;
    const KernelClass cls = to == DType::kF16 ? KernelClass::kQuantize : KernelClass::kDequantize;
    if (auto nest = finish(*f, find_row(c, cls, from, to), ConvertParams{})) return nest;
  }
  // Between whole numbers of 64 bits and floats, all 64 count; whether they are 0, too.
  const bool wide = from == DType::kI64 || to == DType::kI64;
  if (wide && (from == to || is_float(from) || is_float(to) || to == DType::kBool))
    return std::nullopt;
  const NumbersFn fn = to == DType::kBool ? NumbersFn::kNotEqual : NumbersFn::kNone;
  return lower_numbers(c, op, numbers_params(c, op, fn, is_float(from) || is_float(to)));
}

std::optional<LoopNest> lower_select(const LowerContext& c, const Op& op) {
  std::optional<Frame> f = make_frame(c, op, 3);
  const size_t size = size_of(c.tensor(op.outputs[0]).dtype);
  if (!f || (size != 1 && size != 4)) return std::nullopt;
  const DType type = size == 1 ? DType::kI8 : DType::kI32;
  return finish(*f, find_row(c, KernelClass::kSelect, type, type), SelectParams{});
}

// Functions that kernels/elementwise/half.h has.
bool has_half_function(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::kAbs:
    case UnaryFn::kNeg:
    case UnaryFn::kSquare:
    case UnaryFn::kSqrt:
    case UnaryFn::kLogistic:
    case UnaryFn::kSilu:
    case UnaryFn::kRelu:
    case UnaryFn::kRelu6:
    case UnaryFn::kReluN1To1:
    case UnaryFn::kHardSwish:
    case UnaryFn::kLeakyRelu:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool has_half_kernel(const Op& op) {
  switch (op.kind) {
    case OpKind::kBinary:
      return float_function(op.as<BinaryParams>().fn).has_value();
    case OpKind::kUnary:
      return has_half_function(op.as<UnaryParams>().fn);
    case OpKind::kPool2D: {
      const auto& p = op.as<Pool2DParams>();
      return int64_t{p.kernel_h} * p.kernel_w <= kMaxPoolArea;
    }
    case OpKind::kPRelu:
    case OpKind::kResize:
      return true;
    default:
      return false;
  }
}

std::optional<LoopNest> lower_elementwise(const LowerContext& c, const Op& op) {
  switch (op.kind) {
    case OpKind::kBinary:
      return lower_binary(c, op);
    case OpKind::kUnary:
      return lower_unary(c, op);
    case OpKind::kPRelu:
      return lower_prelu(c, op);
    case OpKind::kQuantize:
      return lower_quantize(c, op);
    case OpKind::kDequantize:
      return lower_dequantize(c, op);
    case OpKind::kCast:
      return lower_cast(c, op);
    case OpKind::kSelect:
      return lower_select(c, op);
    default:
      return std::nullopt;
  }
}

}  // namespace pj
