// Permuted dimensions. Where the last dimension stays the last, rows are copied. Otherwise some
// other dimension is contiguous in the input, and both form a matrix that is transposed in blocks
// of 16 by 16 elements, so that each cache line is used whole while it is there.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/move/move.h"

namespace pj {
namespace {

// y[i * y_step + k] = x[i + k * x_step] for i in [0, rows), k in [0, cols).
template <typename T>
PJ_INLINE void transpose_some(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows,
                              int64_t cols) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t k = 0; k < cols; ++k) y[i * y_step + k] = x[i + k * x_step];
}

#if HWY_TARGET != HWY_SCALAR
PJ_INLINE void transpose_4x4(const int32_t* x, int64_t x_step, int32_t* y, int64_t y_step) {
  constexpr hn::Simd<int32_t, 4, 0> d;
  constexpr hn::Simd<uint64_t, 2, 0> d64;
  const auto a = hn::LoadU(d, x), b = hn::LoadU(d, x + x_step), c = hn::LoadU(d, x + 2 * x_step),
             e = hn::LoadU(d, x + 3 * x_step);
  const auto ab0 = hn::BitCast(d64, hn::InterleaveLower(d, a, b));
  const auto ab1 = hn::BitCast(d64, hn::InterleaveUpper(d, a, b));
  const auto ce0 = hn::BitCast(d64, hn::InterleaveLower(d, c, e));
  const auto ce1 = hn::BitCast(d64, hn::InterleaveUpper(d, c, e));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, ab0, ce0)), d, y);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, ab0, ce0)), d, y + y_step);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, ab1, ce1)), d, y + 2 * y_step);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, ab1, ce1)), d, y + 3 * y_step);
}
#endif

inline constexpr int64_t kTransposeBlock = 16;

// A block of at most kTransposeBlock rows and columns: words by fours, the rest one by one.
template <typename T>
PJ_INLINE void transpose_block(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows,
                               int64_t cols) {
  int64_t fours = 0;  // columns that are done, but for the last rows
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<T, int32_t>) {
    fours = cols / 4 * 4;
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4)
      for (int64_t k = 0; k < fours; k += 4)
        transpose_4x4(x + i + k * x_step, x_step, y + i * y_step + k, y_step);
    transpose_some(x + i, x_step, y + i * y_step, y_step, rows - i, fours);
  }
#endif
  transpose_some(x + fours * x_step, x_step, y + fours, y_step, rows, cols - fours);
}

template <typename T>
void transpose_matrix(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows,
                      int64_t cols) {
  for (int64_t i = 0; i < rows; i += kTransposeBlock) {
    for (int64_t k = 0; k < cols; k += kTransposeBlock) {
      const int64_t r = rows - i < kTransposeBlock ? rows - i : kTransposeBlock;
      const int64_t c = cols - k < kTransposeBlock ? cols - k : kTransposeBlock;
      transpose_block(x + i + k * x_step, x_step, y + i * y_step + k, y_step, r, c);
    }
  }
}

template <typename T, typename>
void run_transpose(const Tile& t) {
  const auto& p = *static_cast<const TransposeKernelParams*>(t.params);
  // The dimension that is contiguous in the input; 1 of it elsewhere.
  int matrix = -1;
  for (int d = 0; d < kChannel; ++d)
    if (p.in[d] == 1 && t.size[d] > 1) matrix = d;
  int32_t outer[kChannel];
  for (int d = 0; d < kChannel; ++d) outer[d] = d == matrix ? 1 : t.size[d];
  const int64_t rows = matrix < 0 ? 1 : t.size[matrix], y_step = matrix < 0 ? 0 : p.out[matrix];
  const int64_t n = t.size[kChannel], x_step = p.in[kChannel];
  for (int32_t b = 0; b < outer[kBatch]; ++b) {
    for (int32_t r = 0; r < outer[kRow]; ++r) {
      for (int32_t c = 0; c < outer[kCol]; ++c) {
        const T* x = reinterpret_cast<const T*>(t.in[0]) + b * p.in[kBatch] + r * p.in[kRow] +
                     c * p.in[kCol];
        T* y =
            reinterpret_cast<T*>(t.out[0]) + b * p.out[kBatch] + r * p.out[kRow] + c * p.out[kCol];
        if (x_step == 1 && matrix < 0) {
          std::memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
        } else {
          transpose_matrix(x, x_step, y, y_step, rows, n);
        }
      }
    }
  }
}

}  // namespace
}  // namespace pj
