// Rows of the hand-written float kernels (float.h in kernels/conv, depthwise, matmul) for one ISA
// level, with f32 and f16 weights: mr pixels times one panel of nr channels, or proportionally
// fewer pixels times several; `lanes` of a vector.
#pragma once

#define PJ_FLOAT_PAIR(X, isa, type, weights, idea, packing, mr, nr, dw_mr, lanes, macs)           \
  X(type##_conv_##mr##x##nr##c1_##isa, kConv, idea, kF32, weights, kF32, isa, mr, nr, 1, packing, \
    float_layer, macs)                                                                            \
  X(type##_conv_##lanes##x1c##lanes##_##isa, kConv, float_dot_conv, kF32, weights, kF32, isa,     \
    lanes, 1, lanes, kConvSegments, two_channels, macs / 3)                                       \
  X(type##_dwconv_##dw_mr##x##lanes##c1_##isa, kDepthwise, float_depthwise, kF32, weights, kF32,  \
    isa, dw_mr, lanes, 1, kDepthwisePanels, no_multiplier, macs / 2)

#define PJ_FLOAT_ROWS_OF(X, isa, idea, packing, mr, nr, dw_mr, lanes, macs)                      \
  PJ_FLOAT_PAIR(X, isa, f32, kF32, idea, packing, mr, nr, dw_mr, lanes, macs)                    \
  PJ_FLOAT_PAIR(X, isa, f32h, kF16, idea, packing, mr, nr, dw_mr, lanes, macs)                   \
  X(f32_matmul_##isa, kMatmul, float_matmul, kF32, kF32, kF32, isa, mr, nr, 1, kNone, any_layer, \
    macs)

#define PJ_FLOAT_ROWS(X, isa, mr, nr, dw_mr, lanes, macs) \
  PJ_FLOAT_ROWS_OF(X, isa, float_conv, kConvSegments, mr, nr, dw_mr, lanes, macs)

// Vectors of two halves: for layers of eight channels.
#define PJ_FLOAT_HALVES(X, isa, type, weights)                                                   \
  X(type##_conv_24x8c2_##isa, kConv, float_pair_conv, kF32, weights, kF32, isa, 24, 8, 2,        \
    kConvSegments, eight_channels, 24.0f)                                                        \
  X(type##_conv_16x1c8_##isa, kConv, float_half_conv, kF32, weights, kF32, isa, 16, 1, 8,        \
    kConvSegments, eight_to_two, 14.0f)                                                          \
  X(type##_dwconv_8x8c1_##isa, kDepthwise, float_half_depthwise, kF32, weights, kF32, isa, 8, 8, \
    1, kDepthwisePanels, eight_by_threes, 14.0f)

#define PJ_KERNELS_AVX512(X)                                                         \
  PJ_FLOAT_ROWS_OF(X, avx512, float_tail_conv, kConvHalfTails, 24, 16, 8, 16, 28.0f) \
  PJ_FLOAT_HALVES(X, avx512, f32, kF32)                                              \
  PJ_FLOAT_HALVES(X, avx512, f32h, kF16)
