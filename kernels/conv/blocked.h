// Blocked convolution in portable C++: mr output pixels times nr output channels live in registers
// while the input channels stream by.
//
//            w[k][0..nr)          one vector of packed weights
//   x0[k] -> acc0[0..nr)          mr vectors of accumulators; each x is broadcast, so that a
//   x1[k] -> acc1[0..nr)          product needs no horizontal addition and any number of input
//   ...                           channels is fine
//
// Vectors are the compiler's own (vector_size), which gcc and clang lower to whatever the ISA has.
// Integers multiply in 16 bits: 255 * -128 = -32640 still fits, so products are exact and half as
// many instructions are needed as with 32-bit multiplies; sums are 32 bits wide.
//
// This header is compiled once for each ISA level (kernels/blocked.cc), hence the anonymous
// namespace.
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/conv/conv.h"
#include "kernels/kernel.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

template <typename T, int n>
struct VectorOf {
  typedef T type __attribute__((vector_size(n * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <typename T, int n>
using Vector = typename VectorOf<T, n>::type;

template <typename T>
using Accumulator = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;

template <typename V>
PJ_INLINE V load_vector(const void* p) {
  return *static_cast<const V*>(p);
}

// acc += x * w[0..n)
template <int n>
PJ_INLINE void multiply_add(Vector<float, n>& acc, float x, const float* w) {
  acc += x * load_vector<Vector<float, n>>(w);
}
template <int n, typename X>
PJ_INLINE void multiply_add(Vector<int32_t, n>& acc, X x, const int8_t* w) {
  using Narrow = Vector<int8_t, n>;
  using Wide = Vector<int16_t, n>;
  const Wide product =
      static_cast<int16_t>(x) * __builtin_convertvector(load_vector<Narrow>(w), Wide);
  acc += __builtin_convertvector(product, Vector<int32_t, n>);
}

// Writes `count` of the n results of one pixel.
template <int n>
PJ_INLINE void store_result(const Vector<float, n>& acc, const std::byte*, int32_t,
                            const ConvKernelParams& p, float* out, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    // A NaN stays: both comparisons are false.
    float v = acc[i];
    v = v < p.low ? p.low : v;
    out[i] = v > p.high ? p.high : v;
  }
}
template <int n, typename X>
PJ_INLINE void store_result(const Vector<int32_t, n>& acc, const std::byte* panel, int32_t x_sum,
                            const ConvKernelParams& p, X* out, int32_t count) {
  const auto* scale = reinterpret_cast<const float*>(panel) + n;
  const auto correction =
      static_cast<uint32_t>(p.weights_zero_point) * static_cast<uint32_t>(x_sum);
  int32_t q[n];
  for (int32_t i = 0; i < n; ++i) {
    const auto a = static_cast<int32_t>(static_cast<uint32_t>(acc[i]) - correction);
    q[i] = requantize(a, scale[i], p.stage);
  }
  for (int32_t i = 0; i < count; ++i) out[i] = static_cast<X>(q[i]);
}

// Weights as the inner loop reads them: f16 panels are widened once a tile into scratch, where all
// pixels of the tile share them.
template <typename W, int nr>
PJ_INLINE const W* widened(const W* weights, int64_t, std::byte*) {
  return weights;
}
template <typename W, int nr>
PJ_INLINE const float* widened(const Half* weights, int64_t count, std::byte* scratch) {
  auto* out = reinterpret_cast<float*>(scratch);
  for (int64_t i = 0; i < count; ++i) out[i] = to_float(weights[i]);
  return out;
}

template <typename X, typename W, int mr, int nr>
void conv_block(const Tile& t, const ConvKernelParams& p, int32_t row, int32_t col, int32_t cols,
                const std::byte* panel, const W* weights) {
  using Acc = Accumulator<X>;
  Vector<Acc, nr> acc[mr];
  for (int i = 0; i < mr; ++i) acc[i] = load_vector<Vector<Acc, nr>>(panel);
  int32_t x_sum[mr] = {};

  for (int32_t ky = 0; ky < p.kernel_h; ++ky) {
    const std::byte* in_row = t.rows[row * p.stride_h + ky * p.dilation_h];
    for (int32_t kx = 0; kx < p.kernel_w; ++kx) {
      const X* x[mr];
      for (int i = 0; i < mr; ++i) {
        // Pixels past the end of the tile repeat the last one; their results are dropped.
        const int32_t c = t.begin[kCol] + col + (i < cols ? i : cols - 1);
        const int32_t in_col = c * p.stride_w - p.pad_left + kx * p.dilation_w;
        const bool inside = in_row != nullptr && in_col >= 0 && in_col < p.in_width;
        x[i] = reinterpret_cast<const X*>(inside ? in_row + in_col * p.in_col_bytes : t.in[2]);
      }
      for (int32_t k = 0; k < p.in_channels; ++k, weights += nr)
        for (int i = 0; i < mr; ++i) multiply_add<nr>(acc[i], x[i][k], weights);
      if (p.weights_zero_point != 0) {
        for (int i = 0; i < mr; ++i)
          for (int32_t k = 0; k < p.in_channels; ++k) x_sum[i] += static_cast<int32_t>(x[i][k]);
      }
    }
  }
  const int32_t channels = t.size[kChannel] < nr ? t.size[kChannel] : nr;
  std::byte* out = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes;
  for (int i = 0; i < mr; ++i, out += p.out_col_bytes)
    if (i < cols) store_result<nr>(acc[i], panel, x_sum[i], p, reinterpret_cast<X*>(out), channels);
}

// A tile of at most nr channels and any number of rows and columns.
template <typename X, typename W, int mr, int nr>
void run_kConv(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const std::byte* panel = t.in[1];
  constexpr int64_t kHeader = nr * (std::is_same_v<X, float> ? 4 : 8);
  const int64_t count = int64_t{p.kernel_h} * p.kernel_w * p.in_channels * nr;
  const auto* weights =
      widened<W, nr>(reinterpret_cast<const W*>(panel + kHeader), count, t.scratch);
  for (int32_t row = 0; row < t.size[kRow]; ++row) {
    for (int32_t col = 0; col < t.size[kCol]; col += mr) {
      const int32_t left = t.size[kCol] - col;
      conv_block<X, std::remove_cvref_t<decltype(*weights)>, mr, nr>(
          t, p, row, col, left < mr ? left : mr, panel, weights);
    }
  }
}

}  // namespace
}  // namespace pj
