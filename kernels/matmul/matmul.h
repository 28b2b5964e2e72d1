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

}  // namespace pj
