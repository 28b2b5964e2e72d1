// Blocks of kernels/depthwise/float_slide_blocks.h for cores in order: the same sums, with loads in
// halves (kernels/common/split_loads.h) among the multiply-adds.
//
// Inputs are loaded a row of the window ahead, those of the next block during the last one; results
// are limited and stored during the block after theirs. Four sums in turn cover the latency of a
// multiply-add, as do three and loads.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/split_loads.h"
#include "kernels/common/unrolled.h"
#include "kernels/depthwise/float_slide_rows.h"

namespace pj {
namespace {

// The order of a block's work. A row of it is 3 * B multiply-adds, and loads of the row after it.
template <int S, int B>
struct SlideOrder {
  static constexpr int kColumns = (B - 1) * S + 3;
  // Registers for inputs, used in turn; as many as a block leaves, if its first row then again has
  // those that have been idle for longest.
  static constexpr int kRegisters = S == 1 ? 5 + B : B == 3 ? 11 : 9;
  static_assert(3 * kColumns % kRegisters == 0 || 3 * kColumns % kRegisters == kRegisters - 1);
  static constexpr int reg(int ky, int position) {
    return (ky % 3 * kColumns + position) % kRegisters;
  }

  // Columns are loaded in the order in which they are needed and done with: with stride 2, even
  // ones are those of taps 0 and 2, odd ones of tap 1.
  static constexpr int kTaps[3] = {0, S == 1 ? 1 : 2, S == 1 ? 2 : 1};
  static constexpr int column(int position) {
    constexpr int kEven = (kColumns + 1) / 2;
    return S == 1 ? position : position < kEven ? 2 * position : 2 * (position - kEven) + 1;
  }
  static constexpr int position(int column) {
    return S == 1 ? column : column % 2 == 0 ? column / 2 : (kColumns + 1) / 2 + column / 2;
  }
  // What multiply-add f of a row uses.
  static constexpr int tap(int f) { return kTaps[f / B]; }
  static constexpr int used(int f) { return position(f % B * S + tap(f)); }

  // The multiply-add of row ky after which the register of the next row's input is free.
  static constexpr int free_after(int ky, int next) {
    int last = 0;
    for (int f = 0; f < 3 * B; ++f)
      if (reg(ky, used(f)) == reg(ky + 1, next)) last = f;
    return last;
  }
  // The input that is loaded after multiply-add f of row ky, -1 if none: at even distances, if
  // registers are free.
  static constexpr int loaded(int ky, int f) {
    int next = 0;
    for (int g = 0; g <= f && next < kColumns; ++g) {
      if (g < (next + 1) * 3 * B / kColumns - 1 || g < free_after(ky, next)) continue;
      if (g == f) return next;
      ++next;
    }
    return -1;
  }
};

struct InOrderSlideBlocks {
  template <int S, int B>
  PJ_INLINE static void run(const SlideRows& rows, const float32x4_t (&w)[3][3],
                            const float* bias) {
    using Order = SlideOrder<S, B>;
    using Load = SplitLoads;
    constexpr int kColumns = Order::kColumns;
    const float32x4_t start = vld1q_f32(bias);
    const float32x4_t low = vdupq_n_f32(rows.low), high = vdupq_n_f32(rows.high);
    float32x4_t xs[Order::kRegisters], sums[B], results[B];
    uint64_t halves[kColumns];
    SlideWindow x = rows.window<S>(0);
    int32_t left = rows.blocks;  // of the row, with the one that is loaded
    const std::byte* at;
    // Makes `at` the place of an input, after that of the one before it.
    auto find = [&](auto ky, auto position) PJ_INLINE_LAMBDA {
      constexpr int kColumn = Order::column(position);
      if constexpr (kColumn == 0) {
        at = x.first[ky];
      } else if constexpr (kColumn == 1) {
        at = x.second[ky];
        if constexpr (S == 2) x.second[ky] = x.first[ky] + x.step[ky];
      } else {
        at = (kColumn == S ? x.second[ky] : at) + (kColumn == S ? 1 : S) * x.step[ky];
      }
      if constexpr (kColumn == kColumns - 1) {
        // Columns 0 and 1 of the next block.
        x.first[ky] = S == 1 ? at - x.step[ky] : at;
        if constexpr (S == 1) x.second[ky] = at;
        at = InOrder::select_if_equal(left, rows.last_is_pad, rows.pad, at);
      }
      InOrder::here(at);
    };
    auto load = [&](auto ky, auto position) PJ_INLINE_LAMBDA {
      Load::high(halves[position], at);
      Load::low(xs[Order::reg(ky, position)], at);
    };
    auto insert = [&](auto ky, auto position) PJ_INLINE_LAMBDA {
      Load::insert(xs[Order::reg(ky, position)], halves[position]);
    };
    constexpr std::integral_constant<int, 0> kFirst;
    unrolled<kColumns>([&](auto position) PJ_INLINE_LAMBDA {
      find(kFirst, position);
      load(kFirst, position);
      if constexpr (position >= 2) insert(kFirst, std::integral_constant<int, position - 2>{});
    });
    unrolled<B>([&](auto i) PJ_INLINE_LAMBDA {
      InOrder::copy(sums[i], start);
      results[i] = start;
    });
    // Where this block's results go, and those of the one before; what the first block stores
    // there is soon stored again.
    std::byte *out = rows.out, *before = out;
    auto add_row = [&](auto ky) PJ_INLINE_LAMBDA {
      constexpr std::integral_constant<int, (ky + 1) % 3> kNext;
      find(kNext, kFirst);
      unrolled<3 * B>([&](auto f) PJ_INLINE_LAMBDA {
        constexpr int kSum = f % B, kLoaded = Order::loaded(ky, f);
        InOrder::accumulate(sums[kSum], xs[Order::reg(ky, Order::used(f))], w[ky][Order::tap(f)]);
        if constexpr (kLoaded >= 0) {
          constexpr std::integral_constant<int, kLoaded> kPosition;
          load(kNext, kPosition);
          // The two before are there by now.
          if constexpr (kPosition < 2) {
            insert(ky, std::integral_constant<int, kColumns - 2 + kPosition>{});
          } else {
            insert(kNext, std::integral_constant<int, kPosition - 2>{});
          }
          if constexpr (kPosition + 1 < kColumns)
            find(kNext, std::integral_constant<int, kPosition + 1>{});
        }
        if constexpr (ky == 0 && f < B) InOrder::at_most(results[kSum], results[kSum], high);
      });
    };
    for (int32_t row = 0; row < rows.count;) {
      add_row(std::integral_constant<int, 0>{});
      add_row(std::integral_constant<int, 1>{});
      std::byte* next = out + B * rows.out_step;
      if (--left == 0) {
        // The next row of outputs; after the last one, its first block again.
        ++row;
        x = rows.window<S>(row < rows.count ? row : 0);
        left = rows.blocks;
        next = rows.out + row * rows.out_row_bytes;
      }
      add_row(std::integral_constant<int, 2>{});
      unrolled<B>([&](auto i) PJ_INLINE_LAMBDA {
        InOrder::store(before, results[i]);
        InOrder::at_least(results[i], sums[i], low);
        advance(before, rows.out_step);
        InOrder::copy(sums[i], start);
      });
      before = out;
      out = next;
    }
    unrolled<B>([&](auto i) PJ_INLINE_LAMBDA {
      vst1q_f32(reinterpret_cast<float*>(before), vminq_f32(results[i], high));
      before += rows.out_step;
    });
  }
};

}  // namespace
}  // namespace pj
