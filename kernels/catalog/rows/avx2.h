#pragma once

#include "kernels/catalog/rows/depthwise.h"
#include "kernels/catalog/rows/float.h"

#define PJ_KERNELS_AVX2(X)                                                                    \
  PJ_FLOAT_ROWS(X, avx2, 12, 8, 8, 8, 14.0f)                                                  \
  X(f32_wgconv_12x8c1_avx2, kConv, float_winograd, kF32, kF32, kF32, avx2, 12, 8, 1,          \
    kConvWinograd, winograd, 20.0f)                                                           \
  X(qs8_conv_6x16c4_avx2, kConv, quad_conv, kI8, kI8, kI8, avx2, 6, 16, 4, kConvQuads, quads, \
    28.0f)                                                                                    \
  X(qu8_conv_6x16c4_avx2, kConv, quad_conv, kU8, kU8, kU8, avx2, 6, 16, 4, kConvQuads, quads, \
    28.0f)                                                                                    \
  X(qs8_dwconv_8x16c2_avx2, kDepthwise, row_pairs, kI8, kI8, kI8, avx2, 8, 16, 2,            \
    kDepthwiseRowPairs, row_pairs, 14.0f)                                                     \
  X(qu8_dwconv_8x16c2_avx2, kDepthwise, row_pairs, kU8, kU8, kU8, avx2, 8, 16, 2,            \
    kDepthwiseRowPairs, row_pairs, 14.0f)                                                     \
  PJ_DOT_DEPTHWISE(X, avx2, dot_pairs, 4, 16, 2, kDepthwisePairs, 10.0f)
