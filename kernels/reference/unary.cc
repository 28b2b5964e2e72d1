// Functions of one argument, element by element.
//
// Floats: NaN gives NaN everywhere, also through the ReLUs. At the infinities the limits hold where
// the formula has one: logistic(-inf) is 0, tanh(inf) is 1; hard_swish, gelu and silu of -inf are
// NaN, as the product of 0 and infinity is. Square roots and logarithms of negative numbers are
// NaN. Integers (abs, neg, square, relu on int32 and int64): modulo 2^n.
#include <cmath>
#include <numbers>

#include "kernels/common/quantized_convert.h"
#include "kernels/common/quantized_hard_swish.h"
#include "kernels/reference/binary_functions.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/unary_table.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// R is float for tensors of floats, double for the tables of quantised ones.
template <typename R>
R gelu_tanh(R x) {
  const R inner = std::sqrt(2 / std::numbers::pi_v<R>) * (x + static_cast<R>(0.044715) * x * x * x);
  return static_cast<R>(0.5) * x * (1 + std::tanh(inner));
}

template <typename R>
R clamp_real(R x, R low, R high) {
  return std::min(std::max(x, low), high);
}

// Calls f with the function that computes `params.fn` on real numbers.
template <typename R, typename F>
void visit_real_function(const UnaryParams& params, F&& f) {
  const R alpha = params.alpha;
  switch (params.fn) {
    case UnaryFn::kAbs:
      return f([](R x) { return std::abs(x); });
    case UnaryFn::kNeg:
      return f([](R x) { return -x; });
    case UnaryFn::kExp:
      return f([](R x) { return std::exp(x); });
    case UnaryFn::kLog:
      return f([](R x) { return std::log(x); });
    case UnaryFn::kSqrt:
      return f([](R x) { return std::sqrt(x); });
    case UnaryFn::kRsqrt:
      return f([](R x) { return 1 / std::sqrt(x); });
    case UnaryFn::kSquare:
      return f([](R x) { return x * x; });
    case UnaryFn::kSin:
      return f([](R x) { return std::sin(x); });
    case UnaryFn::kCos:
      return f([](R x) { return std::cos(x); });
    case UnaryFn::kTanh:
      return f([](R x) { return std::tanh(x); });
    case UnaryFn::kLogistic:
      return f([](R x) { return 1 / (1 + std::exp(-x)); });
    case UnaryFn::kRelu:
      return f([](R x) { return std::max(x, R{0}); });
    case UnaryFn::kRelu6:
      return f([](R x) { return clamp_real(x, R{0}, R{6}); });
    case UnaryFn::kReluN1To1:
      return f([](R x) { return clamp_real(x, R{-1}, R{1}); });
    case UnaryFn::kElu:
      return f([](R x) { return x < 0 ? std::expm1(x) : x; });
    case UnaryFn::kGelu:
      return f(
          [](R x) { return x / 2 * (1 + std::erf(x * static_cast<R>(std::numbers::sqrt2 / 2))); });
    case UnaryFn::kGeluTanh:
      return f([](R x) { return gelu_tanh(x); });
    case UnaryFn::kHardSwish:
      return f([](R x) { return x / 6 * clamp_real(x + 3, R{0}, R{6}); });
    case UnaryFn::kLeakyRelu:
      return f([alpha](R x) { return x < 0 ? x * alpha : x; });
    case UnaryFn::kFloor:
      return f([](R x) { return std::floor(x); });
    case UnaryFn::kCeil:
      return f([](R x) { return std::ceil(x); });
    case UnaryFn::kRound:
      return f([](R x) { return std::nearbyint(x); });
    case UnaryFn::kLogicalNot:
      return;
    case UnaryFn::kSilu:
      return f([](R x) { return x / (1 + std::exp(-x)); });
  }
}

template <typename T>
void integers(const Tile& tile, int64_t count, UnaryFn fn) {
  const T* x = input<T>(tile, 0);
  T* y = output<T>(tile, 0);
  auto apply = [&](auto f) {
    for (int64_t i = 0; i < count; ++i) y[i] = f(x[i]);
  };
  switch (fn) {
    case UnaryFn::kAbs:
      return apply([](T v) { return v < 0 ? Sub{}(T{0}, v) : v; });
    case UnaryFn::kNeg:
      return apply([](T v) { return Sub{}(T{0}, v); });
    case UnaryFn::kSquare:
      return apply([](T v) { return Mul{}(v, v); });
    default:
      return apply([](T v) { return std::max(v, T{0}); });
  }
}

// From a quantised number to the quantised result.
template <typename F>
void visit_quantized_function(const UnaryParams& params, const OperandDesc& x, const OperandDesc& y,
                              F&& f) {
  if (params.fn == UnaryFn::kLeakyRelu) {
    const QuantizedConvert rule = prepare_quantized_convert(x.dtype, x.scale, x.zero_point, y.dtype,
                                                            y.scale, y.zero_point, params.alpha);
    return f([&](int32_t q) { return quantized_convert(rule, q); });
  }
  if (params.fn == UnaryFn::kHardSwish) {
    const QuantizedHardSwish rule =
        prepare_quantized_hard_swish(x.dtype, x.scale, x.zero_point, y.scale, y.zero_point);
    if (rule.fixed_point) return f([&](int32_t q) { return quantized_hard_swish(rule, q); });
  }
  const IntRange range = range_of(y.dtype);
  const float inverse = 1.0f / y.scale;
  visit_real_function<double>(params, [&](auto function) {
    f([&](int32_t q) {
      const double real = function(double{dequantized(q, x.scale, x.zero_point)});
      return quantize_value(static_cast<float>(real), inverse, y.zero_point, range.min, range.max);
    });
  });
}

void by_table(const Tile& tile, const ReferenceParams& p, int64_t count) {
  uint8_t table[256];
  make_unary_table(p.as<UnaryParams>(), p.input(0), p.output(0), table);
  const auto* x = input<uint8_t>(tile, 0);
  auto* y = output<uint8_t>(tile, 0);
  for (int64_t i = 0; i < count; ++i) y[i] = table[x[i]];
}

}  // namespace

void make_unary_table(const UnaryParams& params, const OperandDesc& x, const OperandDesc& y,
                      uint8_t table[256]) {
  visit_quantized_function(params, x, y, [&](auto function) {
    for (int32_t i = 0; i < 256; ++i) {
      const int32_t q = x.dtype == DType::kI8 && i >= 128 ? i - 256 : i;
      table[i] = static_cast<uint8_t>(function(q));
    }
  });
}

void reference_Unary(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& params = p.as<UnaryParams>();
  const int64_t count = elements(p.output(0).shape);
  switch (p.input(0).dtype) {
    case DType::kF32: {
      const float* x = input<float>(tile, 0);
      float* y = output<float>(tile, 0);
      return visit_real_function<float>(params, [&](auto function) {
        for (int64_t i = 0; i < count; ++i) y[i] = function(x[i]);
      });
    }
    case DType::kI8:
    case DType::kU8:
      return by_table(tile, p, count);
    case DType::kI16: {
      const int16_t* x = input<int16_t>(tile, 0);
      int16_t* y = output<int16_t>(tile, 0);
      return visit_quantized_function(params, p.input(0), p.output(0), [&](auto function) {
        for (int64_t i = 0; i < count; ++i) y[i] = static_cast<int16_t>(function(x[i]));
      });
    }
    case DType::kI32:
      return integers<int32_t>(tile, count, params.fn);
    case DType::kI64:
      return integers<int64_t>(tile, count, params.fn);
    case DType::kBool: {
      const Bool* x = input<Bool>(tile, 0);
      Bool* y = output<Bool>(tile, 0);
      for (int64_t i = 0; i < count; ++i) y[i] = Bool{x[i].byte == 0};
      return;
    }
    case DType::kF16:
      return;
  }
}

}  // namespace pj
