// Parameters of the kernel class kTranspose: dimensions in another order.
//
// Iteration space: the output's shape. in[0] has any strides; out[0] is contiguous in kChannel.
#pragma once

#include <cstdint>

#include "kernels/kernel.h"

namespace pj {

struct TransposeKernelParams {
  int64_t in[kDimCount], out[kDimCount];  // distances in elements
};

}  // namespace pj
