// Pooling: a vector of channels at a time, tap by tap in the order of the reference, so that floats
// give its bits as well: sums of floats are sums of the sums of rows.
//
// The average of integers is (sum +- count / 2) / count, truncated. In floats that is exact: with
// n = |sum| + count / 2 < 2^24, n is exact, and where n / count is below an integer k it is at
// least 1 / count below. Rounding could only reach k over half the distance of floats near k, at
// most k * 2^-24, and 1 / count is more than that, since k * count < 2^24.
#pragma once

#include <limits>

#include "kernels/common/simd.h"
#include "kernels/pool/pool.h"
#include "kernels/pool/taps.h"

namespace pj {
namespace {

struct IntAverageLanes {
  static constexpr bool kByRows = false;
  PJ_INLINE VecI32 start() const { return splat(0); }
  PJ_INLINE VecI32 step(VecI32 sum, VecI32 x) const { return hn::Add(sum, x); }
  PJ_INLINE VecI32 finish(VecI32 sum, int32_t count) const {
    if (count == 0) return sum;
    const VecI32 half = splat(count / 2);
    const VecI32 away = hn::IfThenElse(hn::Lt(sum, splat(0)), hn::Neg(half), half);
    const VecF32 n = hn::ConvertTo(kF32, hn::Add(sum, away));
    return hn::ConvertTo(kI32, hn::Div(n, splat(static_cast<float>(count))));
  }
};
struct IntMaxLanes {
  static constexpr bool kByRows = false;
  PJ_INLINE VecI32 start() const { return splat(std::numeric_limits<int32_t>::min()); }
  PJ_INLINE VecI32 step(VecI32 best, VecI32 x) const { return hn::Max(best, x); }
  PJ_INLINE VecI32 finish(VecI32 best, int32_t) const { return best; }
};
struct FloatAverageLanes {
  static constexpr bool kByRows = true;
  PJ_INLINE VecF32 start() const { return splat(0.0f); }
  PJ_INLINE VecF32 step(VecF32 sum, VecF32 x) const { return hn::Add(sum, x); }
  PJ_INLINE VecF32 finish(VecF32 sum, int32_t count) const {
    return hn::Div(sum, splat(static_cast<float>(count)));
  }
};
struct FloatMaxLanes {
  static constexpr bool kByRows = false;
  PJ_INLINE VecF32 start() const { return splat(-std::numeric_limits<float>::infinity()); }
  PJ_INLINE VecF32 step(VecF32 best, VecF32 x) const { return larger_of(x, best); }
  PJ_INLINE VecF32 finish(VecF32 best, int32_t) const { return best; }
};

template <int n, typename T>
PJ_INLINE void store_pooled(const VecI32* v, const PoolParams& p, T* y) {
  const ByteLimits<T> limits{0, p.low, p.high};
  n == 1 ? store_narrow(v[0], limits, y) : store_bytes(v, limits, y);
}
template <int n, typename T>
PJ_INLINE void store_pooled(const VecF32* v, const PoolParams& p, T* y) {
  const VecF32 low = splat(p.float_low), high = splat(p.float_high);
  unrolled<n>([&](auto k)
                  PJ_INLINE_LAMBDA { store(limit_lanes(v[k], low, high), y + k * kLanes32); });
}

// n vectors of channels; `channels` is their number if it is less than a vector.
template <typename T, int n, bool whole, typename R>
PJ_INLINE void pool_channels(const Taps& taps, const PoolParams& p, const R& r, int64_t c, T* y,
                             int64_t channels) {
  using Vec = decltype(r.start());
  Vec v[n], rows[n];
  unrolled<n>([&](auto k) PJ_INLINE_LAMBDA { v[k] = rows[k] = r.start(); });
  for (int32_t i = 0; i < taps.row_count; ++i) {
    const std::byte* at = taps.rows[i] + taps.first_col_bytes;
    for (int32_t j = 0; j < taps.cols; ++j, at += taps.col_bytes) {
      const T* x = reinterpret_cast<const T*>(at) + c;
      T lanes[kLanes32] = {};
      if constexpr (!whole)
        x = static_cast<const T*>(std::memcpy(lanes, x, static_cast<size_t>(channels) * sizeof(T)));
      unrolled<n>([&](auto k)
                      PJ_INLINE_LAMBDA { v[k] = r.step(v[k], load_wide(x + k * kLanes32)); });
    }
    if constexpr (R::kByRows) {
      unrolled<n>([&](auto k) PJ_INLINE_LAMBDA {
        rows[k] = r.step(rows[k], v[k]);
        v[k] = r.start();
      });
    }
  }
  if constexpr (R::kByRows) unrolled<n>([&](auto k) PJ_INLINE_LAMBDA { v[k] = rows[k]; });
  unrolled<n>([&](auto k) PJ_INLINE_LAMBDA { v[k] = r.finish(v[k], taps.count()); });
  if constexpr (whole) return store_pooled<n>(v, p, y + c);
  T lanes[kLanes32];
  store_pooled<n>(v, p, lanes);
  std::memcpy(y + c, lanes, static_cast<size_t>(channels) * sizeof(T));
}

template <typename T, typename R>
void pool_tile(const Tile& t, const PoolParams& p, const R& r) {
  const int64_t channels = t.size[kChannel];
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    Taps taps(t, p, row);
    for (int32_t col = 0; col < t.size[kCol]; ++col) {
      taps.move_to(p, t.begin[kCol] + col);
      T* y = reinterpret_cast<T*>(t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes);
      const bool done =
          for_channel_blocks<kByteBlock>(
              channels,
              [&](int64_t c) { pool_channels<T, kByteVectors, true>(taps, p, r, c, y, 0); }) ||
          for_channel_blocks<kLanes32>(
              channels, [&](int64_t c) { pool_channels<T, 1, true>(taps, p, r, c, y, 0); });
      if (!done) pool_channels<T, 1, false>(taps, p, r, 0, y, channels);
    }
  }
}

template <typename T, typename>
void run_pool(const Tile& t) {
  const PoolParams& p = *static_cast<const PoolParams*>(t.params);
  const bool average = p.fn == static_cast<int32_t>(PoolFn::kAverage);
  if constexpr (std::is_same_v<T, float>) {
    average ? pool_tile<T>(t, p, FloatAverageLanes{}) : pool_tile<T>(t, p, FloatMaxLanes{});
  } else {
    average ? pool_tile<T>(t, p, IntAverageLanes{}) : pool_tile<T>(t, p, IntMaxLanes{});
  }
}

}  // namespace
}  // namespace pj
