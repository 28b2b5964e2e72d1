// Float convolution of eight channels to at most two, with stride 1: neighbouring pixels of the
// input are the halves of a vector, and so are the weights of a tap, twice. The halves are summed
// at the end, 16 pixels together.
//
//   w[tap][8](2)                         PackingId::kConvSegments with kr = 8
//   x[pixels 0, 1][8]  -> acc0[lanes]
//   x[pixels 2, 3][8]  -> acc1[lanes]
//   ...
//
// Rows are read where they are. Pixels whose windows hang over the sides are computed one by one.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/common/float_vector.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/float_epilogue.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

template <typename W>
class HalfConv {
 public:
  HalfConv(const Tile& t, const std::byte* panel)
      : p_(*static_cast<const ConvKernelParams*>(t.params)),
        tile_(t),
        bias_(*reinterpret_cast<const float*>(panel)),
        weights_(reinterpret_cast<const W*>(panel + sizeof(float))),
        first_(t.begin[kCol] - p_.pad_left) {}

  // Row `row` of one channel's results, at `out`.
  PJ_INLINE void run_row(int32_t row, std::byte* out) {
    constexpr int32_t kLanes = Floats::kLanes;
    rows_ = tile_.rows + row * p_.stride_h;
    const int32_t cols = tile_.size[kCol];
    // Pixels [begin, end) see columns of the image only.
    const int32_t left = p_.in_width - (p_.kernel_w - 1) * p_.dilation_w - first_;
    const int32_t begin = first_ < 0 ? -first_ : 0, end = left < cols ? left : cols;
    for (int32_t col = 0; col < cols;) {
      const int32_t count = col >= begin && col < end && end - begin >= kLanes ? kLanes : 1;
      // The last block again with pixels before it.
      if (count == kLanes && col + kLanes > end) col = end - kLanes;
      const Floats::Vec sums = count == 1 ? sum_of_one(col) : sums_of(col);
      const Floats::Vec results = limited(Floats::add(sums, Floats::set(bias_)), p_.low, p_.high);
      std::byte* to = out + col * p_.out_col_bytes;
      float lanes[kLanes];
      const bool contiguous = p_.out_col_bytes == sizeof(float) && count == kLanes;
      Floats::store(contiguous ? reinterpret_cast<float*>(to) : lanes, results);
      for (int32_t i = 0; !contiguous && i < count; ++i, to += p_.out_col_bytes)
        std::memcpy(to, &lanes[i], sizeof(float));
      col += count;
    }
  }

 private:
  static constexpr int32_t kHalf = Floats::kLanes / 2;

  // Calls f(x, w) with each tap's pixel of the input and its weights, which are in both halves.
  template <bool whole, typename F>
  PJ_INLINE void for_taps(int32_t col, F&& f) const {
    const W* w = weights_;
    for (int32_t ky = 0; ky < p_.kernel_h; ++ky) {
      const auto* row = reinterpret_cast<const float*>(rows_[ky * p_.dilation_h]);
      for (int32_t kx = 0; kx < p_.kernel_w; ++kx, w += kHalf) {
        const int32_t column = first_ + col + kx * p_.dilation_w;
        if (row == nullptr || (!whole && (column < 0 || column >= p_.in_width))) continue;
        f(row + column * kHalf, Floats::load_twice(w));
      }
    }
  }

  // The sums of kLanes pixels that lie side by side.
  PJ_INLINE Floats::Vec sums_of(int32_t col) const {
    Floats::Vec acc[kHalf];
    unrolled<kHalf>([&](auto i) PJ_INLINE_LAMBDA { acc[i] = Floats::set(0); });
    for_taps<true>(col, [&](const float* x, Floats::Vec w) PJ_INLINE_LAMBDA {
      unrolled<kHalf>([&](auto i) PJ_INLINE_LAMBDA {
        acc[i] = Floats::fma(acc[i], Floats::load(x + i * Floats::kLanes), w);
      });
    });
    return Floats::half_sums(acc);
  }

  // The sum of one pixel, in lane 0.
  PJ_INLINE Floats::Vec sum_of_one(int32_t col) const {
    Floats::Vec acc[kHalf] = {};
    for_taps<false>(col, [&](const float* x, Floats::Vec w) PJ_INLINE_LAMBDA {
      acc[0] = Floats::fma(acc[0], Floats::load_part(x, kHalf), w);
    });
    return Floats::half_sums(acc);
  }

  const ConvKernelParams& p_;
  const Tile& tile_;
  const float bias_;
  const W* const weights_;
  const int32_t first_;  // the column under the first tap of pixel 0
  const std::byte* const* rows_ = nullptr;
};

template <typename X, typename W, int mr, int nr>
void run_float_half_conv(const Tile& t) {
  static_assert(std::is_same_v<X, float> && mr == Floats::kLanes && nr == 1);
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  for (int32_t channel = 0; channel < t.size[kChannel]; ++channel) {
    HalfConv<W> conv(t, t.in[1] + channel * p.panel_bytes);
    for (int32_t row = 0; row < t.size[kRow]; ++row)
      conv.run_row(
          row, t.out[0] + row * p.out_row_bytes + channel * static_cast<int64_t>(sizeof(float)));
  }
  FloatEpilogue(t).finish_tile();
}

}  // namespace
}  // namespace pj
