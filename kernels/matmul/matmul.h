// Parameters of the kernel class kMatmul: products of two matrices that are both computed at run
// time, as in attention. (With constant weights they are convolutions: kernels/conv/conv.h.)
//
// y = clamp(a * b + bias, low, high), with a of M x K, b of K x N or, transposed, N x K.
// Iteration space: kBatch products, kCol rows of a, kChannel columns of y. Operands:
//   in[0]  a, rows of K numbers
//   in[1]  b
//   in[2]  bias, a number for each column; may be absent
//   out[0] y
// Tile::scratch: matmul_scratch_bytes().
#pragma once

#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {

struct MatmulKernelParams {
  int32_t k = 1;
  int32_t transposed = 0;   // 1: b has K numbers for each column of y
  int64_t a_row_bytes = 0;  // distances of two rows
  int64_t b_row_bytes = 0;
  int64_t out_row_bytes = 0;
  float low = 0, high = 0;
};
static_assert(sizeof(MatmulKernelParams) == 2 * 4 + 3 * 8 + 2 * 4);

// Bytes of a panel of nr columns: bias, then b, k by k.
constexpr int64_t matmul_panel_bytes(int32_t k, int32_t nr) { return (int64_t{k} + 1) * nr * 4; }

// A tile of `columns` packs its part of b into panels.
constexpr int64_t matmul_scratch_bytes(int32_t k, int32_t columns, int32_t nr) {
  return (columns + nr - 1) / nr * matmul_panel_bytes(k, nr);
}

// The same of 8 bits: requantize((a - zero_a) * (b - zero_b) + bias, scale, stage), bias in int32.
struct ByteMatmulParams {
  int32_t k = 1;
  int32_t transposed = 0;
  int64_t a_row_bytes = 0;
  int64_t b_row_bytes = 0;
  int64_t out_row_bytes = 0;
  int32_t zero_a = 0, zero_b = 0;
  float scale = 0;
  OutputStage stage = {};
};
static_assert(sizeof(ByteMatmulParams) == 2 * 4 + 3 * 8 + 6 * 4);

// k's are taken by twos, as pairs of 16 bits; rows of a, too.
inline constexpr int32_t kByteMatmulRows = 2;
constexpr int64_t byte_matmul_pairs(int32_t k) { return (int64_t{k} + 1) / 2; }
// 32-bit values of a panel of nr columns: bias, then pairs of b.
constexpr int64_t byte_matmul_panel_values(int32_t k, int64_t nr) {
  return (byte_matmul_pairs(k) + 1) * nr;
}
// Columns of a panel, of the level that has most: panels of all levels divide it.
inline constexpr int32_t kWidestBytePanel = 64;
constexpr int64_t byte_matmul_scratch_bytes(int32_t k, int32_t columns) {
  const int64_t whole = (int64_t{columns} + kWidestBytePanel - 1) / kWidestBytePanel;
  return 4 * (kByteMatmulRows * byte_matmul_pairs(k) +
              byte_matmul_panel_values(k, whole * kWidestBytePanel));
}

}  // namespace pj
