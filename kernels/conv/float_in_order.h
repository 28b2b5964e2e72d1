// The inner kernel of float convolutions for cores in order without reordering of loads (ARM
// Cortex-A53): mr pixels times one panel of 8 channels, as kernels/conv/float_block.h has it, in an
// order of its own.
//
// Inputs of two pixels, two k's of each, are the halves of a register, and so fewer registers than
// other blocks need hold them: mr may be 10. Loads are in halves (kernels/common/split_loads.h), so
// that 18 of them make 49 cycles of 40 multiply-adds. Each waits for the next one to bring its
// upper half; weights are loaded a step ahead, inputs after their last multiply-add.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/split_loads.h"
#include "kernels/conv/float_block.h"

namespace pj {
namespace {

// `steps` times 2 k's from where the operands stand; at least one.
template <int mr>
PJ_INLINE void add_steps_in_order(Lanes<mr>& x, const float*& w, int32_t steps,
                                  float32x4_t (&acc)[mr][2]) {
  using Load = SplitLoads;
  constexpr int kPairs = (mr + 1) / 2, kLast = kPairs - 1, kPointers = (mr + 2) / 3;
  float32x4_t xs[kPairs], ws[2][2];  // weights: of k, of vector
  uint64_t x_half[2], w_half[2][2];  // upper halves of loads whose turn comes
  // An address is pointer + distance: gcc would add.
  int64_t between[3] = {0, x.distance, 2 * x.distance};
  asm volatile("" : "+r"(between[1]), "+r"(between[2]));
  auto load_x = [&](auto j) PJ_INLINE_LAMBDA {
    constexpr int kLow = 2 * j, kHigh = kLow + 1;
    if constexpr (kHigh < mr) {
      if constexpr (kHigh % 3 == 0) {
        Load::word(x_half[j % 2], x.at[kHigh / 3]);
      } else {
        Load::word(x_half[j % 2], x.at[kHigh / 3], between[kHigh % 3]);
      }
    }
    if constexpr (kLow % 3 == 0) {
      Load::low(xs[j], x.at[kLow / 3]);
    } else {
      Load::low(xs[j], x.at[kLow / 3], between[kLow % 3]);
    }
  };
  auto insert_x = [&](auto j) PJ_INLINE_LAMBDA {
    if constexpr (j >= 0 && 2 * j + 1 < mr) Load::insert(xs[j], x_half[j % 2]);
  };
  auto load_w = [&](int k, int v) PJ_INLINE_LAMBDA {
    const float* const from = w + k * kFloatPanel + 4 * v;
    Load::high(w_half[k][v], from);
    Load::low(ws[k][v], from);
  };
  auto insert_w = [&](int k, int v) PJ_INLINE_LAMBDA { Load::insert(ws[k][v], w_half[k][v]); };
  load_w(0, 0);
  load_w(0, 1);
  insert_w(0, 0);
  unrolled<kLast>([&](auto j) PJ_INLINE_LAMBDA {
    load_x(j);
    if constexpr (j == 0) {
      insert_w(0, 1);
    } else {
      insert_x(std::integral_constant<int, j - 1>{});
    }
  });
  const int64_t whole = 8;
  for (; steps > 0; --steps) {
    int64_t step = 0;
    // The first k, with one vector of weights and then the other.
    unrolled<2 * mr>([&](auto f) PJ_INLINE_LAMBDA {
      constexpr int i = f % mr, v = f / mr, kLastLoad = mr > 4 ? 1 : 0;
      // Where loads and additions find multiply-adds to start with.
      constexpr int kFirst = mr > 8 ? 4 : mr > 4 ? 3 : 2;
      constexpr int kSecond = kFirst + (mr > 8 ? 3 : mr > 7 ? 2 : 1);
      InOrder::accumulate_lane<i % 2 * 2>(acc[i][v], ws[0][v], xs[i / 2]);
      if constexpr (f == kLastLoad) {
        load_x(std::integral_constant<int, kLast>{});
        insert_x(std::integral_constant<int, kLast - 1>{});
      } else if constexpr (f == 2) {
        // The last turn loads again what it has, instead of what may not exist.
        step = InOrder::select_if_more(steps, whole);
      }
      if constexpr (f == kFirst) {
        load_w(1, 0);
        insert_x(std::integral_constant<int, kLast>{});
      } else if constexpr (f == kSecond) {
        load_w(1, 1);
        insert_w(1, 0);
        w += step * (2 * kFloatPanel / 8);
        forget(w);
      } else if constexpr (f == kSecond + kPointers + 2) {
        load_w(0, 0);
        insert_w(1, 1);
      }
      if constexpr (f > kSecond && f <= kSecond + kPointers) {
        x.at[f - kSecond - 1] += step;
        forget(x.at[f - kSecond - 1]);
      }
    });
    // The second k, with the pixels one by one.
    unrolled<2 * mr>([&](auto f) PJ_INLINE_LAMBDA {
      constexpr int i = f / 2, v = f % 2, j = f / 4;
      InOrder::accumulate_lane<i % 2 * 2 + 1>(acc[i][v], ws[1][v], xs[i / 2]);
      if constexpr (f == 0) {
        load_w(0, 1);
        insert_w(0, 0);
      } else if constexpr (f % 4 == 3 && j < kLast) {
        load_x(std::integral_constant<int, j>{});
        if constexpr (j == 0) {
          insert_w(0, 1);
        } else {
          insert_x(std::integral_constant<int, j - 1>{});
        }
      }
    });
  }
}

// The last k of a segment with an odd number of them.
template <int mr>
PJ_INLINE void add_last_in_order(const Lanes<mr>& x, const float* w, float32x4_t (&acc)[mr][2]) {
  const float32x4_t ws[2] = {Floats::load(w), Floats::load(w + 4)};
  constexpr int kHalf = (mr + 1) / 2;  // pixels whose inputs are loaded at once
  unrolled<2>([&](auto half) PJ_INLINE_LAMBDA {
    constexpr int kFirst = half * kHalf, kCount = half == 0 ? kHalf : mr - kHalf;
    float32x4_t xs[kHalf];
    unrolled<kCount>([&](auto i) PJ_INLINE_LAMBDA { SplitLoads::number(xs[i], x[kFirst + i]); });
    unrolled<2 * kCount>([&](auto f) PJ_INLINE_LAMBDA {
      InOrder::accumulate_lane<0>(acc[kFirst + f / 2][f % 2], ws[f % 2], xs[f / 2]);
    });
  });
}

// Limits results and stores them: beside the instructions of an upper limit, if there is one.
template <int mr>
PJ_INLINE void finish_in_order(const FloatTile& t, FloatSums<mr, 1>& acc, uint8_t* out,
                               int32_t channels) {
  auto result = [&](int f) PJ_INLINE_LAMBDA -> float32x4_t& { return acc[f / 2][f % 2]; };
  if (t.limits.lower) {
    const float32x4_t low = vdupq_n_f32(t.limits.low);
    unrolled<2 * mr>([&](auto f)
                         PJ_INLINE_LAMBDA { InOrder::at_least(result(f), result(f), low); });
  }
  const float32x4_t high = vdupq_n_f32(t.limits.high);
  if (t.limits.upper && channels == kFloatPanel) {
    constexpr int kLatency = 4;
    const int64_t out_step = t.out_step;
    unrolled<2 * mr + kLatency>([&](auto f) PJ_INLINE_LAMBDA {
      constexpr int kStored = f - kLatency;
      if constexpr (f < 2 * mr) InOrder::at_most(result(f), result(f), high);
      if constexpr (kStored >= 0) InOrder::store(out + kStored % 2 * 16, result(kStored));
      if constexpr (kStored >= 0 && kStored % 2 == 1) advance(out, out_step);
    });
    return;
  }
  if (t.limits.upper)
    unrolled<2 * mr>([&](auto f)
                         PJ_INLINE_LAMBDA { result(f) = Floats::at_most(result(f), high); });
  store_block<mr, 1>(acc, out, t.out_step, channels);
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
        const int32_t steps = t.count / 2;
        if (steps > 0) {
          add_steps_in_order<mr>(x, w, steps, acc);
          x.advance(8);
          w += 2 * kFloatPanel;
        }
        if (t.count % 2 != 0) {
          add_last_in_order<mr>(x, w, acc);
          w += kFloatPanel;
        }
      }
    }
    finish_in_order<mr>(t, acc, out, r.channels);
  }
}

// Products of one pixel are too few for what halves of vectors cost: sums of 64 bits, whose weights
// arrive in pairs, two instructions a cycle.
struct PixelSums {
  float32x2_t of[2][4] = {};  // over every other k, by pairs of channels
};

// `steps` times 4 k's of one pixel, at least one. Weights are loaded again after their last use.
PJ_INLINE void add_pixel_in_order(const float*& x, const float*& w, int32_t steps,
                                  PixelSums& sums) {
  using Load = SplitLoads;
  float32x2_t ws[8][2], xs[2];  // xs: of two k's
  unrolled<8>([&](auto j) PJ_INLINE_LAMBDA { Load::next_pair(ws[j][0], ws[j][1], w); });
  Load::next(xs[0], x);
  auto add = [&](auto j) PJ_INLINE_LAMBDA {
    unrolled<2>([&](auto half) PJ_INLINE_LAMBDA {
      InOrder::accumulate_lane<j / 2 % 2>(sums.of[j / 2 % 2][j % 2 * 2 + half], ws[j][half],
                                          xs[j / 4]);
    });
  };
  for (; steps > 1; --steps) {
    Load::next(xs[1], x);
    unrolled<8>([&](auto j) PJ_INLINE_LAMBDA {
      add(j);
      Load::next_pair(ws[j][0], ws[j][1], w);
      if constexpr (j == 3) Load::next(xs[0], x);
    });
  }
  Load::next(xs[1], x);
  unrolled<8>(add);
}

// The same as in_order_blocks(), of single pixels and all panels of the row.
[[maybe_unused, gnu::noinline]] void in_order_pixels(const FloatTile& t, const FloatRow& r,
                                                     int32_t col, int32_t count) {
  for (const int32_t end = col + count; col < end; ++col) {
    const uint8_t* panel = r.panel;
    for (int32_t c = 0; c < r.channels; c += kFloatPanel, panel += t.panel_bytes) {
      const auto* w = reinterpret_cast<const float*>(panel);
      FloatSums<1, 1> results = {{Floats::load(w), Floats::load(w + 4)}};
      PixelSums sums;
      w += kFloatPanel;
      const uint8_t* const* row = r.rows;
      for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
        const uint8_t* segment = *row + col * t.pixel_step;
        for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
          const auto* x = reinterpret_cast<const float*>(segment);
          if (t.count >= 4) add_pixel_in_order(x, w, t.count / 4, sums);
#pragma GCC unroll 1
          for (int32_t k = t.count % 4; k > 0; --k, w += kFloatPanel) {
            const float32x4_t xs = Floats::set(*x++);
            Floats::accumulate(results[0][0], Floats::load(w), xs);
            Floats::accumulate(results[0][1], Floats::load(w + 4), xs);
          }
        }
      }
      unrolled<2>([&](auto v) PJ_INLINE_LAMBDA {
        unrolled<2>([&](auto k) PJ_INLINE_LAMBDA {
          results[0][v] =
              Floats::add(results[0][v], vcombine_f32(sums.of[k][2 * v], sums.of[k][2 * v + 1]));
        });
        results[0][v] = limited(results[0][v], t.limits.low, t.limits.high);
      });
      const int32_t left = r.channels - c;
      store_block<1, 1>(results, r.out + col * t.out_step + c * 4, t.out_step,
                        left < kFloatPanel ? left : kFloatPanel);
    }
  }
}

}  // namespace
}  // namespace pj
