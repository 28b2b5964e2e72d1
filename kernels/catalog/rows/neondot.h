#pragma once

#include "kernels/catalog/rows/depthwise.h"

#define PJ_KERNELS_NEONDOT(X)                                                              \
  X(qs8_conv_6x16c4_neondot, kConv, dot_conv, kI8, kI8, kI8, neondot, 6, 16, 4, kConvDots, \
    any_layer, 28.0f)                                                                      \
  X(qu8_conv_6x16c4_neondot, kConv, dot_conv, kU8, kU8, kU8, neondot, 6, 16, 4, kConvDots, \
    any_layer, 28.0f)                                                                      \
  PJ_DOT_DEPTHWISE(X, neondot, dot_neon, 4, 16, 4, kDepthwiseDots, 8.0f)
