// The catalog: a description of every kernel, compiled on every host, so that a PC can plan and
// pack for a board that it is not. The code is elsewhere and found through kernels/registry.h.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "kernels/catalog/fits.h"
#include "runtime/base/dtype.h"
#include "runtime/base/isa.h"
#include "runtime/base/op_params.h"

namespace pj {

// What a kernel computes. The loop dimensions and operands of each class are documented with its
// parameter type: ConvKernelParams (kernels/conv/conv.h), for depthwise too, ReferenceParams
// (kernels/reference/reference.h), and the header of the same name in kernels/matmul, elementwise,
// pool, reduce, resize and move.
enum class KernelClass : uint8_t {
  kReference,  // one whole operator of `op`, any types
  kConv,       // convolution, matrix product, fully connected
  kDepthwise,
  kMatmul,  // product of two matrices that are computed
  // Element by element.
  kSum,         // quantised a + b, a - b
  kProduct,     // quantised a * b
  kExtreme,     // 8-bit minimum or maximum
  kPRelu,       // quantised x < 0 ? x * alpha : x
  kBinary,      // arithmetic on floats
  kUnary,       // functions of one float
  kTable,       // any function of one 8-bit number
  kQuantize,    // floats to 8 bits
  kDequantize,  // and back
  kNumbers,     // functions and conversions of numbers of other types
  kSelect,
  kPool,
  kReduce,     // mean, sum, extremes over neighbouring dimensions
  kArgReduce,  // index of an extreme, over the last dimension
  kTopK,       // likewise
  kSoftmax,    // likewise
  kNormalize,  // likewise: log-softmax, L2 norm
  kLayerNorm,
  kNearest,
  kBilinear,
  kTranspose,
  kCopy,    // boxes of bytes: concat, split, slice, pad
  kGather,  // runs of bytes, where indices say
};

// How weights are laid out: see kernels/packing/packing.h.
enum class PackingId : uint8_t {
  kNone,
  kConvPanels,
  kConvQuads,
  kConvSegments,
  kConvHalfTails,
  kConvDots,
  kConvMulls,
  kDepthwisePanels,
  kDepthwiseQuads,
  kDepthwisePairs,
  kDepthwiseRowPairs,
  kDepthwiseDots,
  kDepthwiseWide,
  kConvWinograd,
};
const char* name_of(PackingId id);

// Position of a kernel's row in its catalog. Stable within a build only: files store names.
using KernelId = int32_t;

struct KernelDesc {
  const char* name;  // <dtype>_<op>_<mr>x<nr>c<kr>_<isa>, unique
  KernelClass cls;
  OpKind op;                     // of a reference row
  DType input, weights, output;  // ignored for reference rows
  IsaSet isa;
  // Output pixels and channels that the kernel computes from registers at a time, and the number of
  // consecutive k's interleaved in the packed weights.
  int16_t mr, nr, kr;
  PackingId packing;
  FitsFn fits;           // the layers it can compute; null for reference rows
  float macs_per_cycle;  // expected where data is in L1: orders candidates that nothing measured
  bool tuned = false;    // written for this ISA level, rather than portable code compiled for it
};

// All kernels of this project. Row i has KernelId i.
std::span<const KernelDesc> kernel_catalog();

// Nothing if no row has that name.
std::optional<KernelId> find_kernel(std::span<const KernelDesc> catalog, std::string_view name);

}  // namespace pj
