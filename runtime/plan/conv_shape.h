// Convolution-like operators in common terms: as convolutions that one nest computes each.
#pragma once

#include <optional>
#include <vector>

#include "kernels/catalog/catalog.h"
#include "kernels/conv/conv.h"
#include "runtime/graph/graph.h"
#include "runtime/plan/plan.h"

namespace pj {

// A convolution, depthwise convolution, fully connected layer, or a phase of a transposed
// convolution.
struct ConvShape {
  KernelClass cls = KernelClass::kConv;
  int32_t batch = 1, in_h = 1, in_w = 1, in_c = 1, out_h = 1, out_w = 1, out_c = 1;
  ConvKernelParams kernel;  // window only
  int32_t pad_top = 0;      // negative: rows that no window covers, as of kernel.pad_left
  Activation activation = Activation::kNone;
  // Distances in the weights that packing reads, in elements.
  int64_t tap_stride = 0, in_stride = 0, out_stride = 0;
  // The outputs are every step_h-th row and step_w-th column, from (first_h, first_w) on, of an
  // image of that size.
  struct Grid {
    int32_t height = 1, width = 1, step_h = 1, step_w = 1, first_h = 0, first_w = 0;
  } grid;
  std::optional<TapCut> cut;
};

// The convolutions that compute `op`; none if it is another operator, or one that blocked kernels
// cannot compute.
//
// A transposed convolution is one for each of its stride_h x stride_w phases: outputs that are a
// stride apart see the same taps, and see them as a convolution of stride 1 does, in reverse order:
//
//   stride 2, 3 taps:   output 0: x0 * w0                 even ones: taps w2 w0, odd ones: w1
//                       output 1: x0 * w1
//                       output 2: x0 * w2 + x1 * w0
//
// The last one begins at the first output.
std::vector<ConvShape> conv_shapes_of(const Graph& graph, const Op& op);

}  // namespace pj
