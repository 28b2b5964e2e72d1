// Arithmetic on floats: the bits of the reference, NaN by the rules of binary_functions.h.
#pragma once

#include "kernels/elementwise/binary_run.h"

namespace pj {
namespace {

[[maybe_unused]] void float_binary_runs(const FloatBinaryParams& p, const Runs& runs) {
  const VecF32 low = splat(p.low), high = splat(p.high);
  auto map = [&](auto f) {
    auto block = [&](float* y, const float* a, const float* b) {
      store(limit_lanes(f(load_wide(a), load_wide(b)), low, high), y);
    };
    runs.each([&](const Run& run) { binary_run<float, kLanes32>(run, block); });
  };
  switch (static_cast<FloatBinaryFn>(p.fn)) {
    case FloatBinaryFn::kAdd:
      return map([](VecF32 a, VecF32 b) { return hn::Add(a, b); });
    case FloatBinaryFn::kSub:
      return map([](VecF32 a, VecF32 b) { return hn::Sub(a, b); });
    case FloatBinaryFn::kMul:
      return map([](VecF32 a, VecF32 b) { return hn::Mul(a, b); });
    case FloatBinaryFn::kDiv:
      return map([](VecF32 a, VecF32 b) { return hn::Div(a, b); });
    case FloatBinaryFn::kMinimum:
      return map([](VecF32 a, VecF32 b) { return smaller_of(a, b); });
    case FloatBinaryFn::kMaximum:
      return map([](VecF32 a, VecF32 b) { return larger_of(a, b); });
    case FloatBinaryFn::kSquaredDifference:
      return map([](VecF32 a, VecF32 b) {
        const VecF32 d = hn::Sub(a, b);
        return hn::Mul(d, d);
      });
    case FloatBinaryFn::kPRelu:
      return map([](VecF32 x, VecF32 alpha) {
        return hn::IfThenElse(hn::Lt(x, splat(0.0f)), hn::Mul(x, alpha), x);
      });
  }
}

template <typename, typename>
void run_float_binary(const Tile& t) {
  const FloatBinaryParams& p = *static_cast<const FloatBinaryParams*>(t.params);
  for_groups<2>(t, p.strides, [&](const Runs& runs) { float_binary_runs(p, runs); });
}

}  // namespace
}  // namespace pj
