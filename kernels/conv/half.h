// Convolution of 16-bit floats in their own arithmetic: mr pixels times one, two or four panels of
// 8 output channels in registers.
//
//            w[k][8]          f16
//   x0 8 k's -> acc0[8]       fmla by lane: eight k's of a pixel in a register
//   x1 8 k's -> acc1[8]
//   ...
//
// Eight k's of 8 pixels and 2 panels: 8 loads of inputs, 16 of weights and 128 fmla of 8 products.
// Cortex-A76 starts two of each a cycle, so that the 64 cycles of the multiplications are the
// limit; 16 sums, 8 inputs and 4 weights are 28 registers.
//
// Sums are of 16 bits too: of K products, each as large as the result at most, rounding leaves
// about sqrt(K) * 2^-12 of it.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/half_neon.h"
#include "kernels/conv/input_rows.h"
#include "kernels/conv/lanes.h"
#include "kernels/conv/row_cut.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

// What happens to sums before they are stored: limits, and an epilogue.
struct HalfFinish {
  Halves low, high;
  const ConvEpilogue& epilogue;
  // Of a sum: from where results go to where its operand is. Of slopes: where they are.
  int64_t operand_offset = 0;
  const uint8_t* slopes = nullptr;

  PJ_INLINE explicit HalfFinish(const Tile& t)
      : HalfFinish(t, *static_cast<const ConvKernelParams*>(t.params)) {}
  PJ_INLINE HalfFinish(const Tile& t, const ConvKernelParams& p)
      : low(set_halves(p.low)), high(set_halves(p.high)), epilogue(p.epilogue) {
    if (epilogue.is(EpilogueFn::kAdd))
      operand_offset = reinterpret_cast<intptr_t>(t.in[3]) - reinterpret_cast<intptr_t>(t.out[0]);
    if (epilogue.is(EpilogueFn::kPRelu)) slopes = reinterpret_cast<const uint8_t*>(t.in[3]);
  }

  // n vectors of results side by side, all of their lanes, and no epilogue.
  bool plain() const { return epilogue.is(EpilogueFn::kNone); }
  template <int n>
  PJ_INLINE void store_plain(uint8_t* out, const Halves (&x)[n]) const {
    unrolled<n>([&](auto v) PJ_INLINE_LAMBDA {
      store_halves(out + v * kHalfLanes * 2, limited(x[v], low, high));
    });
  }

  // `count` results at `out`, of channels from `channel` of the tile on.
  PJ_INLINE void store(uint8_t* out, Halves x, int32_t channel, int32_t count) const {
    x = limited(x, low, high);
    if (slopes != nullptr) {
      const Halves slope = load_halves(slopes + channel * int64_t{2}, count);
      x = vbslq_f16(vcltzq_f16(x), vmulq_f16(x, slope), x);
    } else if (epilogue.is(EpilogueFn::kAdd)) {
      const auto at = reinterpret_cast<intptr_t>(out) + operand_offset;
      const Halves sum = vaddq_f16(x, load_halves(reinterpret_cast<const void*>(at), count));
      x = limited(sum, set_halves(epilogue.low), set_halves(epilogue.high));
    }
    store_halves(out, x, count);
  }
};

// What all blocks of a tile share.
struct HalfTile {
  int32_t kernel_h, segments, count;  // window rows, segments a row, elements a segment
  int32_t row_step;                   // table entries between two window rows
  int64_t segment_step, pixel_step, panel_bytes, out_step;  // bytes
  HalfFinish finish;
};

struct HalfRow {
  const uint8_t* const* rows;  // of the input under it, from pixel 0 of the tile
  const uint8_t* panel;        // bias (f32), then weights
  uint8_t* out;
  int32_t channel, channels;  // of the tile; to write
};

using HalfBlocksFn = void (*)(const HalfTile&, const HalfRow&, int32_t col, int32_t count);

template <int mr, int panels>
using HalfSums = Halves[mr][panels];

// The next `steps` k's, 4 or 8.
template <int steps, int mr, int panels>
PJ_INLINE void half_steps(const Lanes<mr>& x, const Lanes<panels>& w, HalfSums<mr, panels>& acc) {
  Halves xs[mr];
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    if constexpr (steps == 8) {
      xs[i] = load_halves(x[i]);
    } else {
      const uint16x4_t four = vld1_u16(reinterpret_cast<const uint16_t*>(x[i]));
      xs[i] = vreinterpretq_f16_u16(vcombine_u16(four, four));
    }
  });
  unrolled<steps>([&](auto k) PJ_INLINE_LAMBDA {
    Halves ws[panels];
    unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA { ws[v] = load_halves(w[v] + 16 * k); });
    unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA {
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { add_product_lane<k>(acc[i][v], ws[v], xs[i]); });
    });
  });
}

template <int mr, int panels>
PJ_INLINE void half_window(const HalfTile& t, const HalfRow& r, int64_t x_offset,
                           HalfSums<mr, panels>& acc) {
  Lanes<panels> w(r.panel + kHalfLanes * sizeof(float), t.panel_bytes);
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      Lanes<mr> x(segment, t.pixel_step);
      int32_t k = t.count;
      auto advance = [&](int32_t steps) PJ_INLINE_LAMBDA {
        x.advance(steps * 2);
        w.advance(steps * 16);
        k -= steps;
      };
      while (k >= 8) {
        half_steps<8, mr, panels>(x, w, acc);
        advance(8);
      }
      if (k >= 4) {
        half_steps<4, mr, panels>(x, w, acc);
        advance(4);
      }
      while (k > 0) {
        Halves ws[panels];
        unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA { ws[v] = load_halves(w[v]); });
        unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
          const auto* one = reinterpret_cast<const uint16_t*>(x[i]);
          const Halves xs = vreinterpretq_f16_u16(vld1q_dup_u16(one));
          unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA { add_product(acc[i][v], ws[v], xs); });
        });
        advance(1);
      }
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <int mr, int panels>
[[gnu::noinline]] void half_blocks(const HalfTile& t, const HalfRow& r, int32_t col,
                                   int32_t count) {
  const HalfFinish finish = t.finish;
  const bool plain = finish.plain() && r.channels == panels * kHalfLanes;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  for (; count > 0; --count, x_offset += mr * t.pixel_step) {
    HalfSums<mr, panels> acc;
    unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA {
      const Halves bias = narrow(reinterpret_cast<const float*>(r.panel + v * t.panel_bytes));
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { acc[i][v] = bias; });
    });
    half_window<mr, panels>(t, r, x_offset, acc);
    if (plain) {
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        finish.store_plain<panels>(out, acc[i]);
        out += t.out_step;
      });
      continue;
    }
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      unrolled<panels>([&](auto v) PJ_INLINE_LAMBDA {
        const int32_t left = r.channels - v * kHalfLanes;
        finish.store(out + v * kHalfLanes * 2, acc[i][v], r.channel + v * kHalfLanes,
                     left < kHalfLanes ? left : kHalfLanes);
      });
      out += t.out_step;
    });
  }
}

template <int panels, int... pixels>
constexpr BlockSize<HalfBlocksFn> kHalfSizes[] = {{pixels, half_blocks<pixels, panels>}...};
template <int panels, int... pixels>
constexpr BlockSizes<HalfBlocksFn> half_sizes() {
  return {kHalfSizes<panels, pixels...>, sizeof...(pixels)};
}
PJ_INLINE BlockSizes<HalfBlocksFn> half_sizes(int32_t panels) {
  if (panels == 4) return half_sizes<4, 4, 2, 1>();
  return panels == 2 ? half_sizes<2, 8, 6, 4, 2, 1>() : half_sizes<1, 8, 4, 2, 1>();
}

template <typename X, typename W, int mr, int nr>
void run_half_conv(const Tile& t) {
  static_assert(std::is_same_v<X, Half> && nr == kHalfLanes);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  auto* table = reinterpret_cast<const uint8_t**>(t.scratch);
  find_rows(t, p, segment_scratch(p, t.size[kRow], t.size[kCol]),
            inside_row(p, t.begin[kCol], t.size[kCol], 0), 0, table);
  int32_t rows = t.size[kRow], cols = t.size[kCol];
  if (rows_are_one(t, p, table)) {
    cols *= rows;
    rows = 1;
  }
  const Segments segments = segments_of(p);
  const HalfTile tile{p.kernel_h,    segments.per_row, segments.bytes,
                      p.dilation_h,  segments.step,    p.stride_w * p.in_col_bytes,
                      p.panel_bytes, p.out_col_bytes,  HalfFinish(t)};
  HalfRow r{};
  r.panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  auto* out = reinterpret_cast<uint8_t*>(t.out[0]);
  for (int32_t left = t.size[kChannel]; left > 0; left -= r.channels) {
    const int32_t some = (left + kHalfLanes - 1) / kHalfLanes;
    const int32_t panels = some >= 4 && cols <= 4 ? 4 : (some >= 2 ? 2 : 1);
    r.channels = left < kHalfLanes * panels ? left : kHalfLanes * panels;
    RowCut<HalfBlocksFn> cut;
    cut_row(0, cols, half_sizes(panels), cut);
    for (int32_t row = 0; row < rows; ++row) {
      r.rows = table + row * p.stride_h;
      r.out = out + row * p.out_row_bytes;
      for (int32_t i = 0; i < cut.count; ++i)
        cut.runs[i].blocks(tile, r, cut.runs[i].col, cut.runs[i].count);
    }
    r.panel += panels * p.panel_bytes;
    r.channel += r.channels;
    out += r.channels * int64_t{2};
  }
}

}  // namespace
}  // namespace pj
