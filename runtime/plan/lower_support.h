// What the lowerings of operators around the matrix products share.
#pragma once

#include <cstring>

#include "kernels/reference/reference.h"
#include "runtime/plan/lower.h"

namespace pj {

// The fastest row of a class for these types that the target can run; -1 if there is none.
KernelId find_row(const LowerContext& c, KernelClass cls, DType input, DType output);

// The operand that is a whole tensor.
Operand whole_operand(const LowerContext& c, TensorId id);

template <typename P>
std::vector<std::byte> params_bytes(const P& params) {
  static_assert(std::is_trivially_copyable_v<P>);
  std::vector<std::byte> bytes(sizeof(params));
  std::memcpy(bytes.data(), &params, sizeof(params));
  return bytes;
}

// Cuts dimension `dim` into parts that move about 32 KB, for threads to share. `granule`: parts are
// a multiple of it.
void cut(LoopNest& nest, Dim dim, int32_t granule = 1);
// The same for a nest that moves `bytes`, of operands that it need not read whole.
void cut_moving(LoopNest& nest, Dim dim, int32_t granule, int64_t bytes);

// How many threads pay off: one for every 32 KB that the nest moves.
int32_t useful_threads(const LoopNest& nest);

// About how long one core takes for a depthwise convolution that reads and writes so many bytes.
// What another core wrote comes from its cache, so that small ones are worth sharing too.
double depthwise_cycles(const KernelDesc& kernel, int64_t macs, int64_t bytes);

// A tensor of one scale and zero point.
bool is_quantized(const Tensor& t);

}  // namespace pj
