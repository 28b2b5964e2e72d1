// Float convolution to at most half a vector of channels: pairs of neighbouring k's side by side.
//
//   w[k/2][channels](2)          lanes 2c and 2c + 1: weights of channel c for an even and an odd k
//   x0[k, k+1] -> acc0[lanes]    64 bits to all lanes; neighbouring lanes are added at the end
//   x1[k, k+1] -> acc1[lanes]
//
// Weights are PackingId::kConvSegments with kr = 2: zero past a segment's end, where the other
// input is taken as zero too.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/float.h"

namespace pj {
namespace {

inline constexpr int kPairChannels = Floats::kLanes / 2;

template <typename W, int mr>
PJ_INLINE void accumulate_pairs(const FloatTile& t, const uint8_t* const* row, int64_t x_offset,
                                const W* w, Floats::Vec (&acc)[mr]) {
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      Lanes<mr> x(segment, t.pixel_step);
      for (int32_t k = t.count / 2; k > 0; --k) {
        const Floats::Vec ws = Floats::load(w);
        unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
          Floats::accumulate(acc[i], ws, Floats::pair(reinterpret_cast<const float*>(x[i])));
        });
        x.advance(2 * sizeof(float));
        w += Floats::kLanes;
      }
      if (t.count % 2 == 0) continue;
      const Floats::Vec ws = Floats::load(w);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        Floats::accumulate(acc[i], ws, Floats::half_pair(*reinterpret_cast<const float*>(x[i])));
      });
      w += Floats::kLanes;
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <typename W, int mr>
[[gnu::noinline]] void pair_blocks(const FloatTile& t, const FloatRow& r, int32_t col,
                                   int32_t count) {
  const auto* bias = reinterpret_cast<const float*>(r.panel);
  const Floats::Vec start = Floats::load_even(bias);
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const bool contiguous = r.channels == kPairChannels && t.out_step == kPairChannels * 4;
  for (; count > 0; --count, x_offset += mr * t.pixel_step) {
    Floats::Vec acc[mr];
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { acc[i] = start; });
    accumulate_pairs<W, mr>(t, r.rows, x_offset, reinterpret_cast<const W*>(bias + kPairChannels),
                            acc);
    // Two pixels make a vector of results.
    unrolled<(mr + 1) / 2>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr bool kBoth = 2 * i + 1 < mr;
      const Floats::Vec sums = Floats::pair_sums(acc[2 * i], acc[kBoth ? 2 * i + 1 : 2 * i]);
      const Floats::Vec results = limited(sums, t.limits.low, t.limits.high);
      auto* to = reinterpret_cast<float*>(out);
      if (kBoth && contiguous) {
        Floats::store(to, results);
      } else {
        Floats::store_half<0>(to, results, r.channels);
        if constexpr (kBoth)
          Floats::store_half<1>(reinterpret_cast<float*>(out + t.out_step), results, r.channels);
      }
      out += (kBoth ? 2 : 1) * t.out_step;
    });
  }
}

template <typename W, int... pixels>
constexpr BlockSize<FloatBlocksFn> kPairSizes[] = {{pixels, pair_blocks<W, pixels>}...};

template <typename W, int... pixels>
constexpr BlockSizes<FloatBlocksFn> pair_sizes() {
  return {kPairSizes<W, pixels...>, sizeof...(pixels)};
}

// A panel of pairs, all pixels of a tile.
template <typename W, int mr>
void compute_pairs(const FloatTile& f, const FloatPixels& pixels, const uint8_t* panel,
                   int32_t channels, uint8_t* out) {
  RowCut<FloatBlocksFn> cut;
  cut_row(0, pixels.cols, pair_sizes<W, mr, mr / 2, 2, 1>(), cut);
  FloatRow r{};
  r.panel = panel;
  r.channels = channels;
  for (int32_t row = 0; row < pixels.rows; ++row) {
    r.rows = pixels.table + row * pixels.row_step;
    r.out = out + row * pixels.out_row_bytes;
    for (int32_t i = 0; i < cut.count; ++i)
      cut.runs[i].blocks(f, r, cut.runs[i].col, cut.runs[i].count);
  }
}

template <typename X, typename W, int mr, int nr>
void run_float_pair_conv(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == kPairChannels);
  compute_pairs<W, mr>(float_tile_of(t), float_pixels_of(t),
                       reinterpret_cast<const uint8_t*>(t.in[1]), t.size[kChannel],
                       reinterpret_cast<uint8_t*>(t.out[0]));
  FloatEpilogue(t).finish_tile();
}

// Panels of PackingId::kConvHalfTails: of kernels/conv/float.h, and at most half of the last one's
// channels as pairs.
template <typename X, typename W, int mr, int nr>
void run_float_tail_conv(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == kFloatPanel);
  const int32_t last = t.size[kChannel] % nr, half = last <= kPairChannels ? last : 0;
  const int32_t whole = t.size[kChannel] - half;
  const FloatTile f = float_tile_of(t);
  const FloatPixels pixels = float_pixels_of(t);
  const FloatEpilogue epilogue(t);
  const auto* panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  auto* out = reinterpret_cast<uint8_t*>(t.out[0]);
  // Of a half panel alone, an epilogue would walk short pieces of pixels: it waits for both.
  compute_panels<W>(f, pixels, panel, whole, out,
                    half == 0 && epilogue.present() ? &epilogue : nullptr);
  if (half == 0) return;
  compute_pairs<W, mr>(f, pixels, panel + whole / nr * f.panel_bytes, half,
                       out + whole * static_cast<int64_t>(sizeof(float)));
  epilogue.finish_tile();
}

}  // namespace
}  // namespace pj
