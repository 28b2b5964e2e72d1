// The inner kernel of float convolutions: mr pixels times `panels` panels of output channels in
// registers.
//
//            w[k][channels]       one or more panels; f16 weights are widened by the load
//   x0[k] -> acc0[channels]       to all lanes, so that there is no horizontal addition and any
//   x1[k] -> acc1[channels]       number of input channels is fine
//   ...
//
// A step costs panels + mr loads for mr * panels multiply-adds.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/float_vector.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/lanes.h"

namespace pj {
namespace {

inline constexpr int kFloatPanel = Floats::kPanelVectors * Floats::kLanes;  // channels

// What all blocks of a tile share.
struct FloatTile {
  int32_t kernel_h, segments, count;  // window rows, segments a row, elements a segment
  int32_t row_step;                   // table entries between two window rows
  int64_t segment_step, pixel_step;   // bytes
  int64_t panel_bytes, out_step;
  Limits limits;  // of results
};

// What all blocks of a row of pixels share.
struct FloatRow {
  const uint8_t* const* rows;  // rows of the input under it, from pixel 0 of the tile
  const uint8_t* panel;        // bias, then weights
  uint8_t* out;
  int32_t channels;  // to write, at most kFloatPanel a panel
};

template <int mr, int panels>
using FloatSums = Floats::Vec[mr][panels * Floats::kPanelVectors];

// Step `ahead` from where all operands stand. Of weights and inputs the fewer stay in registers,
// the others pass one by one.
template <typename W, int mr, int panels>
PJ_INLINE void accumulate_step(const Lanes<mr>& x, const Lanes<panels>& w, int ahead,
                               FloatSums<mr, panels>& acc) {
  constexpr int kVectors = panels * Floats::kPanelVectors;
  auto weight = [&](int v) PJ_INLINE_LAMBDA {
    const auto* p = reinterpret_cast<const W*>(w[v / Floats::kPanelVectors]);
    return Floats::load(p + ahead * kFloatPanel + v % Floats::kPanelVectors * Floats::kLanes);
  };
  auto pixel = [&](int i) PJ_INLINE_LAMBDA { return reinterpret_cast<const float*>(x[i]) + ahead; };
  if constexpr (kVectors == 1) {
    const Floats::Vec ws = weight(0);
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { Floats::accumulate(acc[i][0], ws, pixel(i)); });
  } else if constexpr (mr < kVectors) {
    Floats::Vec xs[mr];
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { xs[i] = Floats::set(*pixel(i)); });
    unrolled<kVectors>([&](auto v) PJ_INLINE_LAMBDA {
      const Floats::Vec ws = weight(v);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { Floats::accumulate(acc[i][v], xs[i], ws); });
    });
  } else {
    Floats::Vec ws[kVectors];
    unrolled<kVectors>([&](auto v) PJ_INLINE_LAMBDA { ws[v] = weight(v); });
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      const Floats::Vec xs = Floats::set(*pixel(i));
      unrolled<kVectors>([&](auto v)
                             PJ_INLINE_LAMBDA { Floats::accumulate(acc[i][v], xs, ws[v]); });
    });
  }
}

// kInputs steps, more than one, whose inputs are lanes of one load a pixel. Weights are loaded a
// step ahead, so that cores in order do not wait for them.
template <typename Vectors, typename W, int mr, int panels, int chains>
PJ_INLINE void accumulate_lanes(const Lanes<mr>& x, const Lanes<panels>& w,
                                FloatSums<mr, panels>& acc, FloatSums<mr, panels> (&more)[chains]) {
  constexpr int kVectors = panels * Floats::kPanelVectors;
  Floats::Vec xs[mr], ws[2][kVectors];
  auto load_weights = [&](auto k) PJ_INLINE_LAMBDA {
    unrolled<panels>([&](auto p) PJ_INLINE_LAMBDA {
      Vectors::template load_pair<k * kFloatPanel>(reinterpret_cast<const W*>(w[p]),
                                                   ws[k % 2][2 * p], ws[k % 2][2 * p + 1]);
    });
  };
  load_weights(std::integral_constant<int, 0>{});
  unrolled<mr>(
      [&](auto i) PJ_INLINE_LAMBDA { xs[i] = Floats::load(reinterpret_cast<const float*>(x[i])); });
  unrolled<Floats::kInputs>([&](auto k) PJ_INLINE_LAMBDA {
    if constexpr (k + 1 < Floats::kInputs) load_weights(std::integral_constant<int, k + 1>{});
    FloatSums<mr, panels>& sums = k % chains == 0 ? acc : more[k % chains];
    unrolled<kVectors>([&](auto v) PJ_INLINE_LAMBDA {
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        Vectors::template accumulate_lane<k>(sums[i][v], ws[k % 2][v], xs[i]);
      });
    });
  });
}

template <typename W, int mr, int panels>
PJ_INLINE void accumulate(const FloatTile& t, const FloatRow& r, int64_t x_offset,
                          FloatSums<mr, panels>& acc) {
  constexpr int kVectors = panels * Floats::kPanelVectors;
  // A multiply-add takes 4 cycles and two start in each: fewer than 8 sums are split.
  constexpr int kChains = mr * kVectors > 4 ? 1 : (mr * kVectors > 2 ? 2 : 4);
  // Steps in one turn of the loop: few, where a step is long, for the sake of small code.
  constexpr int kInputs = Floats::kInputs;
  constexpr int kSteps =
      kInputs > 1 ? kInputs : (kChains > 1 ? kChains : (mr * kVectors >= 16 ? 1 : 2));
  FloatSums<mr, panels> more[kChains] = {};  // more[0] is acc
  Lanes<panels> w(r.panel + kFloatPanel * sizeof(float), t.panel_bytes);
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      Lanes<mr> x(segment, t.pixel_step);
      int32_t k = t.count;
      for (; k >= kSteps; k -= kSteps) {
        if constexpr (kInputs > 1) {
          accumulate_lanes<Floats, W, mr, panels>(x, w, acc, more);
        } else {
          accumulate_step<W, mr, panels>(x, w, 0, acc);
          for (int c = 1; c < kSteps; ++c)
            accumulate_step<W, mr, panels>(x, w, c, kChains > 1 ? more[c % kChains] : acc);
        }
        x.advance(kSteps * static_cast<int64_t>(sizeof(float)));
        w.advance(kSteps * kFloatPanel * static_cast<int64_t>(sizeof(W)));
      }
      if constexpr (kSteps > 1) {
#pragma GCC unroll 1
        for (; k > 0; --k) {
          accumulate_step<W, mr, panels>(x, w, 0, acc);
          x.advance(sizeof(float));
          w.advance(kFloatPanel * sizeof(W));
        }
      }
    }
  }
  for (int c = 1; c < kChains; ++c)
    for (int i = 0; i < mr; ++i)
      for (int v = 0; v < kVectors; ++v) acc[i][v] = Floats::add(acc[i][v], more[c][i][v]);
}

// Writes the results of mr pixels, their first `channels` channels.
template <int mr, int panels>
PJ_INLINE void store_block(const FloatSums<mr, panels>& results, uint8_t* out, int64_t out_step,
                           int32_t channels) {
  constexpr int kVectors = panels * Floats::kPanelVectors;
  constexpr int32_t kWhole = (kVectors - 1) * Floats::kLanes;  // channels of all vectors but one
  auto store_pixels = [&](auto&& store_last) PJ_INLINE_LAMBDA {
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      auto* to = reinterpret_cast<float*>(out);
      unrolled<kVectors - 1>(
          [&](auto v) PJ_INLINE_LAMBDA { Floats::store(to + v * Floats::kLanes, results[i][v]); });
      store_last(to + kWhole, results[i][kVectors - 1]);
      advance(out, out_step);
    });
  };
  if (channels == kWhole + Floats::kLanes) {
    store_pixels([](float* to, Floats::Vec x) PJ_INLINE_LAMBDA { Floats::store(to, x); });
  } else if (Floats::kPanelVectors == 1 || channels > kWhole) {
    store_pixels([&](float* to, Floats::Vec x)
                     PJ_INLINE_LAMBDA { Floats::store_part(to, x, channels - kWhole); });
  } else {
    // A copy, so that only this path needs the results in memory.
    FloatSums<mr, panels> copy;
    unrolled<mr * kVectors>([&](auto i) PJ_INLINE_LAMBDA {
      copy[i / kVectors][i % kVectors] = results[i / kVectors][i % kVectors];
    });
    for (int i = 0; i < mr; ++i, out += out_step) {
      auto* to = reinterpret_cast<float*>(out);
      int v = 0;
      int32_t left = channels;
      for (; left >= Floats::kLanes; left -= Floats::kLanes, ++v)
        Floats::store(to + v * Floats::kLanes, copy[i][v]);
      if (left > 0) Floats::store_part(to + v * Floats::kLanes, copy[i][v], left);
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <typename W, int mr, int panels>
[[gnu::noinline]] void float_blocks(const FloatTile& t, const FloatRow& r, int32_t col,
                                    int32_t count) {
  constexpr int kVectors = panels * Floats::kPanelVectors;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  for (; count > 0; --count) {
    FloatSums<mr, panels> acc;
    unrolled<kVectors>([&](auto v) PJ_INLINE_LAMBDA {
      const uint8_t* panel = r.panel + v / Floats::kPanelVectors * t.panel_bytes;
      const Floats::Vec bias = Floats::load(reinterpret_cast<const float*>(panel) +
                                            v % Floats::kPanelVectors * Floats::kLanes);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { acc[i][v] = bias; });
    });
    accumulate<W, mr, panels>(t, r, x_offset, acc);
    t.limits.apply<mr * kVectors>(
        [&](auto i) PJ_INLINE_LAMBDA -> Floats::Vec& { return acc[i / kVectors][i % kVectors]; });
    store_block<mr, panels>(acc, out, t.out_step, r.channels);
    x_offset += mr * t.pixel_step;
    out += mr * t.out_step;
  }
}

}  // namespace
}  // namespace pj
