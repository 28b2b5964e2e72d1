#include <algorithm>
#include <cstring>

#include "runtime/graph/op_checks.h"
#include "runtime/passes/passes.h"

namespace pj {
namespace {

// What a constant input sets: absorbed, or left where the attribute cannot hold it.
enum class Outcome { kAbsorbed, kLeft };

Result<Outcome> set_dims(const InferContext& ctx, size_t i, Dims& attribute) {
  PJ_ASSIGN(const DimsParameter p, dims_parameter(ctx, i, attribute));
  attribute = p.value;
  return Outcome::kAbsorbed;
}

Result<Outcome> set_int(const InferContext& ctx, size_t i, int32_t& attribute) {
  PJ_ASSIGN(const IntParameter p, int_parameter(ctx, i, attribute));
  attribute = p.value;
  return Outcome::kAbsorbed;
}

Result<Outcome> set_pairs(const InferContext& ctx, size_t i, Dims& before, Dims& after) {
  PJ_ASSIGN(const PairsParameter p, pairs_parameter(ctx, i, before, after));
  before = p.before;
  after = p.after;
  return Outcome::kAbsorbed;
}

Result<Outcome> set_size(const InferContext& ctx, size_t i, ResizeParams& params) {
  PJ_ASSIGN(const std::vector<int32_t> size, read_ints(ctx.input(i), 2));
  if (size.size() != 2) return Outcome::kLeft;
  params.out_h = size[0];
  params.out_w = size[1];
  return Outcome::kAbsorbed;
}

// A list of more parts than Dims holds can only be absorbed as equal parts.
Result<Outcome> set_split_sizes(const InferContext& ctx, size_t i, SplitParams& params) {
  PJ_ASSIGN(const std::vector<int32_t> sizes, read_ints(ctx.input(i), ctx.op.outputs.size()));
  if (sizes.size() <= static_cast<size_t>(kMaxRank)) {
    params.sizes = Dims(sizes);
    return Outcome::kAbsorbed;
  }
  // Only a known dimension proves that the sizes add up, and then that equal parts are the same.
  const bool equal =
      std::all_of(sizes.begin(), sizes.end(), [&](int32_t s) { return s >= 0 && s == sizes[0]; });
  if (!equal || !is_static(ctx.input(0).shape)) return Outcome::kLeft;
  params.sizes = {};
  return Outcome::kAbsorbed;
}

// Reduction over an empty list of axes does nothing, but an empty attribute means all axes.
Result<Outcome> set_axes(const InferContext& ctx, size_t i, Dims& axes) {
  PJ_ASSIGN(const DimsParameter p, dims_parameter(ctx, i, axes));
  if (p.value.empty()) return Outcome::kLeft;
  axes = p.value;
  return Outcome::kAbsorbed;
}

Result<Outcome> absorb_strided_slice(const InferContext& ctx, size_t i, StridedSliceParams& p) {
  return set_dims(ctx, i, i == 1 ? p.begin : i == 2 ? p.end : p.strides);
}

Result<Outcome> absorb_space_batch(const InferContext& ctx, size_t i, SpaceBatchParams& p) {
  return i == 1 ? set_dims(ctx, i, p.block) : set_pairs(ctx, i, p.before, p.after);
}

// Reads constant input i of `op` into `params`.
Result<Outcome> absorb_input(const InferContext& ctx, size_t i, OpParams& params) {
  auto as = [&](auto tag) -> auto& { return *std::get_if<decltype(tag)>(&params); };
  switch (ctx.op.kind) {
    case OpKind::kReduce:
      return set_axes(ctx, i, as(ReduceParams{}).axes);
    case OpKind::kReshape:
      return set_dims(ctx, i, as(ReshapeParams{}).shape);
    case OpKind::kExpandDims:
      return set_int(ctx, i, as(ExpandDimsParams{}).axis);
    case OpKind::kTranspose:
      return set_dims(ctx, i, as(TransposeParams{}).perm);
    case OpKind::kSplit:
      return set_split_sizes(ctx, i, as(SplitParams{}));
    case OpKind::kSlice:
      return set_dims(ctx, i, i == 1 ? as(SliceParams{}).begin : as(SliceParams{}).size);
    case OpKind::kStridedSlice:
      return absorb_strided_slice(ctx, i, as(StridedSliceParams{}));
    case OpKind::kPad:
      return set_pairs(ctx, i, as(PadParams{}).before, as(PadParams{}).after);
    case OpKind::kTile:
      return set_dims(ctx, i, as(TileParams{}).multiples);
    case OpKind::kBroadcastTo:
      return set_dims(ctx, i, as(BroadcastToParams{}).shape);
    case OpKind::kResize:
      return set_size(ctx, i, as(ResizeParams{}));
    case OpKind::kSpaceToBatch:
    case OpKind::kBatchToSpace:
      return absorb_space_batch(ctx, i, as(SpaceBatchParams{}));
    case OpKind::kTopK:
      return set_int(ctx, i, as(TopKParams{}).k);
    default:
      return Outcome::kLeft;
  }
}

// True if the value of a Pad is what it pads with anyway: real value 0. The bytes of -0 differ.
bool is_default_pad_value(const Tensor& value, const Tensor& output) {
  if (!value.constant) return false;
  const int64_t zero = output.quant.per_tensor() ? output.quant.zero_point[0] : 0;
  int64_t stored = 0;
  const size_t size = size_of(value.dtype);
  if (value.data.bytes.size() != size) return false;
  std::memcpy(&stored, value.data.bytes.data(), size);
  // Compared as the unsigned low bytes that both would be stored as.
  return std::memcmp(&stored, &zero, size) == 0;
}

}  // namespace

Result<int> absorb_parameters(Graph& graph) {
  int rewrites = 0;
  for (size_t index = 0; index < graph.ops.size(); ++index) {
    Op& op = graph.ops[index];
    const InferContext ctx{graph, op};
    for (size_t i = 1; i < op.inputs.size(); ++i) {
      if (op.inputs[i] == kNoTensor) continue;
      bool drop = op.kind == OpKind::kPad && i == 2 &&
                  is_default_pad_value(ctx.input(i), graph.tensor(op.outputs[0]));
      if (is_parameter_input(op.kind, i) && ctx.input(i).constant) {
        Result<Outcome> outcome = absorb_input(ctx, i, op.params);
        if (!outcome) {
          return in_context(describe(graph, static_cast<int32_t>(index)), outcome.error());
        }
        drop = *outcome == Outcome::kAbsorbed;
      }
      if (!drop) continue;
      op.inputs[i] = kNoTensor;
      ++rewrites;
    }
    while (op.inputs.size() > 1 && op.inputs.back() == kNoTensor &&
           op.inputs.size() > static_cast<size_t>(op_info(op.kind).min_inputs))
      op.inputs.pop_back();
  }
  return rewrites;
}

}  // namespace pj
