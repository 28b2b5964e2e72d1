// Float convolution to very few channels: sums over k's in the lanes of a vector, since there are
// too few channels to fill one.
//
//   x0[k..k+lanes) * w[k..k+lanes) -> acc0[lanes]     kLanes pixels side by side; their sums over
//   x1[k..k+lanes) * w[k..k+lanes) -> acc1[lanes]     lanes form one vector, a pixel a lane
//
// Weights are PackingId::kConvSegments with nr = 1 and kr = kLanes: zero past a segment's end,
// where inputs are not read.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/float.h"

namespace pj {
namespace {

// kLanes vectors' sums over their windows, for `pixels` pixels of a row; others are zero.
template <typename W, int pixels>
PJ_INLINE void accumulate_dots(const FloatTile& t, const uint8_t* const* row, int64_t x_offset,
                               const W* w, Floats::Vec (&acc)[Floats::kLanes]) {
  constexpr int32_t kLanes = Floats::kLanes;
  unrolled<kLanes>([&](auto i) PJ_INLINE_LAMBDA { acc[i] = Floats::set(0); });
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      Lanes<pixels> x(segment, t.pixel_step);
      int32_t left = t.count;
      for (; left >= kLanes; left -= kLanes, w += kLanes) {
        const Floats::Vec ws = Floats::load(w);
        unrolled<pixels>([&](auto i) PJ_INLINE_LAMBDA {
          const auto* from = reinterpret_cast<const float*>(x[i]);
          acc[i] = Floats::fma(acc[i], Floats::load(from), ws);
        });
        x.advance(kLanes * static_cast<int64_t>(sizeof(float)));
      }
      if (left == 0) continue;
      const Floats::Vec ws = Floats::load(w);
      unrolled<pixels>([&](auto i) PJ_INLINE_LAMBDA {
        const auto* from = reinterpret_cast<const float*>(x[i]);
        acc[i] = Floats::fma(acc[i], Floats::load_part(from, left), ws);
      });
      w += kLanes;
    }
  }
}

template <typename W, int pixels>
PJ_INLINE void dot_pixels(const FloatTile& t, const FloatRow& r, int32_t col) {
  Floats::Vec acc[Floats::kLanes];
  const auto* bias = reinterpret_cast<const float*>(r.panel);
  accumulate_dots<W, pixels>(t, r.rows, col * t.pixel_step, reinterpret_cast<const W*>(bias + 1),
                             acc);
  const Floats::Vec sums = Floats::add(Floats::sums(acc), Floats::set(*bias));
  const Floats::Vec results = limited(sums, t.limits.low, t.limits.high);
  uint8_t* out = r.out + col * t.out_step;
  float lanes[Floats::kLanes];
  const bool contiguous = t.out_step == sizeof(float) && pixels == Floats::kLanes;
  Floats::store(contiguous ? reinterpret_cast<float*>(out) : lanes, results);
  if (contiguous) return;
  for (int i = 0; i < pixels; ++i, out += t.out_step) std::memcpy(out, &lanes[i], sizeof(float));
}

template <typename W>
[[gnu::noinline]] void dot_row(const FloatTile& t, const FloatRow& r, int32_t cols) {
  constexpr int32_t kLanes = Floats::kLanes;
  int32_t col = 0;
  for (; cols - col >= kLanes; col += kLanes) dot_pixels<W, kLanes>(t, r, col);
  if (col == cols) return;
  // The last pixels again with those before them.
  if (cols >= kLanes) return dot_pixels<W, kLanes>(t, r, cols - kLanes);
  for (; col < cols; ++col) dot_pixels<W, 1>(t, r, col);
}

template <typename X, typename W, int mr, int nr>
void run_float_dot_conv(const Tile& t) {
  static_assert(std::is_same_v<X, float> && mr == Floats::kLanes && nr == 1);
  const FloatTile f = float_tile_of(t);
  const FloatPixels pixels = float_pixels_of(t);
  FloatRow r{};
  r.panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  for (int32_t channel = 0; channel < t.size[kChannel]; ++channel, r.panel += f.panel_bytes) {
    for (int32_t row = 0; row < pixels.rows; ++row) {
      r.rows = pixels.table + row * pixels.row_step;
      r.out = reinterpret_cast<uint8_t*>(t.out[0]) + row * pixels.out_row_bytes +
              channel * static_cast<int64_t>(sizeof(float));
      dot_row<W>(f, r, pixels.cols);
    }
  }
  FloatEpilogue(t).finish_tile();
}

}  // namespace
}  // namespace pj
