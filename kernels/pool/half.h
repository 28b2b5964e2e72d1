// Pooling of 16-bit floats, eight channels at a time. Averages are sums of 32 bits: whole images of
// 16-bit numbers would lose the small ones.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <limits>

#include "kernels/common/half_neon.h"
#include "kernels/pool/taps.h"

namespace pj {
namespace {

template <bool average>
PJ_INLINE Halves pooled(const Taps& taps, int64_t offset, int32_t channels) {
  Halves most = set_halves(-std::numeric_limits<float>::infinity());
  float32x4_t low = vdupq_n_f32(0), high = low;
  for (int32_t i = 0; i < taps.row_count; ++i) {
    const std::byte* at = taps.rows[i] + taps.first_col_bytes + offset;
    for (int32_t j = 0; j < taps.cols; ++j, at += taps.col_bytes) {
      const Halves x = load_halves(at, channels);
      if constexpr (average) {
        low = vaddq_f32(low, low_floats(x));
        high = vaddq_f32(high, high_floats(x));
      } else {
        most = vmaxq_f16(x, most);
      }
    }
  }
  if constexpr (!average) return most;
  const float32x4_t count = vdupq_n_f32(static_cast<float>(taps.count()));
  return narrow(vdivq_f32(low, count), vdivq_f32(high, count));
}

template <bool average>
void half_pool_tile(const Tile& t, const PoolParams& p) {
  const Halves low = set_halves(p.float_low), high = set_halves(p.float_high);
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    Taps taps(t, p, row);
    for (int32_t col = 0; col < t.size[kCol]; ++col) {
      taps.move_to(p, t.begin[kCol] + col);
      std::byte* y = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes;
      for (int32_t c = 0; c < t.size[kChannel]; c += kHalfLanes) {
        const int32_t left = t.size[kChannel] - c;
        const int32_t count = left < kHalfLanes ? left : kHalfLanes;
        store_halves(y + c * 2, limited(pooled<average>(taps, c * 2, count), low, high), count);
      }
    }
  }
}

template <typename X, typename W, int mr, int nr>
void run_half_pool(const Tile& t) {
  const auto& p = *static_cast<const PoolParams*>(t.params);
  if (p.fn == static_cast<int32_t>(PoolFn::kAverage)) {
    half_pool_tile<true>(t, p);
  } else {
    half_pool_tile<false>(t, p);
  }
}

}  // namespace
}  // namespace pj
