// Rows of the depthwise kernels on dot products (kernels/depthwise/dot.h), for int8 and uint8.
#pragma once

#define PJ_DOT_DEPTHWISE(X, isa, idea, mr, nr, kr, packing, cost)                            \
  X(qs8_dwconv_##mr##x##nr##c##kr##_##isa, kDepthwise, idea, kI8, kI8, kI8, isa, mr, nr, kr, \
    packing, any_layer, cost)                                                                \
  X(qu8_dwconv_##mr##x##nr##c##kr##_##isa, kDepthwise, idea, kU8, kU8, kU8, isa, mr, nr, kr, \
    packing, any_layer, cost)
