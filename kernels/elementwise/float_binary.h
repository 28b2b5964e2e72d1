// Arithmetic on floats: the bits of the reference, NaN by the rules of binary_functions.h.
#pragma once

#include <limits>
#include <type_traits>

#include "kernels/elementwise/binary_run.h"

namespace pj {
namespace {

// Vectors that are computed at a time where runs are whole ones: two where latencies would show.
inline constexpr int kVectors = kLanes32 == 4 ? 2 : 1;

// Calls f(y, a, b) for each kVectors vectors of all runs; false, and nothing done, if these are no
// whole ones, or have an operand that repeats.
template <typename F>
PJ_INLINE bool each_whole(const Runs& runs, F&& f) {
  constexpr int64_t kStep = kVectors * kLanes32;
  const Run& run = runs.first;
  if (run.n % kStep != 0 || run.repeats[0] || run.repeats[1]) return false;
  const std::byte *a = run.in[0], *b = run.in[1];
  std::byte* y = run.out;
  for (int32_t left = runs.count; left > 0; --left) {
    for (int64_t i = 0; i < run.n * 4; i += kStep * 4)
      f(reinterpret_cast<float*>(y + i), reinterpret_cast<const float*>(a + i),
        reinterpret_cast<const float*>(b + i));
    a += runs.in_step[0];
    b += runs.in_step[1];
    y += runs.out_step;
  }
  return true;
}

[[maybe_unused]] void float_binary_runs(const FloatBinaryParams& p, const Runs& runs) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const VecF32 low = splat(p.low), high = splat(p.high);
  const bool limits = kLanes32 != 4 || p.low > -kInfinity || p.high < kInfinity;
  auto map = [&](auto f) {
    auto compute = [&]<int vectors>(std::integral_constant<int, vectors>, float* y, const float* a,
                                    const float* b) PJ_INLINE_LAMBDA {
      VecF32 as[vectors], bs[vectors];
      unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA {
        as[i] = load_wide(a + i * kLanes32);
        bs[i] = load_wide(b + i * kLanes32);
      });
      unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA { as[i] = f(as[i], bs[i]); });
      if (limits)
        unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA { as[i] = limit_lanes(as[i], low, high); });
      unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA { store(as[i], y + i * kLanes32); });
    };
    // Sums after convolutions, factors of channels: a run may be a vector, in loops without more.
    if (each_whole(runs, [&](float* y, const float* a, const float* b) PJ_INLINE_LAMBDA {
          compute(std::integral_constant<int, kVectors>{}, y, a, b);
        }))
      return;
    auto block = [&](float* y, const float* a, const float* b) {
      compute(std::integral_constant<int, 1>{}, y, a, b);
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
