// Bilinear interpolation of floats: first between two rows of the input, once for all columns of an
// output row, then along the row.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/common/unrolled.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

// a + (b - a) * weight for `count` floats.
PJ_INLINE void interpolate_rows(const float* a, const float* b, float weight, int64_t count,
                                float* y) {
  const VecF32 w = splat(weight);
  for_blocks<kLanes32>(
      count, y,
      [&](float* to, const float* from_a, const float* from_b) PJ_INLINE_LAMBDA {
        const VecF32 start = load_wide(from_a);
        store(hn::MulAdd(hn::Sub(load_wide(from_b), start), w, start), to);
      },
      a, b);
}

// The same for one pixel, with vectors of `lanes`; false if it has fewer channels.
template <int64_t lanes>
PJ_INLINE bool interpolate_pixel(const float* a, const float* b, float weight, int64_t channels,
                                 float* y) {
  constexpr hn::Simd<float, static_cast<size_t>(lanes), 0> d;
  const auto w = hn::Set(d, weight);
  return for_channel_blocks<lanes>(channels, [&](int64_t c) PJ_INLINE_LAMBDA {
    const auto start = hn::LoadU(d, a + c);
    hn::StoreU(hn::MulAdd(hn::Sub(hn::LoadU(d, b + c), start), w, start), d, y + c);
  });
}

PJ_INLINE void run_bilinear_float(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  // Fewer channels than a vector has lanes: narrower vectors.
  constexpr int64_t kHalf = kLanes32 < 8 ? kLanes32 : 8, kNarrow = kLanes32 < 4 ? kLanes32 : 4;
  auto* line = reinterpret_cast<float*>(t.scratch);
  auto* y = reinterpret_cast<float*>(t.out[0]);
  auto at = [](const void* base, int64_t offset) {
    return reinterpret_cast<const float*>(static_cast<const std::byte*>(base) + offset);
  };
  for (int32_t r = 0; r < t.size[kRow]; ++r) {
    const ResizeSource& row = *p.row(t.begin[kRow] + r);
    interpolate_rows(at(t.in[0], row.first), at(t.in[0], row.second), row.fraction,
                     p.in_cols * p.channels, line);
    for (int32_t c = 0; c < p.cols; ++c, y += p.channels) {
      const ResizeSource& col = *p.col(c);
      const float *a = at(line, col.first), *b = at(line, col.second);
      if (!interpolate_pixel<kLanes32>(a, b, col.fraction, p.channels, y) &&
          !interpolate_pixel<kHalf>(a, b, col.fraction, p.channels, y) &&
          !interpolate_pixel<kNarrow>(a, b, col.fraction, p.channels, y))
        interpolate_pixel<1>(a, b, col.fraction, p.channels, y);
    }
  }
}

}  // namespace
}  // namespace pj
