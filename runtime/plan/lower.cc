#include "kernels/reference/reference.h"
#include "runtime/base/checksum.h"
#include "runtime/graph/op_table.h"
#include "runtime/passes/evaluate.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

KernelId reference_row(const LowerContext& c, OpKind kind) {
  for (size_t i = 0; i < c.catalog.size(); ++i) {
    const KernelDesc& k = c.catalog[i];
    if (k.cls == KernelClass::kReference && k.op == kind) return static_cast<KernelId>(i);
  }
  return -1;
}

Result<LoopNest> lower_reference(const LowerContext& c, const Op& op) {
  LoopNest nest;
  nest.kernel = reference_row(c, op.kind);
  if (nest.kernel < 0)
    return error(ErrorCode::kModelUnsupported, "the catalog has no kernel for it");
  OperandDesc absent;
  absent.present = false;
  std::vector<OperandDesc> inputs, outputs;
  for (TensorId id : op.inputs) {
    inputs.push_back(id == kNoTensor ? absent : operand_of(c.tensor(id)));
    nest.in.push_back(whole_operand(c, id));
  }
  for (TensorId id : op.outputs) {
    outputs.push_back(operand_of(c.tensor(id)));
    nest.out.push_back(whole_operand(c, id));
  }
  nest.params = make_reference_params(op.params, inputs, outputs);
  nest.scratch_bytes = reference_scratch_bytes(op.kind, nest.params.data());
  return nest;
}

}  // namespace

int32_t LowerContext::add_packed(int32_t op, PackRecipe recipe) {
  // Weights and bias are identified by their data; scales are not part of these, and depend on
  // other tensors as well.
  const float others[] = {recipe.input_scale, recipe.output_scale};
  const std::span<const float> own = tensor(recipe.weights).quant.scale;
  const uint32_t scales = crc32(std::as_bytes(own), crc32(std::as_bytes(std::span(others))));
  std::string key = recipe.spec.key() + "/s=";
  for (int shift = 28; shift >= 0; shift -= 4) key += "0123456789abcdef"[scales >> shift & 15];
  if (const std::optional<TapCut>& t = recipe.cut)
    key += fmt::format("/t={}x{}-{}x{}/{}x{}", t->first_h, t->first_w, t->step_h, t->step_w,
                       t->taps_h, t->taps_w);
  if (plan.recipes.empty()) {
    plan.program.packed.reserve(graph.ops.size());
    plan.recipes.reserve(graph.ops.size());
  }
  plan.program.packed.push_back({op, std::move(key), recipe.spec.total_bytes()});
  plan.recipes.push_back(std::move(recipe));
  return static_cast<int32_t>(plan.recipes.size()) - 1;
}

LoopNest copy_nest(const LowerContext& c, TensorId from, BufferRef to) {
  const Tensor& t = c.tensor(from);
  LoopNest nest;
  nest.kernel = reference_row(c, OpKind::kReshape);
  const OperandDesc desc = operand_of(t);
  nest.params =
      make_reference_params(ReshapeParams{t.shape}, std::span(&desc, 1), std::span(&desc, 1));
  nest.in.push_back(whole_operand(c, from));
  nest.out.push_back(nest.in[0]);
  nest.out[0].buffer = to;
  return nest;
}

Status lower(LowerContext& c, int32_t op_index, Step& step) {
  const Op& op = c.graph.ops[static_cast<size_t>(op_index)];
  step.name = (op.name.empty() ? c.tensor(op.outputs[0]).name : op.name).str();
  step.op = op.display_name();
  if (const Epilogue* e = epilogue_of(op.params); e != nullptr && e->present())
    step.op += std::string("+") + name_of(*e);
  step.op_indices = {op_index};
  step.macs = mac_count(c.graph, op);
  if (step.prepared) {
    LoopNest& operands = step.members.emplace_back();
    for (TensorId id : op.inputs) operands.in.push_back(whole_operand(c, id));
    for (TensorId id : op.outputs) operands.out.push_back(whole_operand(c, id));
    return {};
  }
  step.members = lower_convolution(c, op_index);
  if (!step.members.empty()) {
    // Below about 10,000 cycles waking a second thread costs more than it saves.
    const LoopNest& nest = step.members[0];
    const KernelDesc& kernel = c.catalog[static_cast<size_t>(nest.kernel)];
    const double cycles =
        kernel.cls == KernelClass::kDepthwise
            ? depthwise_cycles(kernel, step.macs, nest.in[0].bytes + nest.out[0].bytes)
            : static_cast<double>(step.macs) / kernel.macs_per_cycle;
    step.threads = cycles < 10'000 ? 1 : 0;
    return {};
  }
  for (auto lower_family : {lower_matmul, lower_elementwise, lower_pool, lower_reduce, lower_resize,
                            lower_transpose, lower_gather, lower_copy}) {
    if (std::optional<LoopNest> nest = lower_family(c, op)) {
      step.threads = useful_threads(*nest);
      step.members.push_back(std::move(*nest));
      return {};
    }
  }
  step.members = lower_requantizing_concat(c, op);
  if (!step.members.empty()) {
    step.threads = useful_threads(step.members.back());
    return {};
  }
  PJ_ASSIGN(LoopNest nest, lower_reference(c, op));
  step.members.push_back(std::move(nest));
  step.threads = 1;
  return {};
}

}  // namespace pj
