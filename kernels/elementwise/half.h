// Elementwise operators on 16-bit floats in their own arithmetic, and conversions.
//
// Errors, against the correctly rounded value: logistic and silu within 2^-9 of the larger of 1 and
// the result, which is about 4 units of numbers near 1.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <limits>

#include "kernels/common/half_neon.h"
#include "kernels/elementwise/binary_run.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

// Elements of a turn of the loops below: two vectors.
inline constexpr int64_t kHalfBlock = 2 * kHalfLanes;

template <typename F>
PJ_INLINE void half_pairs(Half* y, const Half* a, const Half* b, F f) {
  unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
    constexpr int at = i * kHalfLanes;
    store_halves(y + at, f(load_halves(a + at), load_halves(b + at)));
  });
}

[[maybe_unused]] void half_binary_runs(const FloatBinaryParams& p, const Runs& runs) {
  const Halves low = set_halves(p.low), high = set_halves(p.high);
  auto map = [&](auto f) {
    auto block = [&](Half* y, const Half* a, const Half* b) {
      half_pairs(y, a, b,
                 [&](Halves u, Halves v) PJ_INLINE_LAMBDA { return limited(f(u, v), low, high); });
    };
    runs.each([&](const Run& run) { binary_run<Half, kHalfBlock>(run, block); });
  };
  switch (static_cast<FloatBinaryFn>(p.fn)) {
    case FloatBinaryFn::kAdd:
      return map([](Halves a, Halves b) { return vaddq_f16(a, b); });
    case FloatBinaryFn::kSub:
      return map([](Halves a, Halves b) { return vsubq_f16(a, b); });
    case FloatBinaryFn::kMul:
      return map([](Halves a, Halves b) { return vmulq_f16(a, b); });
    case FloatBinaryFn::kDiv:
      return map([](Halves a, Halves b) { return vdivq_f16(a, b); });
    case FloatBinaryFn::kMinimum:
      return map([](Halves a, Halves b) { return vminq_f16(a, b); });
    case FloatBinaryFn::kMaximum:
      return map([](Halves a, Halves b) { return vmaxq_f16(a, b); });
    case FloatBinaryFn::kSquaredDifference:
      return map([](Halves a, Halves b) {
        const Halves d = vsubq_f16(a, b);
        return vmulq_f16(d, d);
      });
    case FloatBinaryFn::kPRelu:
      return map([](Halves a, Halves b) { return vbslq_f16(vcltzq_f16(a), vmulq_f16(a, b), a); });
  }
}

template <typename X, typename W, int mr, int nr>
void run_half_binary(const Tile& t) {
  const auto& p = *static_cast<const FloatBinaryParams*>(t.params);
  for_groups<2>(t, p.strides, [&](const Runs& runs) { half_binary_runs(p, runs); });
}

// 1 + exp(-x). Beyond -11 and 9.7 it changes no result that f16 has room for: exp would leave the
// normal numbers that the shift of its exponent makes.
PJ_INLINE Halves one_plus_exp_minus(Halves x) {
  const Halves v = limited(vnegq_f16(x), set_halves(-9.7f), set_halves(11.0f));
  const Halves n = vrndnq_f16(vmulq_f16(v, set_halves(1.44269504f)));
  // ln 2 in two parts; the first has few enough bits for an exact product.
  const Halves r =
      vfmsq_f16(vfmsq_f16(v, n, set_halves(0.693359375f)), n, set_halves(-2.12194440e-4f));
  const Halves one = set_halves(1.0f);
  const Halves tail = vfmaq_f16(set_halves(0.5f), r, set_halves(0.16797f));
  const Halves power = vfmaq_f16(one, r, vfmaq_f16(one, r, tail));
  const int16x8_t exponent = vshlq_n_s16(vcvtq_s16_f16(n), 10);
  return vaddq_f16(one, vreinterpretq_f16_s16(vaddq_s16(vreinterpretq_s16_f16(power), exponent)));
}
// An estimate of 8 bits, and one step of Newton's method.
PJ_INLINE Halves inverse(Halves x) {
  const Halves y = vrecpeq_f16(x);
  return vmulq_f16(y, vrecpsq_f16(x, y));
}
PJ_INLINE Halves half_logistic(Halves x) { return inverse(one_plus_exp_minus(x)); }

[[maybe_unused]] void half_unary_runs(const FloatUnaryParams& p, const Runs& runs) {
  const Halves zero = set_halves(0), one = set_halves(1);
  auto map = [&](auto f) {
    runs.each([&](const Run& run) {
      for_blocks<kHalfBlock>(
          run.n, reinterpret_cast<Half*>(run.out),
          [&](Half* y, const Half* x) {
            half_pairs(y, x, x, [&](Halves v, Halves) PJ_INLINE_LAMBDA { return f(v); });
          },
          reinterpret_cast<const Half*>(run.in[0]));
    });
  };
  auto limit = [&](Halves low, Halves high) {
    map([&](Halves x) { return limited(x, low, high); });
  };
  switch (static_cast<FloatUnaryFn>(p.fn)) {
    case FloatUnaryFn::kAbs:
      return map([](Halves x) { return vabsq_f16(x); });
    case FloatUnaryFn::kNeg:
      return map([](Halves x) { return vnegq_f16(x); });
    case FloatUnaryFn::kSquare:
      return map([](Halves x) { return vmulq_f16(x, x); });
    case FloatUnaryFn::kSqrt:
      return map([](Halves x) { return vsqrtq_f16(x); });
    case FloatUnaryFn::kLogistic:
      return map([](Halves x) { return half_logistic(x); });
    case FloatUnaryFn::kSilu:
      // Where the logistic of x is limited, so is x.
      return map(
          [](Halves x) { return vmulq_f16(vmaxq_f16(x, set_halves(-11.0f)), half_logistic(x)); });
    case FloatUnaryFn::kRelu:
      return limit(zero, set_halves(std::numeric_limits<float>::infinity()));
    case FloatUnaryFn::kRelu6:
      return limit(zero, set_halves(6.0f));
    case FloatUnaryFn::kReluN1To1:
      return limit(set_halves(-1.0f), one);
    case FloatUnaryFn::kHardSwish:
      return map([&](Halves x) {
        const Halves gate = limited(vaddq_f16(x, set_halves(3.0f)), zero, set_halves(6.0f));
        return vmulq_f16(vmulq_f16(x, set_halves(1 / 6.0f)), gate);
      });
    case FloatUnaryFn::kLeakyRelu:
      return map([&, alpha = set_halves(p.alpha)](Halves x) {
        return vbslq_f16(vcltzq_f16(x), vmulq_f16(x, alpha), x);
      });
    default:
      return;  // runtime/plan/half.cc asks for no other
  }
}

template <typename X, typename W, int mr, int nr>
void run_half_unary(const Tile& t) {
  const auto& p = *static_cast<const FloatUnaryParams*>(t.params);
  for_groups<1>(t, p.strides, [&](const Runs& runs) { half_unary_runs(p, runs); });
}

template <typename X, typename W, int mr, int nr>
void run_half_narrow(const Tile& t) {
  const auto& p = *static_cast<const ConvertParams*>(t.params);
  for_runs<1>(t, p.strides, [](const Run& run) {
    for_blocks<kHalfBlock>(
        run.n, reinterpret_cast<Half*>(run.out),
        [](Half* y, const float* x) {
          unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
            store_halves(y + i * kHalfLanes, narrow(x + i * kHalfLanes));
          });
        },
        reinterpret_cast<const float*>(run.in[0]));
  });
}

template <typename X, typename W, int mr, int nr>
void run_half_widen(const Tile& t) {
  const auto& p = *static_cast<const ConvertParams*>(t.params);
  for_runs<1>(t, p.strides, [](const Run& run) {
    for_blocks<kHalfLanes>(
        run.n, reinterpret_cast<float*>(run.out),
        [](float* y, const Half* x) {
          const Halves v = load_halves(x);
          vst1q_f32(y, low_floats(v));
          vst1q_f32(y + 4, high_floats(v));
        },
        reinterpret_cast<const Half*>(run.in[0]));
  });
}

}  // namespace
}  // namespace pj
