// Blocked convolution in portable C++: mr output pixels times nr output channels live in registers
// while the input channels stream by.
//
//            w[k][0..nr)          packed weights, a few vectors
//   x0[k] -> acc0[0..nr)          mr rows of accumulators; each x is broadcast, so that a product
//   x1[k] -> acc1[0..nr)          needs no horizontal addition and any number of input channels is
//   ...                           fine
//
// Vectors are the compiler's own (vector_size), of the register width of the level that is being
// compiled: gcc keeps wider ones in memory. Integers are widened to 32 bits before they multiply.
//
// This header is compiled once for each ISA level (kernels/levels), hence the anonymous
// namespace.
#pragma once

#include <cstring>
#include <type_traits>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/conv/conv.h"
#include "kernels/kernel.h"
#include "runtime/base/half.h"

namespace pj {
namespace {

#if defined(__AVX2__)
constexpr int kLanes = 8;  // of 32 bits, in a register
#else
constexpr int kLanes = 4;
#endif

template <typename T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T)), aligned(alignof(T)), may_alias));
};
template <typename T>
using Vector = typename VectorOf<T>::type;

// Integer sums wrap modulo 2^32, hence unsigned.
template <typename T>
using Accumulator = std::conditional_t<std::is_same_v<T, float>, float, uint32_t>;

// kLanes consecutive elements, as accumulators see them.
PJ_INLINE Vector<float> load_wide(const float* p) {
  return *reinterpret_cast<const Vector<float>*>(p);
}
PJ_INLINE Vector<uint32_t> load_wide(const uint32_t* p) {
  return *reinterpret_cast<const Vector<uint32_t>*>(p);
}
#if defined(__AVX2__)
// One instruction each; gcc 12 takes the portable form below apart into single elements.
PJ_INLINE Vector<uint32_t> load_wide(const int8_t* p) {
  return (Vector<uint32_t>)_mm256_cvtepi8_epi32(_mm_loadu_si64(p));
}
PJ_INLINE Vector<uint32_t> load_wide(const uint8_t* p) {
  return (Vector<uint32_t>)_mm256_cvtepu8_epi32(_mm_loadu_si64(p));
}
#else
template <typename T>
PJ_INLINE Vector<uint32_t> load_wide(const T* p) {
  static_assert(sizeof(T) == 1);
  return __builtin_convertvector(*reinterpret_cast<const Vector<T>*>(p), Vector<uint32_t>);
}
#endif

// Results of one pixel for nr channels: `count` of them are written.
template <int nr>
PJ_INLINE void store_result(const Vector<float>* acc, const std::byte*, uint32_t,
                            const ConvKernelParams& p, float* out, int32_t count) {
  // A NaN stays: both comparisons are false.
  const Vector<float> low = p.low - Vector<float>{}, high = p.high - Vector<float>{};
  float results[nr];
  for (int v = 0; v < nr / kLanes; ++v) {
    Vector<float> r = acc[v] < low ? low : acc[v];
    r = r > high ? high : r;
    std::memcpy(results + v * kLanes, &r, sizeof(r));
  }
  if (count == nr) {
    std::memcpy(out, results, sizeof(results));
  } else {
    std::memcpy(out, results, static_cast<size_t>(count) * sizeof(float));
  }
}
template <int nr, typename X>
PJ_INLINE void store_result(const Vector<uint32_t>* acc, const std::byte* panel, uint32_t x_sum,
                            const ConvKernelParams& p, X* out, int32_t count) {
  const auto* scale = reinterpret_cast<const float*>(panel) + nr;
  const uint32_t correction = static_cast<uint32_t>(p.weights_zero_point) * x_sum;
  uint32_t sums[nr];
  std::memcpy(sums, acc, sizeof(sums));
  X results[nr];
  for (int i = 0; i < nr; ++i) {
    const auto a = static_cast<int32_t>(sums[i] - correction);
    results[i] = static_cast<X>(requantize(a, scale[i], p.stage));
  }
  if (count == nr) {
    std::memcpy(out, results, sizeof(results));
  } else {
    std::memcpy(out, results, static_cast<size_t>(count) * sizeof(X));
  }
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
                int32_t channel, const std::byte* panel, const W* weights) {
  using Acc = Accumulator<X>;
  constexpr int kVectors = nr / kLanes;
  Vector<Acc> acc[mr][kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const Vector<Acc> bias = load_wide(reinterpret_cast<const Acc*>(panel) + v * kLanes);
    for (int i = 0; i < mr; ++i) acc[i][v] = bias;
  }
  uint32_t x_sum[mr] = {};

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
      for (int32_t k = 0; k < p.in_channels; ++k, weights += nr) {
        for (int v = 0; v < kVectors; ++v) {
          const Vector<Acc> w = load_wide(weights + v * kLanes);
          for (int i = 0; i < mr; ++i) acc[i][v] += static_cast<Acc>(x[i][k]) * w;
        }
      }
      if (p.weights_zero_point != 0) {
        for (int i = 0; i < mr; ++i)
          for (int32_t k = 0; k < p.in_channels; ++k) x_sum[i] += static_cast<uint32_t>(x[i][k]);
      }
    }
  }
  const int32_t left = t.size[kChannel] - channel;
  const int32_t channels = left < nr ? left : nr;
  std::byte* out = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes +
                   channel * static_cast<int64_t>(sizeof(X));
  for (int i = 0; i < mr; ++i, out += p.out_col_bytes)
    if (i < cols) store_result<nr>(acc[i], panel, x_sum[i], p, reinterpret_cast<X*>(out), channels);
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename X, typename W, int mr, int nr>
void run_blocked_conv(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const std::byte* panel = t.in[1];
  constexpr int64_t kHeader = nr * (std::is_same_v<X, float> ? 4 : 8);
  const int64_t count = int64_t{p.kernel_h} * p.kernel_w * p.in_channels * nr;
  for (int32_t c = 0; c < t.size[kChannel]; c += nr, panel += p.panel_bytes) {
    const auto* weights =
        widened<W, nr>(reinterpret_cast<const W*>(panel + kHeader), count, t.scratch);
    for (int32_t row = 0; row < t.size[kRow]; ++row) {
      for (int32_t col = 0; col < t.size[kCol]; col += mr) {
        const int32_t left = t.size[kCol] - col;
        conv_block<X, std::remove_cvref_t<decltype(*weights)>, mr, nr>(
            t, p, row, col, left < mr ? left : mr, c, panel, weights);
      }
    }
  }
}

}  // namespace
}  // namespace pj
