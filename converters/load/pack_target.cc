#include "converters/load/pack_target.h"

#include "runtime/base/aligned.h"

namespace pj {

Result<TargetRecord> pack_for_target(const Graph& graph, const Target& target,
                                     std::span<const KernelDesc> catalog) {
  // Packed weights do not depend on the batch, but planning needs one.
  Graph shaped = graph;
  for (TensorId id : shaped.inputs)
    shaped.tensor(id).shape = default_shape(shaped.tensor(id).shape);
  PJ_TRY(infer_shapes(shaped));
  PJ_ASSIGN(const Plan plan, make_plan(shaped, target, catalog));
  TargetRecord record;
  record.name = target.name;
  record.isa = target.isa;
  record.cores = target.cores;
  record.l1_bytes = target.l1_bytes;
  record.l2_bytes = target.l2_bytes;
  record.l3_bytes = target.l3_bytes;
  for (size_t i = 0; i < plan.recipes.size(); ++i) {
    const PackedConstant& constant = plan.program.packed[i];
    auto buffer = std::make_shared<AlignedBuffer>(static_cast<size_t>(constant.bytes));
    if (buffer->size() != static_cast<size_t>(constant.bytes)) {
      return error(ErrorCode::kOutOfMemory, "no memory for {} bytes of packed weights",
                   constant.bytes);
    }
    pack(shaped, plan.recipes[i], buffer->bytes());
    record.packed.push_back({constant.op, 0, constant.packing, {buffer->bytes(), buffer}});
  }
  return record;
}

}  // namespace pj
