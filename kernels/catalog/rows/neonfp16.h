// Rows of arithmetic on 16-bit floats, which only plans that allow it contain
// (runtime/plan/half.h).
#pragma once

#define PJ_HALF_ROW(X, name, cls, idea, input, output) \
  X(name##_neonfp16, cls, idea, input, input, output, neonfp16, 1, 1, 1, kNone, any_layer, 8)

#define PJ_KERNELS_NEONFP16(X)                                                                     \
  X(f16_conv_8x8c1_neonfp16, kConv, half_conv, kF16, kF16, kF16, neonfp16, 8, 8, 1, kConvSegments, \
    float_layer, 14.0f)                                                                            \
  X(f16_dwconv_4x8c1_neonfp16, kDepthwise, half_depthwise, kF16, kF16, kF16, neonfp16, 4, 8, 1,    \
    kDepthwisePanels, no_multiplier, 7.0f)                                                         \
  PJ_HALF_ROW(X, f16_binary, kBinary, half_binary, kF16, kF16)                                     \
  PJ_HALF_ROW(X, f16_unary, kUnary, half_unary, kF16, kF16)                                        \
  PJ_HALF_ROW(X, f16_pool, kPool, half_pool, kF16, kF16)                                           \
  PJ_HALF_ROW(X, f16_bilinear, kBilinear, half_bilinear, kF16, kF16)                               \
  PJ_HALF_ROW(X, f32_f16_narrow, kQuantize, half_narrow, kF32, kF16)                               \
  PJ_HALF_ROW(X, f16_f32_widen, kDequantize, half_widen, kF16, kF32)
