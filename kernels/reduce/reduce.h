// Parameters of the kernel classes kReduce, kArgReduce, kTopK, kSoftmax, kNormalize and kLayerNorm.
//
// kReduce folds the middle of three dimensions. Iteration space: kRow outer positions, kChannel
// inner ones. Operands: in[0] [outer, count, inner], at the tile's first outer and inner position;
// out[0] [outer, inner].
//
// The others work on rows: kRow of them, each `count` elements long. kSoftmax, kNormalize and
// kLayerNorm: in[0] and out[0] [rows, count], which may be the same memory; kLayerNorm has in[1]
// gamma and in[2] beta, `count` elements. kArgReduce: out[0] has an int32 or int64 index for each
// row. kTopK: out[0] [rows, k] values, out[1] their indices, int32.
#pragma once

#include <cstdint>

#include "kernels/common/layer_norm_scale.h"
#include "kernels/common/requantize.h"
#include "kernels/kernel.h"

namespace pj {

struct ReduceKernelParams {
  int32_t fn;          // a ReduceFn, any but kProd
  int32_t zero_point;  // of the input; mean and sum of 8 bits
  float scale;         // of their requantisation
  OutputStage stage;
  int64_t count;  // elements that become one
  int64_t inner;  // distance of two of them, in elements
};
static_assert(sizeof(ReduceKernelParams) == 6 * 4 + 2 * 8);

// The first extreme of a row; NaN counts only where there is nothing else.
struct ArgReduceKernelParams {
  int64_t count;
  int32_t maximum;  // or else the minimum
  int32_t index_bytes;
};

struct TopKKernelParams {
  int64_t count;
  int64_t k;  // 1 to count
};

enum class NormalizeFn : int32_t { kLogSoftmax, kL2 };
struct NormalizeKernelParams {
  int64_t count;
  int32_t fn;  // a NormalizeFn
  int32_t unused;
};

// kNormalize of 8 bits, by the rule of kernels/common/quantized_normalize.h.
struct QuantizedNormalizeParams {
  int64_t count;
  int32_t fn;  // a NormalizeFn
  int32_t zero_x, zero_y;
  float scale;    // of the input
  float inverse;  // of the output's scale
  int32_t unused;
  float table[256];  // kLogSoftmax: exp() of every distance from the row's maximum
};

// Softmax of 8 bits: exp() of every distance from the row's maximum.
struct SoftmaxKernelParams {
  int64_t count;
  float beta;                // floats
  float output_scale;        // 8 bits
  int32_t zero_point, qmin;  // of the output
  float high;                // qmax - zero_point
  int32_t unused;
  float table[256];
};

struct LayerNormKernelParams {
  int64_t count;
  float epsilon;
  int32_t unused;
};

}  // namespace pj
