// Lowering: one operator -> one step.
#pragma once

#include <functional>

#include "runtime/plan/plan.h"

namespace pj {

// Types of an operator's activations and weights.
struct OperandTypes {
  DType x, w, y;

  bool operator==(const OperandTypes&) const = default;
};

// What lowering works with. `buffer_of` tells where a tensor's bytes are; arena operands carry the
// tensor's id in `index` until offsets are known.
struct LowerContext {
  const Graph& graph;
  const Target& target;
  std::span<const KernelDesc> catalog;
  std::function<BufferRef(TensorId)> buffer_of;
  Plan& plan;  // gets packed constants and recipes
  const PlanChoices* chosen = nullptr;
  // Rows of the catalog for convolutions and depthwise ones, as the last of them needed them.
  struct Rows {
    bool valid = false;
    OperandTypes types = {};
    std::vector<KernelId> ids = {};
  };
  mutable Rows conv_rows = {}, depthwise_rows = {};

  const Tensor& tensor(TensorId id) const { return graph.tensor(id); }
  // What somebody chose for an operator; null if nothing.
  const LayerChoice* chosen_for(int32_t op) const { return chosen ? chosen->layer(op) : nullptr; }
  // A new packed constant for `op`; returns its index.
  int32_t add_packed(int32_t op, PackRecipe recipe);
};

// Fills in the step of operator `op_index`: the best catalog kernel that fits, or the reference; if
// `step.prepared` is set, just the operands.
Status lower(LowerContext& context, int32_t op_index, Step& step);

// A step that copies `from` to `to` (equal byte sizes), with the reference kernel of Reshape.
LoopNest copy_nest(const LowerContext& context, TensorId from, BufferRef to);

// The nests of a convolution-like operator (convolution, depthwise or transposed convolution, fully
// connected): one, or one for each phase of a transposed convolution; none if no blocked kernel
// fits it.
std::vector<LoopNest> lower_convolution(LowerContext& context, int32_t op_index);
// The rows of the catalog that can compute such an operator, by the cycles that they are expected
// to need; without those that need a multiple of the fewest.
std::vector<KernelId> fitting_kernels(const LowerContext& context, int32_t op_index);

// True if the kernels that lower_convolution() would take were written for the target's ISA level.
bool has_tuned_kernel(const LowerContext& context, int32_t op_index);

// True if the catalog has kernels that compute a convolution of f32 in f16 on the target.
bool has_half_convolution(const LowerContext& context, const Op& op);
// The same of operators that are no convolutions, for any target with that arithmetic.
bool has_half_kernel(const Op& op);

// Gives a convolution's nest the scratch that its kernel needs for its loops and extents; to be
// called after changing them.
void fit_scratch(const KernelDesc& kernel, LoopNest& nest);

// Nests of the other operators, by family; nothing where no kernel fits.
std::optional<LoopNest> lower_elementwise(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_matmul(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_pool(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_reduce(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_resize(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_transpose(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_gather(const LowerContext& context, const Op& op);
std::optional<LoopNest> lower_copy(const LowerContext& context, const Op& op);
// One nest for each input of a concatenation of bytes whose quantisations differ.
std::vector<LoopNest> lower_requantizing_concat(const LowerContext& context, const Op& op);

}  // namespace pj
