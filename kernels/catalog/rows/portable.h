// Rows of the portable blocked kernels (kernels/conv/blocked.h, kernels/depthwise/blocked.h) for
// one ISA level: `lanes` channels of floats and `q_lanes` of integers at a time.
#pragma once

#define PJ_PORTABLE_PAIR(X, isa, type, input, weights, mr, nr, cost)                               \
  X(type##_conv_##mr##x##nr##c1_##isa, kConv, blocked_conv, input, weights, input, isa, mr, nr, 1, \
    kConvPanels, any_layer, cost)                                                                  \
  X(type##_dwconv_1x##nr##c1_##isa, kDepthwise, blocked_depthwise, input, weights, input, isa, 1,  \
    nr, 1, kDepthwisePanels, any_layer, cost / 4)

#define PJ_PORTABLE_ROWS(X, isa, lanes, cost, q_lanes, q_cost) \
  PJ_PORTABLE_PAIR(X, isa, f32, kF32, kF32, 4, lanes, cost)    \
  PJ_PORTABLE_PAIR(X, isa, f32h, kF32, kF16, 4, lanes, cost)   \
  PJ_PORTABLE_PAIR(X, isa, qs8, kI8, kI8, 4, q_lanes, q_cost)  \
  PJ_PORTABLE_PAIR(X, isa, qu8, kU8, kU8, 4, q_lanes, q_cost)
