// The index arithmetic of StridedSlice: what Python's x[begin:end:stride] selects in each
// dimension. Shape inference and the kernels share it.
#pragma once

#include <array>
#include <cstdint>

#include "runtime/base/op_params.h"
#include "runtime/base/result.h"

namespace pj {

struct StridedSlicePlan {
  struct Range {
    int32_t begin = 0, stride = 1;
    int32_t size = 0;      // kUnknownDim where the input's dimension is unknown and matters
    bool dropped = false;  // a single index: the dimension is not in the output
  };
  int32_t rank = 0;  // of the input
  std::array<Range, kMaxRank> ranges{};

  Shape output_shape() const;
};

// Applies masks, resolves negative positions and clamps as Python does. `input` may have unknown
// dimensions. Errors: kModelInvalid for lists of different length, more entries than dimensions, a
// stride of 0, or a single index outside its dimension.
Result<StridedSlicePlan> resolve_strided_slice(const Shape& input,
                                               const StridedSliceParams& params);

}  // namespace pj
