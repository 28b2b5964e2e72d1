// Between element types, the numbers as they are stored.
//
// To bool: not equal to 0 (NaN is true). From bool: 0 or 1. Float to integer: truncated toward zero
// and saturated, NaN gives 0. Integer to a narrower integer: modulo 2^n. To f32 and f16: rounded to
// nearest even.
#include <limits>

#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// A stored value as an ordinary number.
inline float number(float x) { return x; }
inline float number(Half x) { return to_float(x); }
inline int32_t number(Bool x) { return x.byte != 0; }
template <typename T>
T number(T x) {
  return x;
}

template <typename Y>
Y truncate(float x) {
  using Limits = std::numeric_limits<Y>;
  if (x != x) return 0;
  // The lowest value is a power of two, exact in f32; the float below -lowest is the largest that
  // may be converted.
  if (x <= static_cast<float>(Limits::min())) return Limits::min();
  if (x >= static_cast<float>(Limits::max())) return Limits::max();
  return static_cast<Y>(x);
}

template <typename Y, typename X>
Y convert(X stored) {
  const auto x = number(stored);
  using Number = std::remove_const_t<decltype(x)>;
  if constexpr (std::is_same_v<Y, Bool>) {
    return Bool{x != 0};
  } else if constexpr (std::is_same_v<Y, Half>) {
    return to_half(static_cast<float>(x));
  } else if constexpr (std::is_same_v<Number, float> && std::is_integral_v<Y>) {
    return truncate<Y>(x);
  } else {
    return static_cast<Y>(x);
  }
}

}  // namespace

void reference_Cast(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const int64_t count = elements(p.output(0).shape);
  visit_dtype(p.input(0).dtype, [&](auto from) {
    visit_dtype(p.output(0).dtype, [&](auto to) {
      const auto* x = input<decltype(from)>(tile, 0);
      auto* y = output<decltype(to)>(tile, 0);
      for (int64_t i = 0; i < count; ++i) y[i] = convert<decltype(to)>(x[i]);
    });
  });
}

}  // namespace pj
