// The inner kernel of float convolutions for cores in order without reordering of loads (ARM
// Cortex-A53): mr pixels times one panel of 8 channels, as kernels/conv/float_block.h has it, in an
// order of its own.
//
// A load of 128 bits takes such a core's vector pipes for two cycles, so that 16 loads for 64 fmla
// make 96 cycles of 64. In halves they cost one:
//
//   ldr x   the upper half, into a general register: beside an fmla
//   ldr d   the lower half: half of the vector pipes,
//   ins     the upper half of the vector before: the other half
//
// which leaves 80 cycles, and as many instructions between two that depend on each other as they
// have latency: weights are loaded a step ahead, inputs after their last fmla. Cores that reorder
// would pay for the additional instructions: the planner says what the core is.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/split_loads.h"
#include "kernels/conv/float_block.h"

namespace pj {
namespace {

// `steps` times 4 k's from where the operands stand; at least one.
template <int mr>
PJ_INLINE void add_steps_in_order(Lanes<mr>& x, const float*& w, int32_t steps,
                                  float32x4_t (&acc)[mr][2]) {
  using Load = SplitLoads;
  float32x4_t xs[mr], ws[2][2];
  uint64_t x_high[mr], w_high[2];
  unrolled<2>([&](auto v) PJ_INLINE_LAMBDA {
    Load::low(ws[0][v], w + 4 * v);
    Load::high(w_high[v], w + 4 * v);
  });
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    Load::low(xs[i], x[i]);
    Load::high(x_high[i], x[i]);
  });
  Load::insert(ws[0][0], w_high[0]);
  unrolled<mr - 2>([&](auto i) PJ_INLINE_LAMBDA { Load::insert(xs[i], x_high[i]); });
  for (; steps > 0; --steps) {
    // The last turn loads again what it has, instead of what may not exist.
    const bool more = steps > 1;
    const float* const next = more ? w + 4 * kFloatPanel : w;
    x.advance(more ? 16 : 0);
    unrolled<4>([&](auto k) PJ_INLINE_LAMBDA {
      const float* from = k < 3 ? w + (k + 1) * kFloatPanel : next;
      float32x4_t(&now)[2] = ws[k % 2];
      float32x4_t(&then)[2] = ws[(k + 1) % 2];
      if constexpr (k == 0) {
        Load::insert(xs[mr - 2], x_high[mr - 2]);
        Load::insert(xs[mr - 1], x_high[mr - 1]);
      }
      Load::low(then[0], from);
      Load::insert(now[1], w_high[1]);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        InOrder::accumulate_lane<k>(acc[i][0], now[0], xs[i]);
        if constexpr (i == 0) Load::high(w_high[0], from);
        if constexpr (i == 1) Load::high(w_high[1], from + 4);
        if constexpr (k == 3 && i >= 2) Load::high(x_high[i - 2], x[i - 2]);
      });
      Load::low(then[1], from + 4);
      Load::insert(then[0], w_high[0]);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        InOrder::accumulate_lane<k>(acc[i][1], now[1], xs[i]);
        if constexpr (k == 3) {
          if constexpr (i < 2) Load::high(x_high[mr - 2 + i], x[mr - 2 + i]);
          Load::low(xs[i], x[i]);
          if constexpr (i >= 2) Load::insert(xs[i - 2], x_high[i - 2]);
        }
      });
    });
    w = next;
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <int mr>
[[gnu::noinline]] void in_order_blocks(const FloatTile& t, const FloatRow& r, int32_t col,
                                       int32_t count) {
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const auto* bias = reinterpret_cast<const float*>(r.panel);
  for (; count > 0; --count, x_offset += mr * t.pixel_step, out += mr * t.out_step) {
    FloatSums<mr, 1> acc;
    unrolled<2>([&](auto v) PJ_INLINE_LAMBDA {
      const float32x4_t b = Floats::load(bias + 4 * v);
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA { acc[i][v] = b; });
    });
    const float* w = bias + kFloatPanel;
    const uint8_t* const* row = r.rows;
    for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
      const uint8_t* segment = *row + x_offset;
      for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
        Lanes<mr> x(segment, t.pixel_step);
        const int32_t steps = t.count / 4;
        if (steps > 0) {
          add_steps_in_order<mr>(x, w, steps, acc);
          x.advance(16);
          w += 4 * kFloatPanel;
        }
#pragma GCC unroll 1
        for (int32_t k = t.count % 4; k > 0; --k) {
          accumulate_step<float, mr, 1>(x, Lanes<1>(reinterpret_cast<const uint8_t*>(w), 0), 0,
                                        acc);
          x.advance(sizeof(float));
          w += kFloatPanel;
        }
      }
    }
    unrolled<mr * 2>([&](auto i) PJ_INLINE_LAMBDA {
      acc[i / 2][i % 2] = limited(acc[i / 2][i % 2], t.low, t.high);
    });
    store_block<mr, 1>(acc, out, t.out_step, r.channels);
  }
}

// `steps` times 4 k's of one pixel, at least one: sums[2k + v] are those of vector v of the panel
// over every fourth k. Weights are loaded again after their fmla, as inputs are above.
PJ_INLINE void add_pixel_in_order(const float*& x, const float*& w, int32_t steps,
                                  float32x4_t (&sums)[8]) {
  using Load = SplitLoads;
  float32x4_t ws[8];
  uint64_t high[8];
  unrolled<8>([&](auto j) PJ_INLINE_LAMBDA {
    Load::low(ws[j], w + 4 * j);
    Load::high(high[j], w + 4 * j);
    if constexpr (j >= 2) Load::insert(ws[j - 2], high[j - 2]);
  });
  float32x4_t xs = vld1q_f32(x);
  for (; steps > 0; --steps) {
    const float* const next = steps > 1 ? w + 4 * kFloatPanel : w;
    x += steps > 1 ? 4 : 0;
    const float32x4_t next_xs = vld1q_f32(x);
    Load::insert(ws[6], high[6]);
    Load::insert(ws[7], high[7]);
    unrolled<8>([&](auto j) PJ_INLINE_LAMBDA {
      InOrder::accumulate_lane<j / 2>(sums[j], ws[j], xs);
      Load::high(high[j], next + 4 * j);
      Load::low(ws[j], next + 4 * j);
      if constexpr (j >= 2) Load::insert(ws[j - 2], high[j - 2]);
    });
    xs = next_xs;
    w = next;
  }
}

// The same as in_order_blocks(), of single pixels and all panels of the row.
[[maybe_unused, gnu::noinline]] void in_order_pixels(const FloatTile& t, const FloatRow& r,
                                                     int32_t col, int32_t count) {
  for (const int32_t end = col + count; col < end; ++col) {
    const uint8_t* panel = r.panel;
    for (int32_t c = 0; c < r.channels; c += kFloatPanel, panel += t.panel_bytes) {
      const auto* w = reinterpret_cast<const float*>(panel);
      float32x4_t sums[8] = {Floats::load(w), Floats::load(w + 4)};
      w += kFloatPanel;
      const uint8_t* const* row = r.rows;
      for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
        const uint8_t* segment = *row + col * t.pixel_step;
        for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
          const auto* x = reinterpret_cast<const float*>(segment);
          if (t.count >= 4) {
            add_pixel_in_order(x, w, t.count / 4, sums);
            x += 4;
            w += 4 * kFloatPanel;
          }
          for (int32_t k = t.count % 4; k > 0; --k, w += kFloatPanel) {
            const float32x4_t xs = Floats::set(*x++);
            Floats::accumulate(sums[0], Floats::load(w), xs);
            Floats::accumulate(sums[1], Floats::load(w + 4), xs);
          }
        }
      }
      FloatSums<1, 1> results;
      unrolled<2>([&](auto v) PJ_INLINE_LAMBDA {
        const Floats::Vec sum =
            Floats::add(Floats::add(sums[v], sums[2 + v]), Floats::add(sums[4 + v], sums[6 + v]));
        results[0][v] = limited(sum, t.low, t.high);
      });
      const int32_t left = r.channels - c;
      store_block<1, 1>(results, r.out + col * t.out_step + c * 4, t.out_step,
                        left < kFloatPanel ? left : kFloatPanel);
    }
  }
}

}  // namespace
}  // namespace pj
