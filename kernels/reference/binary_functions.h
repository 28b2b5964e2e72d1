// What the functions of two arguments compute on single numbers.
//
// Floats: IEEE arithmetic; NaN propagates through add, sub, mul, div, squared difference, pow,
// floor division and floor modulo; comparisons with NaN are false, except not-equal. Where one
// operand of minimum or maximum is NaN the result is b (faster kernels may give either operand).
//
// Integers: results are modulo 2^n. A division by zero gives 0, INT_MIN / -1 wraps to INT_MIN. A
// negative exponent gives the quotient truncated toward zero: 0, unless the base is 1 or -1.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "runtime/base/op_params.h"

namespace pj::ref {

// Unsigned type in which the arithmetic of T wraps; floats stay as they are.
template <typename T>
using Wrapping = typename std::conditional_t<std::is_floating_point_v<T>, std::type_identity<T>,
                                             std::make_unsigned<T>>::type;

struct Add {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};
struct Sub {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
  }
};
struct Mul {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};
struct Div {
  float operator()(float a, float b) const { return a / b; }
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    return b == -1 ? Sub{}(T{0}, a) : a / b;
  }
};
struct Minimum {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};
struct SquaredDifference {
  template <typename T>
  T operator()(T a, T b) const {
    const T d = Sub{}(a, b);
    return Mul{}(d, d);
  }
};
struct Pow {
  float operator()(float a, float b) const { return std::pow(a, b); }
  template <typename T>
  T operator()(T base, T exponent) const {
    if (exponent < 0) {
      if (base == 1) return 1;
      if (base == -1) return exponent % 2 == 0 ? 1 : -1;
      return 0;
    }
    T result = 1;
    for (T e = exponent; e != 0; e /= 2, base = Mul{}(base, base))
      if (e % 2 != 0) result = Mul{}(result, base);
    return result;
  }
};
// Rounds toward minus infinity.
struct FloorDiv {
  float operator()(float a, float b) const { return std::floor(a / b); }
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0) return 0;
    if (b == -1) return Sub{}(T{0}, a);
    const T quotient = a / b;
    return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
  }
};
// The remainder that belongs to FloorDiv: it has the sign of b.
struct FloorMod {
  float operator()(float a, float b) const {
    const float r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
  template <typename T>
  T operator()(T a, T b) const {
    if (b == 0 || b == -1) return 0;
    const T r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
};

// Calls f with the object that computes an arithmetic function.
template <typename F>
void visit_arithmetic_function(BinaryFn fn, F&& f) {
  switch (fn) {
    case BinaryFn::kAdd:
      return f(Add{});
    case BinaryFn::kSub:
      return f(Sub{});
    case BinaryFn::kMul:
      return f(Mul{});
    case BinaryFn::kDiv:
      return f(Div{});
    case BinaryFn::kMinimum:
      return f(Minimum{});
    case BinaryFn::kMaximum:
      return f(Maximum{});
    case BinaryFn::kSquaredDifference:
      return f(SquaredDifference{});
    case BinaryFn::kPow:
      return f(Pow{});
    case BinaryFn::kFloorDiv:
      return f(FloorDiv{});
    case BinaryFn::kFloorMod:
      return f(FloorMod{});
    default:
      return;
  }
}

struct Equal {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};
struct NotEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a != b;
  }
};
struct Less {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};
struct LessEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};
struct Greater {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};
struct GreaterEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a >= b;
  }
};

// Calls f with the object that computes a comparison.
template <typename F>
void visit_comparison(BinaryFn fn, F&& f) {
  switch (fn) {
    case BinaryFn::kEqual:
      return f(Equal{});
    case BinaryFn::kNotEqual:
      return f(NotEqual{});
    case BinaryFn::kLess:
      return f(Less{});
    case BinaryFn::kLessEqual:
      return f(LessEqual{});
    case BinaryFn::kGreater:
      return f(Greater{});
    case BinaryFn::kGreaterEqual:
      return f(GreaterEqual{});
    default:
      return;
  }
}

}  // namespace pj::ref
