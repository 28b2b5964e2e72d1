// Functions of one float, element by element.
#pragma once

#include <limits>

#include "kernels/elementwise/float_functions.h"
#include "kernels/elementwise/runs.h"

namespace pj {
namespace {

[[maybe_unused]] void float_unary_runs(const FloatUnaryParams& p, const Runs& runs) {
  const VecF32 zero = splat(0.0f), one = splat(1.0f);
  const VecF32 infinite = splat(std::numeric_limits<float>::infinity());
  auto map = [&](auto f) {
    runs.each([&](const Run& run) {
      for_blocks<kLanes32>(
          run.n, reinterpret_cast<float*>(run.out),
          [&](float* y, const float* x) { store(f(load_wide(x)), y); },
          reinterpret_cast<const float*>(run.in[0]));
    });
  };
  auto limit = [&](VecF32 low, VecF32 high) {
    map([&](VecF32 x) { return limit_lanes(x, low, high); });
  };
  switch (static_cast<FloatUnaryFn>(p.fn)) {
    case FloatUnaryFn::kAbs:
      return map([](VecF32 x) { return hn::Abs(x); });
    case FloatUnaryFn::kNeg:
      return map([](VecF32 x) { return hn::Neg(x); });
    case FloatUnaryFn::kSquare:
      return map([](VecF32 x) { return hn::Mul(x, x); });
    case FloatUnaryFn::kCube:
      return map([](VecF32 x) { return hn::Mul(hn::Mul(x, x), x); });
    case FloatUnaryFn::kSqrt:
      return map([](VecF32 x) { return hn::Sqrt(x); });
    case FloatUnaryFn::kRsqrt:
      return map([&](VecF32 x) { return hn::Div(one, hn::Sqrt(x)); });
    case FloatUnaryFn::kExp:
      return map([](VecF32 x) { return exp_lanes(x); });
    case FloatUnaryFn::kLog:
      return map([](VecF32 x) { return log_lanes(x); });
    case FloatUnaryFn::kTanh:
      return map([](VecF32 x) { return tanh_lanes(x); });
    case FloatUnaryFn::kLogistic:
      return map([](VecF32 x) { return logistic_lanes(x); });
    case FloatUnaryFn::kRelu:
      return limit(zero, infinite);
    case FloatUnaryFn::kRelu6:
      return limit(zero, splat(6.0f));
    case FloatUnaryFn::kReluN1To1:
      return limit(splat(-1.0f), one);
    case FloatUnaryFn::kElu:
      return map([&](VecF32 x) {
        return hn::IfThenElse(hn::Lt(x, zero), expm1_lanes(hn::Min(x, zero)), x);
      });
    case FloatUnaryFn::kGeluTanh:
      return map([](VecF32 x) { return gelu_tanh_lanes(x); });
    case FloatUnaryFn::kGelu:
      return map([](VecF32 x) { return gelu_lanes(x); });
    case FloatUnaryFn::kFloor:
      return map([](VecF32 x) { return hn::Floor(x); });
    case FloatUnaryFn::kCeil:
      return map([](VecF32 x) { return hn::Ceil(x); });
    case FloatUnaryFn::kRound:
      return map([](VecF32 x) { return hn::Round(x); });
    case FloatUnaryFn::kHardSwish:
      return map([](VecF32 x) { return hard_swish_lanes(x); });
    case FloatUnaryFn::kSilu:
      return map([](VecF32 x) { return silu_lanes(x); });
    case FloatUnaryFn::kLeakyRelu:
      return map([&, alpha = splat(p.alpha)](VecF32 x) {
        return hn::IfThenElse(hn::Lt(x, zero), hn::Mul(x, alpha), x);
      });
  }
}

template <typename, typename>
void run_float_unary(const Tile& t) {
  const FloatUnaryParams& p = *static_cast<const FloatUnaryParams*>(t.params);
  for_groups<1>(t, p.strides, [&](const Runs& runs) { float_unary_runs(p, runs); });
}

}  // namespace
}  // namespace pj
