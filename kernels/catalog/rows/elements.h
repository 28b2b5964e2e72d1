// Rows of the kernels around the matrix products: kernels/elementwise, pool, reduce, resize, move.
// One source for all ISA levels (kernels/levels/elements.cc); `speed` only ranks the levels.
//
// X as in kernel_list.h; the code of a row is run_<idea><input, output>.
#pragma once

#define PJ_ELEMENT_ROW(X, isa, speed, name, cls, idea, input, output) \
  X(name##_##isa, cls, idea, input, input, output, isa, 1, 1, 1, kNone, any_layer, speed)

// Where vectors are needed: at the scalar level the reference, whose plain loops compilers turn
// into vectors, is faster.
#define PJ_VECTOR_ROWS(X, isa, speed)                                                   \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_sum, kSum, quantized_sum, kI8, kI8)                 \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_sum, kSum, quantized_sum, kU8, kU8)                 \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_product, kProduct, quantized_product, kI8, kI8)     \
  PJ_ELEMENT_ROW(X, isa, speed, f32_qs8_quantize, kQuantize, quantize, kF32, kI8)       \
  PJ_ELEMENT_ROW(X, isa, speed, f32_qu8_quantize, kQuantize, quantize, kF32, kU8)       \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_f32_dequantize, kDequantize, dequantize, kI8, kF32) \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_f32_dequantize, kDequantize, dequantize, kU8, kF32) \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_pool, kPool, pool, kI8, kI8)                        \
  PJ_ELEMENT_ROW(X, isa, speed, f32_pool, kPool, pool, kF32, kF32)                      \
  PJ_ELEMENT_ROW(X, isa, speed, f32_binary, kBinary, float_binary, kF32, kF32)          \
  PJ_ELEMENT_ROW(X, isa, speed, f32_unary, kUnary, float_unary, kF32, kF32)             \
  PJ_ELEMENT_ROW(X, isa, speed, f32_softmax, kSoftmax, softmax_float, kF32, kF32)       \
  PJ_ELEMENT_ROW(X, isa, speed, f32_layer_norm, kLayerNorm, layer_norm, kF32, kF32)

// The same, where networks spend so little that one level of vectors serves a family of CPUs.
#define PJ_SELDOM_ROWS(X, isa, speed)                                                 \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_product, kProduct, quantized_product, kU8, kU8)   \
  PJ_ELEMENT_ROW(X, isa, speed, f32_normalize, kNormalize, normalize, kF32, kF32)     \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_pool, kPool, pool, kU8, kU8)                      \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_prelu, kPRelu, quantized_prelu, kI8, kI8)         \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_prelu, kPRelu, quantized_prelu, kU8, kU8)         \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_extreme, kExtreme, extreme, kI8, kI8)             \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_extreme, kExtreme, extreme, kU8, kU8)             \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_matmul, kMatmul, byte_matmul, kI8, kI8)           \
  PJ_ELEMENT_ROW(X, isa, speed, x_numbers, kNumbers, numbers, kU8, kU8)               \
  PJ_ELEMENT_ROW(X, isa, speed, x8_select, kSelect, select, kI8, kI8)                 \
  PJ_ELEMENT_ROW(X, isa, speed, x32_select, kSelect, select, kI32, kI32)              \
  PJ_ELEMENT_ROW(X, isa, speed, f32_top_k, kTopK, top_k, kF32, kF32)                  \
  PJ_ELEMENT_ROW(X, isa, speed, f32_arg_extreme, kArgReduce, arg_extreme, kF32, kI32) \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_arg_extreme, kArgReduce, arg_extreme, kI8, kI32)  \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_arg_extreme, kArgReduce, arg_extreme, kU8, kI32)

// What is better than the reference at every level.
#define PJ_EVERY_LEVEL_ROWS(X, isa, speed)                                     \
  PJ_ELEMENT_ROW(X, isa, speed, x8_table, kTable, table, kU8, kU8)             \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_reduce, kReduce, reduce, kI8, kI8)         \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_reduce, kReduce, reduce, kU8, kU8)         \
  PJ_ELEMENT_ROW(X, isa, speed, f32_reduce, kReduce, reduce, kF32, kF32)       \
  PJ_ELEMENT_ROW(X, isa, speed, f32_bilinear, kBilinear, bilinear, kF32, kF32) \
  PJ_ELEMENT_ROW(X, isa, speed, qs8_bilinear, kBilinear, bilinear, kI8, kI8)   \
  PJ_ELEMENT_ROW(X, isa, speed, qu8_bilinear, kBilinear, bilinear, kU8, kU8)   \
  PJ_ELEMENT_ROW(X, isa, speed, x32_transpose, kTranspose, transpose, kI32, kI32)

// Where vectors do not help: one level serves all.
#define PJ_PLAIN_ROWS(X, isa)                                                     \
  PJ_ELEMENT_ROW(X, isa, 1, qs8_normalize, kNormalize, normalize_table, kI8, kI8) \
  PJ_ELEMENT_ROW(X, isa, 1, qu8_normalize, kNormalize, normalize_table, kU8, kU8) \
  PJ_ELEMENT_ROW(X, isa, 1, x8_gather, kGather, gather, kU8, kU8)                 \
  PJ_ELEMENT_ROW(X, isa, 1, qs8_softmax, kSoftmax, softmax_table, kI8, kI8)       \
  PJ_ELEMENT_ROW(X, isa, 1, qu8_softmax, kSoftmax, softmax_table, kU8, kU8)       \
  PJ_ELEMENT_ROW(X, isa, 1, x8_nearest, kNearest, nearest, kU8, kU8)              \
  PJ_ELEMENT_ROW(X, isa, 1, x8_transpose, kTranspose, transpose, kU8, kU8)        \
  PJ_ELEMENT_ROW(X, isa, 1, x8_copy, kCopy, copy, kU8, kU8)

#define PJ_ELEMENTS_SCALAR(X) PJ_EVERY_LEVEL_ROWS(X, scalar, 1) PJ_PLAIN_ROWS(X, scalar)
#define PJ_ELEMENTS_AVX2(X) \
  PJ_EVERY_LEVEL_ROWS(X, avx2, 8) PJ_VECTOR_ROWS(X, avx2, 8) PJ_SELDOM_ROWS(X, avx2, 8)
#define PJ_ELEMENTS_AVX512(X) PJ_EVERY_LEVEL_ROWS(X, avx512, 16) PJ_VECTOR_ROWS(X, avx512, 16)
#define PJ_ELEMENTS_NEON(X) \
  PJ_EVERY_LEVEL_ROWS(X, neon, 4) PJ_VECTOR_ROWS(X, neon, 4) PJ_SELDOM_ROWS(X, neon, 4)
