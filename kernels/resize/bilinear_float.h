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
  constexpr int kVectors = kLanes32 == 4 ? 4 : 1;
  const VecF32 w = splat(weight);
  for_blocks<kVectors * kLanes32>(
      count, y,
      [&](float* to, const float* from_a, const float* from_b) PJ_INLINE_LAMBDA {
        VecF32 result[kVectors];
        unrolled<kVectors>([&](auto i) PJ_INLINE_LAMBDA {
          const VecF32 start = load_wide(from_a + i * kLanes32);
          const VecF32 step = hn::Sub(load_wide(from_b + i * kLanes32), start);
          result[i] = hn::MulAdd(step, w, start);
        });
        unrolled<kVectors>([&](auto i) PJ_INLINE_LAMBDA { store(result[i], to + i * kLanes32); });
      },
      a, b);
}

// Vectors side by side, whose latencies overlap; of narrow ones, since there are few wide ones.
inline constexpr int kResizeVectors = kLanes32 == 4 ? 2 : 1;

// The columns of an output row from an interpolated row, with `vectors` vectors of `lanes`
// channels; false if there are fewer channels. Neighbours with the same source, many where the
// image grows, share it.
template <int64_t lanes, int vectors = 1>
PJ_INLINE bool interpolate_columns(const ResizeKernelParams& p, const float* line, float* y) {
  constexpr hn::Simd<float, static_cast<size_t>(lanes), 0> d;
  return for_channel_blocks<lanes * vectors>(p.channels, [&](int64_t c) PJ_INLINE_LAMBDA {
    const auto* from = reinterpret_cast<const std::byte*>(line + c);
    auto load = [&](int64_t offset, int64_t i) PJ_INLINE_LAMBDA {
      return hn::LoadU(d, reinterpret_cast<const float*>(from + offset) + i * lanes);
    };
    int64_t source = -1;
    hn::Vec<decltype(d)> start[vectors], step[vectors], result[vectors];
    unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA { start[i] = step[i] = hn::Zero(d); });
    float* to = y + c;
    const ResizeSource* const end = p.col(p.cols);
    for (const ResizeSource* col = p.col(0); col != end; ++col, to += p.channels) {
      // The second source depends on the first one alone (ResizeAxis).
      if (col->first != source) {
        source = col->first;
        unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA {
          start[i] = load(source, i);
          step[i] = hn::Sub(load(col->second, i), start[i]);
        });
      }
      const auto fraction = hn::Set(d, col->fraction);
      unrolled<vectors>(
          [&](auto i) PJ_INLINE_LAMBDA { result[i] = hn::MulAdd(step[i], fraction, start[i]); });
      unrolled<vectors>([&](auto i) PJ_INLINE_LAMBDA { hn::StoreU(result[i], d, to + i * lanes); });
    }
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
    if (!interpolate_columns<kLanes32, kResizeVectors>(p, line, y) &&
        !interpolate_columns<kLanes32>(p, line, y) && !interpolate_columns<kHalf>(p, line, y) &&
        !interpolate_columns<kNarrow>(p, line, y))
      interpolate_columns<1>(p, line, y);
    y += p.cols * p.channels;
  }
}

}  // namespace
}  // namespace pj
