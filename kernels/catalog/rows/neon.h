#pragma once

#include "kernels/catalog/rows/depthwise.h"
#include "kernels/catalog/rows/float.h"

#define PJ_KERNELS_NEON(X)                                                                        \
  PJ_FLOAT_ROWS(X, neon, 8, 8, 8, 4, 7.0f)                                                        \
  X(f32_wgconv_8x8c1_neon, kConv, float_winograd, kF32, kF32, kF32, neon, 8, 8, 1, kConvWinograd, \
    winograd, 10.0f)                                                                              \
  X(qs8_conv_8x8c16_neon, kConv, mull_conv, kI8, kI8, kI8, neon, 8, 8, 16, kConvMulls, any_layer, \
    6.0f)                                                                                         \
  X(qu8_conv_8x8c16_neon, kConv, mull_conv, kU8, kU8, kU8, neon, 8, 8, 16, kConvMulls, any_layer, \
    6.0f)                                                                                         \
  PJ_DOT_DEPTHWISE(X, neon, mlal_depthwise, 4, 8, 1, kDepthwiseWide, 2.5f)
