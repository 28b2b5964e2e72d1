// Sums, means and extremes of the middle of three dimensions.
//
// Sums of 8 bits are sums of (q - zero point) modulo 2^32, in any order; sums of floats are
// accumulated in 64 bits.
#pragma once

#include <limits>

#include "kernels/common/simd.h"
#include "kernels/reduce/reduce.h"

namespace pj {
namespace {

struct SumFold {
  template <typename V>
  PJ_INLINE V operator()(V sum, V x) const {
    return hn::Add(sum, x);
  }
};
// Maximum and minimum keep what they have where x is NaN.
struct MaxFold {
  PJ_INLINE VecI32 operator()(VecI32 best, VecI32 x) const { return hn::Max(best, x); }
  PJ_INLINE VecF32 operator()(VecF32 best, VecF32 x) const { return larger_of(x, best); }
};
struct MinFold {
  PJ_INLINE VecI32 operator()(VecI32 best, VecI32 x) const { return hn::Min(best, x); }
  PJ_INLINE VecF32 operator()(VecF32 best, VecF32 x) const { return smaller_of(x, best); }
};

using TagF64 = hn::ScalableTag<double>;
inline constexpr TagF64 kF64;
inline constexpr int64_t kLanes64 = static_cast<int64_t>(hn::MaxLanes(kF64));
PJ_INLINE hn::Vec<TagF64> load_double(const float* x) {
  return hn::PromoteTo(kF64, hn::LoadU(hn::Rebind<float, TagF64>(), x));
}

// Folds `count` vectors that are `step` elements apart.
template <typename Load, typename T, typename V, typename Fold>
PJ_INLINE V fold_column(Load read, const T* x, int64_t count, int64_t step, V v, Fold fold) {
  for (int64_t i = 0; i < count; ++i, x += step) v = fold(v, read(x));
  return v;
}

// y[c] = finish(fold of x[c + i * inner]) for c in [0, channels). `lanes` numbers at a time; fewer
// go through a copy.
template <int64_t lanes, typename T, typename Load, typename V, typename Fold, typename Finish>
PJ_INLINE void fold_columns(const T* x, int64_t channels, const ReduceKernelParams& p, Load read,
                            V start, Fold fold, Finish finish) {
  const bool done = for_channel_blocks<lanes>(channels, [&](int64_t c) {
    finish(fold_column(read, x + c, p.count, p.inner, start, fold), c, lanes);
  });
  if (lanes == 1 || done) return;
  auto read_some = [&](const T* from) {
    T copy[lanes] = {};
    std::memcpy(copy, from, static_cast<size_t>(channels) * sizeof(T));
    return read(copy);
  };
  finish(fold_column(read_some, x, p.count, p.inner, start, fold), 0, channels);
}

// fold of n contiguous elements: the lanes of a vector, then those of the result.
template <int64_t lanes, typename T, typename Load, typename V, typename Fold>
PJ_INLINE V fold_row(const T* x, int64_t n, Load read, V start, Fold fold) {
  V v = start;
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) v = fold(v, read(x + i));
  if (lanes == 1 || i == n) return v;
  // The rest, with repetitions of nothing: the missing lanes stay as they are.
  T copy[lanes] = {};
  std::memcpy(copy, x + i, static_cast<size_t>(n - i) * sizeof(T));
  const hn::DFromV<V> d;
  return hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(n - i)), fold(v, read(copy)), v);
}

// The lanes of a vector folded by scalar code.
template <typename V, typename F>
PJ_INLINE auto fold_lanes(V v, F f) {
  const hn::DFromV<V> d;
  constexpr size_t kCount = hn::MaxLanes(d);
  hn::TFromV<V> lanes[kCount];
  hn::StoreU(v, d, lanes);
  for (size_t i = 1; i < kCount; ++i) lanes[0] = f(lanes[0], lanes[i]);
  return lanes[0];
}

// Sums of (q - zero point) are the plain sum minus count zero points.
template <typename Q>
void byte_sums(const Q* x, Q* y, int64_t channels, const ReduceKernelParams& p) {
  const auto shift =
      static_cast<int32_t>(static_cast<uint32_t>(p.count) * static_cast<uint32_t>(p.zero_point));
  auto read = [](const Q* from) { return load_wide(from); };
  if (p.inner == 1) {
    const VecI32 v = fold_row<kLanes32>(x, p.count, read, splat(0), SumFold{});
    const uint32_t sum = fold_lanes(hn::BitCast(hn::ScalableTag<uint32_t>(), v),
                                    [](uint32_t a, uint32_t b) { return a + b; });
    *y = static_cast<Q>(
        requantize(static_cast<int32_t>(sum - static_cast<uint32_t>(shift)), p.scale, p.stage));
    return;
  }
  const ByteLimits<Q> limits = all_bytes<Q>(p.stage.zero_point);
  const VecF32 scale = splat(p.scale), low = splat(p.stage.low), high = splat(p.stage.high);
  auto finish = [&](VecI32 sum, int64_t c, int64_t n) {
    const VecF32 real = hn::Mul(hn::ConvertTo(kF32, hn::Sub(sum, splat(shift))), scale);
    Q lanes[kLanes32];
    store_narrow(round_lanes(clamp_lanes(real, low, high)), limits, lanes);
    std::memcpy(y + c, lanes, static_cast<size_t>(n));
  };
  fold_columns<kLanes32>(x, channels, p, read, splat(0), SumFold{}, finish);
}

void float_sums(const float* x, float* y, int64_t channels, const ReduceKernelParams& p) {
  const bool mean = p.fn == static_cast<int32_t>(ReduceFn::kMean);
  const double divisor = mean ? static_cast<double>(p.count) : 1.0;
  auto read = [](const float* from) { return load_double(from); };
  const auto start = hn::Set(kF64, 0.0);
  if (p.inner == 1) {
    const double sum = fold_lanes(fold_row<kLanes64>(x, p.count, read, start, SumFold{}),
                                  [](double a, double b) { return a + b; });
    *y = static_cast<float>(sum / divisor);
    return;
  }
  auto finish = [&](hn::Vec<TagF64> sum, int64_t c, int64_t n) {
    double lanes[kLanes64];
    hn::StoreU(sum, kF64, lanes);
    for (int64_t i = 0; i < n; ++i) y[c + i] = static_cast<float>(lanes[i] / divisor);
  };
  fold_columns<kLanes64>(x, channels, p, read, start, SumFold{}, finish);
}

// Where folds of extremes begin.
template <typename T>
using WideOf = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;
template <typename T>
constexpr WideOf<T> least_of() {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? -Limits::infinity() : Limits::min();
}
template <typename T>
constexpr WideOf<T> most_of() {
  using Limits = std::numeric_limits<T>;
  return Limits::has_infinity ? Limits::infinity() : Limits::max();
}

// The extreme of a row; `wins(a, b)`: b is further than a.
template <typename T, typename Fold, typename Wins>
PJ_INLINE T row_extreme(const T* x, int64_t n, Fold fold, WideOf<T> start, Wins wins) {
  auto read = [](const T* from) { return load_wide(from); };
  return static_cast<T>(fold_lanes(fold_row<kLanes32>(x, n, read, splat(start), fold),
                                   [&](auto a, auto b) { return wins(a, b) ? b : a; }));
}

template <typename T, typename V, typename Fold, typename F>
PJ_INLINE void extremes(const T* x, T* y, int64_t channels, const ReduceKernelParams& p, V start,
                        Fold fold, F scalar) {
  auto read = [](const T* from) { return load_wide(from); };
  if (p.inner == 1) {
    *y = static_cast<T>(fold_lanes(fold_row<kLanes32>(x, p.count, read, start, fold), scalar));
    return;
  }
  auto finish = [&](V best, int64_t c, int64_t n) {
    hn::TFromV<V> lanes[kLanes32];
    hn::StoreU(best, hn::DFromV<V>(), lanes);
    for (int64_t i = 0; i < n; ++i) y[c + i] = static_cast<T>(lanes[i]);
  };
  fold_columns<kLanes32>(x, channels, p, read, start, fold, finish);
}

template <typename T, typename>
void run_reduce(const Tile& t) {
  const ReduceKernelParams& p = *static_cast<const ReduceKernelParams*>(t.params);
  const T* x = reinterpret_cast<const T*>(t.in[0]);
  T* y = reinterpret_cast<T*>(t.out[0]);
  const int64_t channels = t.size[kChannel];
  using Wide = WideOf<T>;
  const Wide least = least_of<T>(), most = most_of<T>();
  for (int32_t row = 0; row < t.size[kRow]; ++row, x += p.count * p.inner, y += p.inner) {
    switch (static_cast<ReduceFn>(p.fn)) {
      case ReduceFn::kMax:
        extremes(x, y, channels, p, splat(least), MaxFold{},
                 [](Wide a, Wide b) { return b > a ? b : a; });
        break;
      case ReduceFn::kMin:
        extremes(x, y, channels, p, splat(most), MinFold{},
                 [](Wide a, Wide b) { return b < a ? b : a; });
        break;
      default:
        if constexpr (std::is_same_v<T, float>) {
          float_sums(x, y, channels, p);
        } else {
          byte_sums(x, y, channels, p);
        }
    }
  }
}

}  // namespace
}  // namespace pj
