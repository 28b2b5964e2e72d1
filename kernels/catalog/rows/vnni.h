// Rows of the VNNI convolution (kernels/conv/vnni.h) for one ISA level: mr pixels times one panel,
// or proportionally fewer pixels times several.
#pragma once

#define PJ_VNNI_ROWS(X, isa, mr, macs)                                                          \
  X(qs8_conv_##mr##x16c4_##isa, kConv, vnni_conv, kI8, kI8, kI8, isa, mr, 16, 4, kConvSegments, \
    any_bytes, macs)                                                                            \
  X(qu8_conv_##mr##x16c4_##isa, kConv, vnni_conv, kU8, kU8, kU8, isa, mr, 16, 4, kConvSegments, \
    any_bytes, macs)
