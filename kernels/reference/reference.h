// The reference kernels: every operator once, in plain scalar code that reads like its definition.
// They are the specification of all other kernels, the fallback where no better one exists, and
// what constant folding evaluates with. One call computes a whole operator (a tile of size 1).
//
// Integers: accumulate in int32 (wrapping modulo 2^32), multiply by a float scale, clamp, round to
// nearest even, add the zero point, saturate: kernels/common/requantize.h.
#pragma once

#include <span>
#include <vector>

#include "kernels/kernel.h"
#include "runtime/base/op_params.h"
#include "runtime/base/result.h"

namespace pj {

// An operand as a reference kernel sees it: shape, type, quantisation.
struct OperandDesc {
  DType dtype = DType::kF32;
  Shape shape;
  // Per-tensor quantisation; scale 0 if the operand is not quantised.
  float scale = 0;
  int32_t zero_point = 0;
  bool present = true;
  // Per-channel scales along `channel_axis`; empty if per tensor. Zero points are then 0.
  std::span<const float> channel_scales = {};
  int32_t channel_axis = 0;
};

// Tile::params of a reference kernel: attributes and operands in one block of plain bytes.
// Inputs come first, in the operator's order, then outputs.
std::vector<std::byte> make_reference_params(const OpParams& params,
                                             std::span<const OperandDesc> inputs,
                                             std::span<const OperandDesc> outputs);

// Reads what make_reference_params() wrote. A view: the block outlives it.
class ReferenceParams {
 public:
  explicit ReferenceParams(const void* block);

  template <typename P>
  const P& as() const {
    return *std::get_if<P>(params_);
  }
  int32_t input_count() const { return input_count_; }
  int32_t output_count() const { return output_count_; }
  OperandDesc input(int32_t i) const { return operand(i); }
  OperandDesc output(int32_t i) const { return operand(input_count_ + i); }

 private:
  OperandDesc operand(int32_t i) const;
  const std::byte* block_;
  const OpParams* params_;
  int32_t input_count_, output_count_;
};

// The reference kernel of an operator; never null. It accepts every combination of types that the
// operator table validates, and reads no tensor element that the shapes do not cover, whatever
// values the tensors hold.
KernelFn reference_kernel(OpKind kind);

// Bytes that the kernel needs at Tile::scratch, aligned to a cache line; 0 for nearly every
// operator. `params` is what Tile::params will be.
int64_t reference_scratch_bytes(OpKind kind, const void* params);

// Runs it: one call from descriptions and data, for constant folding and for tests.
void run_reference(OpKind kind, const OpParams& params, std::span<const OperandDesc> inputs,
                   std::span<const std::byte* const> input_data,
                   std::span<const OperandDesc> outputs, std::span<std::byte* const> output_data);

}  // namespace pj
