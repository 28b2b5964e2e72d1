// Parameters of the kernel classes that move elements: kTranspose, kCopy and kGather.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"
#include "runtime/base/shape.h"

namespace pj {

// kTranspose: dimensions in another order. Iteration space: the output's shape. in[0] has any
// strides; out[0] is contiguous in kChannel.
struct TransposeKernelParams {
  int64_t in[kDimCount], out[kDimCount];  // distances in elements
};

// kCopy: boxes of bytes from inputs to outputs, in one tile of size 1: joining, splitting, slicing,
// padding. Any number of inputs and outputs.
struct CopyBox {
  int64_t in_offset, out_offset;
  int64_t in_step[kDimCount], out_step[kDimCount];
  int64_t run;  // contiguous bytes
  int32_t size[kDimCount];
  int32_t in, out;  // operands
};
// Followed by the boxes. Before they are copied, out[0] is filled with elements of `fill_size`
// bytes, the low ones of `fill`, if fill_count > 0.
struct CopyKernelParams {
  int32_t boxes, fill_size;
  int64_t fill_count;
  int64_t fill;

  const CopyBox* box(int32_t i) const { return reinterpret_cast<const CopyBox*>(this + 1) + i; }
};
static_assert(sizeof(CopyKernelParams) == 24 && sizeof(CopyBox) == 11 * 8 + 6 * 4);

// kGather: runs of bytes, each at a position that `depth` indices name. Iteration space: kBatch
// batches, kRow parts of the input in each of which the same runs are picked, kCol runs. Operands:
// in[0] the input, in[1] the indices, out[0]; the first two begin at the tile's batch and part, or
// its batch and run. An index beyond its dimension is clamped into it.
struct GatherKernelParams {
  int64_t run;                             // bytes
  int64_t in[kDimCount], out[kDimCount];   // distances in bytes
  int64_t index_batch;                     // likewise, of the indices of two batches
  int32_t depth, index_bytes;              // of int32 or int64
  int64_t size[kMaxRank], step[kMaxRank];  // of each dimension that is indexed; steps in bytes
};
static_assert(sizeof(GatherKernelParams) == (2 * kDimCount + 3 + 2 * kMaxRank) * 8);

}  // namespace pj
