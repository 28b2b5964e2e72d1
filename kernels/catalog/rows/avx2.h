#pragma once

#include "kernels/catalog/rows/depthwise.h"
#include "kernels/catalog/rows/portable.h"

#define PJ_KERNELS_AVX2(X)                                                                  \
  PJ_PORTABLE_ROWS(X, avx2, 16, 12.0f, 16, 4.0f)                                            \
  X(qs8_conv_6x16c2_avx2, kConv, widened_conv, kI8, kI8, kI8, avx2, 6, 16, 2, kConvWindows, \
    any_layer, 24.0f)                                                                       \
  X(qu8_conv_6x16c2_avx2, kConv, widened_conv, kU8, kU8, kU8, avx2, 6, 16, 2, kConvWindows, \
    any_layer, 24.0f)                                                                       \
  PJ_DOT_DEPTHWISE(X, avx2, dot_pairs, 4, 16, 2, kDepthwisePairs, 10.0f)
