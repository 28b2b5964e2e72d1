// Gather and GatherNd: runs of bytes picked by indices.
#include "kernels/move/move.h"
#include "runtime/plan/lower_support.h"

namespace pj {

std::optional<LoopNest> lower_gather(const LowerContext& c, const Op& op) {
  if (op.kind != OpKind::kGather && op.kind != OpKind::kGatherNd) return std::nullopt;
  const Tensor& index = c.tensor(op.inputs[1]);
  const Shape &x = c.tensor(op.inputs[0]).shape, &indices = index.shape;
  const Shape& y = c.tensor(op.outputs[0]).shape;
  if (elements(y) == 0) return std::nullopt;
  GatherKernelParams p = {};
  p.index_bytes = static_cast<int32_t>(size_of(index.dtype));
  // The dimensions of x: batches, parts, those that are indexed, the run.
  int32_t batch_dims = 0, first = 0, picked_dims = indices.rank();
  if (op.kind == OpKind::kGather) {
    const auto& a = op.as<GatherParams>();
    first = normalize_axis(a.axis, x.rank());
    batch_dims = normalize_axis(a.batch_dims, indices.rank());
    p.depth = 1;
  } else {
    p.depth = indices.back(0);
    --picked_dims;
  }
  const int64_t batches = elements(x, 0, batch_dims), parts = elements(x, batch_dims, first);
  const int64_t picked = elements(indices, batch_dims, picked_dims);
  int64_t step = elements(x, first + p.depth, x.rank()) *
                 static_cast<int64_t>(size_of(c.tensor(op.outputs[0]).dtype));
  p.run = step;
  for (int32_t d = p.depth; d-- > 0; step *= x[first + d]) {
    p.size[d] = x[first + d];
    p.step[d] = step;
  }
  if (batches > INT32_MAX || parts > INT32_MAX || picked > INT32_MAX) return std::nullopt;

  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kGather, DType::kU8, DType::kU8);
  if (nest.kernel < 0) return std::nullopt;
  nest.extent[kBatch] = static_cast<int32_t>(batches);
  nest.extent[kRow] = static_cast<int32_t>(parts);
  nest.extent[kCol] = static_cast<int32_t>(picked);
  p.in[kRow] = step;
  p.in[kBatch] = parts * step;
  p.out[kCol] = p.run;
  p.out[kRow] = picked * p.run;
  p.out[kBatch] = parts * p.out[kRow];
  const int64_t index_step = int64_t{p.depth} * p.index_bytes;
  p.index_batch = picked * index_step;
  Operand in = whole_operand(c, op.inputs[0]), out = whole_operand(c, op.outputs[0]);
  Operand at = whole_operand(c, op.inputs[1]);
  for (int d = 0; d < kDimCount; ++d) {
    in.stride[d] = p.in[d];
    out.stride[d] = p.out[d];
  }
  at.stride[kBatch] = p.index_batch;
  at.stride[kCol] = index_step;
  nest.params = params_bytes(p);
  nest.in = {in, at};
  nest.out = {out};
  cut_moving(nest, parts >= picked ? kRow : kCol, 1, at.bytes + 2 * out.bytes);
  return nest;
}

}  // namespace pj
