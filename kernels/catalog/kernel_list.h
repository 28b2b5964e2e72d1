// Every hand-written kernel, one row each; reference kernels follow from PJ_OPERATORS. A row makes
// the kernel known to the catalog, the registry, the tests and the benches.
//
// X(name, class, input, weights, output, isa level, mr, nr, kr, packing, MACs per cycle)
//
// MACs per cycle are expectations that order candidates; the benches measure.
#pragma once

#define PJ_KERNELS_BLOCKED(X, isa, f32_mr, f32_nr, f32_cost, q_nr, q_cost)                       \
  X(f32_conv_##f32_mr##x##f32_nr##c1_##isa, kConv, kF32, kF32, kF32, isa, f32_mr, f32_nr, 1,     \
    kConvPanels, f32_cost)                                                                       \
  X(f32h_conv_##f32_mr##x##f32_nr##c1_##isa, kConv, kF32, kF16, kF32, isa, f32_mr, f32_nr, 1,    \
    kConvPanels, f32_cost)                                                                       \
  X(qs8_conv_4x##q_nr##c1_##isa, kConv, kI8, kI8, kI8, isa, 4, q_nr, 1, kConvPanels, q_cost)     \
  X(qu8_conv_4x##q_nr##c1_##isa, kConv, kU8, kU8, kU8, isa, 4, q_nr, 1, kConvPanels, q_cost)     \
  X(f32_dwconv_1x##f32_nr##c1_##isa, kDepthwise, kF32, kF32, kF32, isa, 1, f32_nr, 1,            \
    kDepthwisePanels, f32_cost / 4)                                                              \
  X(f32h_dwconv_1x##f32_nr##c1_##isa, kDepthwise, kF32, kF16, kF32, isa, 1, f32_nr, 1,           \
    kDepthwisePanels, f32_cost / 4)                                                              \
  X(qs8_dwconv_1x##q_nr##c1_##isa, kDepthwise, kI8, kI8, kI8, isa, 1, q_nr, 1, kDepthwisePanels, \
    q_cost / 4)                                                                                  \
  X(qu8_dwconv_1x##q_nr##c1_##isa, kDepthwise, kU8, kU8, kU8, isa, 1, q_nr, 1, kDepthwisePanels, \
    q_cost / 4)

#define PJ_KERNELS_SCALAR(X) PJ_KERNELS_BLOCKED(X, scalar, 4, 8, 2.0f, 8, 1.5f)
#define PJ_KERNELS_AVX2(X) PJ_KERNELS_BLOCKED(X, avx2, 4, 16, 12.0f, 16, 4.0f)

#define PJ_KERNELS(X)  \
  PJ_KERNELS_SCALAR(X) \
  PJ_KERNELS_AVX2(X)
