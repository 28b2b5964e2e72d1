// Bilinear interpolation. Integers: a vector of channels at a time, in the order of the reference,
// whose rounding is theirs: first along the row, then between rows.
#pragma once

#include "kernels/common/resize_axis.h"
#include "kernels/common/simd.h"
#include "kernels/resize/bilinear_float.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

// Interpolates with vectors of a tag's width.
template <typename D, typename Q>
struct IntLerp {
  using Vec = hn::Vec<D>;
  Vec fx, fy;
  IntLerp(const ResizeSource& row, const ResizeSource& col)
      : fx(hn::Set(D(), col.weight)), fy(hn::Set(D(), row.weight)) {}
  PJ_INLINE static Vec between(Vec a, Vec b, Vec weight) {
    return hn::Add(hn::ShiftLeft<kResizeBits>(a), hn::Mul(hn::Sub(b, a), weight));
  }
  PJ_INLINE Vec operator()(Vec top_left, Vec top_right, Vec bottom_left, Vec bottom_right) const {
    const Vec top = between(top_left, top_right, fx);
    const Vec bottom = between(bottom_left, bottom_right, fx);
    const Vec half = hn::Set(D(), 1 << (2 * kResizeBits - 1));
    return hn::ShiftRight<2 * kResizeBits>(hn::Add(between(top, bottom, fy), half));
  }
  PJ_INLINE static Vec load(const Q* x) {
    return hn::PromoteTo(D(), hn::LoadU(hn::Rebind<Q, D>(), x));
  }
  PJ_INLINE static void store(Vec v, Q* y) {
    hn::StoreU(hn::DemoteTo(hn::Rebind<Q, D>(), v), hn::Rebind<Q, D>(), y);
  }
};
// One output pixel from four input pixels.
struct Corners {
  const ResizeSource &row, &col;
  const std::byte *top_left, *top_right, *bottom_left, *bottom_right;
};

// All channels with vectors of `lanes`; false if there are fewer channels.
template <int64_t lanes, typename T>
PJ_INLINE bool interpolate(const Corners& x, int64_t channels, T* y) {
  using Lerp = IntLerp<hn::Simd<int32_t, static_cast<size_t>(lanes), 0>, T>;
  const Lerp lerp(x.row, x.col);
  return for_channel_blocks<lanes>(channels, [&](int64_t c) {
    auto at = [c](const std::byte* pixel) {
      return Lerp::load(reinterpret_cast<const T*>(pixel) + c);
    };
    Lerp::store(lerp(at(x.top_left), at(x.top_right), at(x.bottom_left), at(x.bottom_right)),
                y + c);
  });
}

template <typename T>
PJ_INLINE void run_bilinear_int(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  // Fewer channels than a vector has lanes: narrower vectors.
  constexpr int64_t kNarrow = kLanes32 < 4 ? kLanes32 : 4;
  T* y = reinterpret_cast<T*>(t.out[0]);
  for (int32_t r = 0; r < t.size[kRow]; ++r) {
    const ResizeSource& row = *p.row(t.begin[kRow] + r);
    const std::byte *top = t.in[0] + row.first, *bottom = t.in[0] + row.second;
    for (int32_t c = 0; c < p.cols; ++c, y += p.channels) {
      const ResizeSource& col = *p.col(c);
      const Corners x{
          row, col, top + col.first, top + col.second, bottom + col.first, bottom + col.second};
      if (!interpolate<kLanes32>(x, p.channels, y) && !interpolate<kNarrow>(x, p.channels, y))
        interpolate<1>(x, p.channels, y);
    }
  }
}

template <typename T, typename>
void run_bilinear(const Tile& t) {
  if constexpr (std::is_same_v<T, float>) {
    run_bilinear_float(t);
  } else {
    run_bilinear_int<T>(t);
  }
}

}  // namespace
}  // namespace pj
