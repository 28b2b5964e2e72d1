// Parameters of the kernel class kConv: convolutions, matrix products and fully connected layers.
//
// Iteration space: kBatch images, kRow x kCol output pixels, kChannel output channels. Operands:
//   in[0]  activations, channels-last; passed as rows (Tile::rows): any window, no pointer tables
//   in[1]  packed panels (kernels/packing/packing.h); tiles start at a multiple of nr channels and
//          have any number of them
//   in[2]  the pad pixel: in_channels elements that stand for a pixel outside the input
//   in[3]  only of epilogues that have an operand: of a sum, laid out as the output; of slopes, one
//          a channel
//   out[0] channels-last
// Tile::scratch: of kernels on segments, what kernels/conv/segments.h says.
// A matrix product of M x K by K x N is the 1x1 convolution of one row of M pixels.
#pragma once

#include <cstdint>

#include "kernels/common/quantized_add.h"

namespace pj {

// What happens to a result before it is stored (Epilogue in op_params.h). Bit-identical to storing
// it and running the elementwise operator: quantised results are bytes of a tensor with the
// quantisation of ConvKernelParams::stage and only then go through the epilogue.
struct ConvEpilogue {
  int32_t fn = 0;     // an EpilogueFn
  int32_t unary = 0;  // floats, kUnary: a UnaryFn
  float alpha = 0;
  float low = 0, high = 0;  // floats, kAdd: limits of the sum
  QuantizedAdd sum = {};    // bytes, kAdd: its a is the result, its b the operand
  uint8_t table[256] = {};  // bytes, kUnary: by byte

  bool is(EpilogueFn f) const { return fn == static_cast<int32_t>(f); }
};

struct ConvKernelParams {
  int32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t pad_left = 0;
  int32_t in_width = 1;     // pixels of a row of the input
  int32_t in_channels = 1;  // of a pixel; kDepthwise: channels of the whole input
  int32_t out_channels = 1;
  int64_t in_col_bytes = 0;                      // distance of two pixels of the input
  int64_t out_row_bytes = 0, out_col_bytes = 0;  // distances of two pixels of the output
  int64_t panel_bytes = 0;
  // Integers: requantisation, and the zero point of the packed (signed) weights.
  OutputStage stage{0, 0, 0};
  int32_t weights_zero_point = 0;
  // Floats: the activation's limits.
  float low = 0, high = 0;
  ConvEpilogue epilogue;
  int32_t in_order = 0;  // floats: 1 for a core that does not reorder instructions
};
// No unnamed bytes: parameters are compared and hashed as bytes.
static_assert(sizeof(ConvKernelParams) ==
              10 * 4 + 4 * 8 + 12 + 4 + 2 * 4 + 5 * 4 + 12 * 4 + 256 + 4);

}  // namespace pj
