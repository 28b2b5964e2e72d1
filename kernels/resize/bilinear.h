// Bilinear interpolation, a vector of channels at a time, in the order of the reference: first
// along the row, then between rows.
#pragma once

#include "kernels/common/resize_axis.h"
#include "kernels/common/simd.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

struct FloatLerpLanes {
  VecF32 fx, fy;
  FloatLerpLanes(const ResizeSource& row, const ResizeSource& col)
      : fx(splat(col.fraction)), fy(splat(row.fraction)) {}
  PJ_INLINE VecF32 operator()(VecF32 top_left, VecF32 top_right, VecF32 bottom_left,
                              VecF32 bottom_right) const {
    const VecF32 top = hn::Add(top_left, hn::Mul(hn::Sub(top_right, top_left), fx));
    const VecF32 bottom = hn::Add(bottom_left, hn::Mul(hn::Sub(bottom_right, bottom_left), fx));
    return hn::Add(top, hn::Mul(hn::Sub(bottom, top), fy));
  }
};
struct IntLerpLanes {
  VecI32 fx, fy;
  IntLerpLanes(const ResizeSource& row, const ResizeSource& col)
      : fx(splat(col.weight)), fy(splat(row.weight)) {}
  PJ_INLINE VecI32 operator()(VecI32 top_left, VecI32 top_right, VecI32 bottom_left,
                              VecI32 bottom_right) const {
    auto between = [](VecI32 a, VecI32 b, VecI32 weight) {
      return hn::Add(hn::ShiftLeft<kResizeBits>(a), hn::Mul(hn::Sub(b, a), weight));
    };
    const VecI32 top = between(top_left, top_right, fx);
    const VecI32 bottom = between(bottom_left, bottom_right, fx);
    const VecI32 half = splat(1 << (2 * kResizeBits - 1));
    return hn::ShiftRight<2 * kResizeBits>(hn::Add(between(top, bottom, fy), half));
  }
};

PJ_INLINE void store_resized(VecF32 v, float* y) { store(v, y); }
template <typename Q>
PJ_INLINE void store_resized(VecI32 v, Q* y) {
  hn::StoreU(hn::DemoteTo(hn::Rebind<Q, TagI32>(), v), hn::Rebind<Q, TagI32>(), y);
}

template <typename T, typename>
void run_bilinear(const Tile& t) {
  using Lerp = std::conditional_t<std::is_same_v<T, float>, FloatLerpLanes, IntLerpLanes>;
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  T* y = reinterpret_cast<T*>(t.out[0]);
  auto pixels = [](const std::byte* row, int64_t offset) {
    return reinterpret_cast<const T*>(row + offset);
  };
  for (int32_t r = 0; r < t.size[kRow]; ++r) {
    const ResizeSource& row = *p.row(t.begin[kRow] + r);
    const std::byte *top = t.in[0] + row.first, *bottom = t.in[0] + row.second;
    for (int32_t c = 0; c < p.cols; ++c, y += p.channels) {
      const ResizeSource& col = *p.col(c);
      const Lerp lerp(row, col);
      const T* corners[4] = {pixels(top, col.first), pixels(top, col.second),
                             pixels(bottom, col.first), pixels(bottom, col.second)};
      auto block = [&](T* to, const T* a, const T* b, const T* d, const T* e) {
        store_resized(lerp(load_wide(a), load_wide(b), load_wide(d), load_wide(e)), to);
      };
      for_blocks<kLanes32>(p.channels, y, block, corners[0], corners[1], corners[2], corners[3]);
    }
  }
}

}  // namespace
}  // namespace pj
