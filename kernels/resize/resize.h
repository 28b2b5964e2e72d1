// Parameters of the kernel classes kNearest and kBilinear: resized images.
//
// Iteration space: kBatch images, kRow rows of the output, kCol columns; kBilinear takes whole rows
// in a tile. Operands:
//   in[0]  the image, channels-last, of the tile's batch; kNearest may have it as rows instead,
//          each source row once, from column 0 on
//   out[0] channels-last, from the tile's first column on
// Tile::scratch: kBilinear of floats, a row of the input.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace pj {

// Sources of a row or column: offsets in bytes (from the start of the image or of the row) and the
// weight of the second one, as a float and in 1/2048. kNearest uses the first only.
struct ResizeSource {
  int64_t first, second;
  float fraction;
  int32_t weight;
};

// Followed by a ResizeSource for each row and then for each column of the output.
struct ResizeKernelParams {
  int32_t rows, cols;  // of the output
  int64_t channels;
  int64_t pixel_bytes;
  int64_t in_cols;        // of the input
  int64_t out_row_bytes;  // distance of two rows of the output

  const ResizeSource* row(int32_t r) const {
    return reinterpret_cast<const ResizeSource*>(this + 1) + r;
  }
  const ResizeSource* col(int32_t c) const { return row(rows + c); }
};
static_assert(sizeof(ResizeKernelParams) == 40 && sizeof(ResizeSource) == 24);

}  // namespace pj
