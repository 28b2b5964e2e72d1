// Parameters of the kernel class kPool: average and maximum of windows.
//
// Iteration space: kBatch images, kRow x kCol output pixels, kChannel channels. Operands:
//   in[0]  channels-last; passed as rows (Tile::rows)
//   out[0] channels-last
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace pj {

struct PoolParams {
  int32_t fn;  // a PoolFn
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_left;
  int32_t in_width;             // pixels of a row of the input
  int32_t low, high;            // limits of stored 8-bit results
  float float_low, float_high;  // limits of floats
  int32_t unused;
  int64_t in_col_bytes, out_row_bytes, out_col_bytes;  // distances of two pixels
};
static_assert(sizeof(PoolParams) == 12 * 4 + 3 * 8);

// The sum of so many 8-bit numbers is exact in a float, and so is its quotient after truncation.
inline constexpr int64_t kMaxPoolArea = 65536;

}  // namespace pj
