#pragma once

#define PJ_KERNELS_NEONI8MM(X)                                                                \
  X(qs8_conv_6x16c8_neoni8mm, kConv, mmla_conv, kI8, kI8, kI8, neoni8mm, 6, 16, 8, kConvDots, \
    any_layer, 50.0f)                                                                         \
  X(qu8_conv_6x16c8_neoni8mm, kConv, mmla_conv, kU8, kU8, kU8, neoni8mm, 6, 16, 8, kConvDots, \
    any_layer, 50.0f)
