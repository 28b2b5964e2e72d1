// Depthwise convolution of eight channels with windows of 3 x 3 and stride 1: two pixels are the
// halves of a vector, and so are the weights of a tap, twice. Eight outputs are computed side by
// side; those whose windows hang over the sides, one by one.
//
//   x[pixels c, c + 1][8]   is added to the outputs of c, of c - 1 and of c - 2, times a tap each
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/common/float_vector.h"
#include "kernels/conv/conv.h"
#include "kernels/conv/float_epilogue.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

class HalfDepthwise {
 public:
  template <typename W>
  HalfDepthwise(const Tile& t, const W* weights)
      : p_(*static_cast<const ConvKernelParams*>(t.params)),
        tile_(t),
        bias_(Floats::load_twice(reinterpret_cast<const float*>(t.in[1]))) {
    unrolled<9>([&](auto tap) PJ_INLINE_LAMBDA {
      w_[tap / 3][tap % 3] = Floats::load_twice(weights + tap * kChannels);
    });
  }

  PJ_INLINE void run_row(int32_t row) {
    const int32_t first = tile_.begin[kCol] - p_.pad_left;
    for (int ky = 0; ky < 3; ++ky) {
      const std::byte* x = tile_.rows[row + ky];
      x_[ky] = x != nullptr ? x + first * kStep : reinterpret_cast<const std::byte*>(kZeros);
      step_[ky] = x != nullptr ? kStep : 0;
    }
    const int32_t outputs = tile_.size[kCol];
    const int32_t left = p_.in_width - 2 - first;  // outputs whose windows end in the image
    const int32_t begin = first < 0 ? -first : 0, end = left < outputs ? left : outputs;
    std::byte* const out = tile_.out[0] + row * p_.out_row_bytes;
    for (int32_t o = 0; o < outputs;) {
      if (o >= begin && end - begin >= kBlock && o < end) {
        // The last block again with outputs before it.
        if (o + kBlock > end) o = end - kBlock;
        block(o, out + o * kStep);
        o += kBlock;
      } else {
        single(first, o, out + o * kStep);
        ++o;
      }
    }
  }

 private:
  static constexpr int32_t kChannels = Floats::kLanes / 2, kVectors = 4, kBlock = 2 * kVectors;
  static constexpr int64_t kStep = kChannels * sizeof(float);
  static constexpr float kZeros[Floats::kLanes] = {};

  PJ_INLINE void block(int32_t o, std::byte* out) {
    Floats::Vec sums[kVectors];
    unrolled<kVectors>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = bias_; });
    unrolled<3>([&](auto ky) PJ_INLINE_LAMBDA {
      const std::byte* at = x_[ky] + o * step_[ky];
      Floats::Vec xs[kBlock + 1];
      for (Floats::Vec& x : xs) {
        x = Floats::load(reinterpret_cast<const float*>(at));
        advance(at, step_[ky]);
      }
      unrolled<3>([&](auto kx) PJ_INLINE_LAMBDA {
        unrolled<kVectors>([&](auto i) PJ_INLINE_LAMBDA {
          sums[i] = Floats::fma(sums[i], xs[2 * i + kx], w_[ky][kx]);
        });
      });
    });
    limit_results<kVectors>(p_.low, p_.high,
                            [&](auto i) PJ_INLINE_LAMBDA -> Floats::Vec& { return sums[i]; });
    unrolled<kVectors>([&](auto i) PJ_INLINE_LAMBDA {
      Floats::store(reinterpret_cast<float*>(out) + i * Floats::kLanes, sums[i]);
    });
  }

  PJ_INLINE void single(int32_t first, int32_t o, std::byte* out) {
    Floats::Vec sum = bias_;
    for (int32_t kx = 0; kx < 3; ++kx) {
      const int32_t column = first + o + kx;
      if (column < 0 || column >= p_.in_width) continue;
      for (int ky = 0; ky < 3; ++ky) {
        const std::byte* x = x_[ky] + (o + kx) * step_[ky];
        sum = Floats::fma(sum, Floats::load_part(reinterpret_cast<const float*>(x), kChannels),
                          w_[ky][kx]);
      }
    }
    Floats::store_part(reinterpret_cast<float*>(out), limited(sum, p_.low, p_.high), kChannels);
  }

  const ConvKernelParams& p_;
  const Tile& tile_;
  Floats::Vec bias_, w_[3][3];
  const std::byte* x_[3];  // rows of the window at output 0's first tap
  int64_t step_[3];        // bytes between two pixels; 0: of zeros
};

template <typename X, typename W, int mr, int nr>
void run_float_half_depthwise(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == Floats::kLanes / 2);
  HalfDepthwise depthwise(t, reinterpret_cast<const W*>(t.in[1] + nr * sizeof(float)));
  for (int32_t row = 0; row < t.size[kRow]; ++row) depthwise.run_row(row);
  FloatEpilogue(t).finish_tile();
}

}  // namespace
}  // namespace pj
