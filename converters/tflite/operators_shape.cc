// Operators that move elements without computing: shapes, joins, cuts, borders, resampling.
#include <algorithm>

#include "converters/tflite/operators.h"

namespace pj {
namespace {

using B = tfl::BuiltinOperator;

Result<Dims> import_dims(const flatbuffers::Vector<int32_t>* v, const char* what) {
  if (length(v) > static_cast<size_t>(kMaxRank)) {
    return error(ErrorCode::kModelUnsupported, "{} with {} entries, more than {}", what, length(v),
                 kMaxRank);
  }
  return Dims(ints(v));
}

// The shape comes as an input or, in old files and where that input is not a vector, as an option.
Status map_reshape(const Node& node, Op& op) {
  const bool has_input = op.inputs.size() > 1 && op.inputs[1] != kNoTensor;
  if (has_input && node.graph.tensor(op.inputs[1]).shape.rank() == 1)
    return set<OpKind::kReshape>(op, {});
  const auto* o = node.options<tfl::ReshapeOptions>();
  if (op.inputs.size() > 2 || o == nullptr) {
    return error(ErrorCode::kModelInvalid,
                 "the new shape is neither an input nor an option; convert the model again");
  }
  ReshapeParams p;
  PJ_ASSIGN(p.shape, import_dims(o->new_shape(), "a new shape"));
  if (p.shape == Dims{0}) p.shape = {};  // how old converters wrote a scalar
  op.inputs.resize(std::min<size_t>(op.inputs.size(), 1));
  return set<OpKind::kReshape>(op, p);
}

Status map_squeeze(const Node& node, Op& op) {
  SqueezeParams p;
  if (const auto* o = node.options<tfl::SqueezeOptions>()) {
    PJ_ASSIGN(p.axes, import_dims(o->squeeze_dims(), "a list of axes"));
  }
  return set<OpKind::kSqueeze>(op, p);
}

// An operator whose only attribute is its second input, which stays one until it is absorbed.
template <OpKind kind>
Status map_with_parameter(const Node&, Op& op) {
  PJ_TRY(require_input(op, 1, "parameter"));
  return set<kind>(op, {});
}
template <OpKind kind>
Status map_with_two_parameters(const Node&, Op& op) {
  PJ_TRY(require_input(op, 1, "first parameter"));
  PJ_TRY(require_input(op, 2, "second parameter"));
  return set<kind>(op, {});
}

Status map_concat(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::ConcatenationOptions* o, required_options<tfl::ConcatenationOptions>(node));
  PJ_ASSIGN(const Activation activation, import_activation(o->fused_activation_function()));
  return set<OpKind::kConcat>(op, {o->axis(), activation});
}

template <typename Options>
Status check_split_count(const Node& node, const Op& op) {
  const auto* o = node.options<Options>();
  if (o == nullptr || o->num_splits() == static_cast<int64_t>(op.outputs.size())) return {};
  return error(ErrorCode::kModelInvalid, "{} parts but {} outputs; convert the model again",
               o->num_splits(), op.outputs.size());
}

// File: axis, x. Ours: x, with the axis as an attribute.
Status map_split(const Node& node, Op& op) {
  PJ_TRY(check_split_count<tfl::SplitOptions>(node, op));
  PJ_ASSIGN(const int32_t axis, constant_int(node, op, 0, "axis"));
  op.inputs.erase(op.inputs.begin());
  return set<OpKind::kSplit>(op, {axis, {}});
}

// File: x, sizes, axis. Ours: x, sizes, with the axis as an attribute.
Status map_split_v(const Node& node, Op& op) {
  PJ_TRY(check_split_count<tfl::SplitVOptions>(node, op));
  PJ_TRY(require_input(op, 1, "sizes"));
  PJ_ASSIGN(const int32_t axis, constant_int(node, op, 2, "axis"));
  op.inputs.resize(2);
  return set<OpKind::kSplit>(op, {axis, {}});
}

Status map_pack(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::PackOptions* o, required_options<tfl::PackOptions>(node));
  if (o->values_count() != static_cast<int64_t>(op.inputs.size())) {
    return error(ErrorCode::kModelInvalid, "{} values but {} inputs; convert the model again",
                 o->values_count(), op.inputs.size());
  }
  return set<OpKind::kPack>(op, {o->axis()});
}

Status map_unpack(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::UnpackOptions* o, required_options<tfl::UnpackOptions>(node));
  if (o->num() != static_cast<int64_t>(op.outputs.size())) {
    return error(ErrorCode::kModelInvalid, "{} parts but {} outputs; convert the model again",
                 o->num(), op.outputs.size());
  }
  return set<OpKind::kUnpack>(op, {o->axis()});
}

Status map_strided_slice(const Node& node, Op& op) {
  PJ_TRY(require_input(op, 1, "begin"));
  PJ_TRY(require_input(op, 2, "end"));
  PJ_TRY(require_input(op, 3, "strides"));
  StridedSliceParams p;
  if (const auto* o = node.options<tfl::StridedSliceOptions>()) {
    if (o->new_axis_mask() != 0) return error(ErrorCode::kModelUnsupported, "new_axis_mask");
    if (o->offset()) return error(ErrorCode::kModelUnsupported, "ends relative to the begins");
    p.begin_mask = o->begin_mask();
    p.end_mask = o->end_mask();
    p.ellipsis_mask = o->ellipsis_mask();
    p.shrink_axis_mask = o->shrink_axis_mask();
  }
  return set<OpKind::kStridedSlice>(op, p);
}

Status map_pad(const Node&, Op& op) {
  PJ_TRY(require_input(op, 1, "paddings"));
  return set<OpKind::kPad>(op, {});
}

Status map_mirror_pad(const Node& node, Op& op) {
  PJ_ASSIGN(const tfl::MirrorPadOptions* o, required_options<tfl::MirrorPadOptions>(node));
  PJ_TRY(require_input(op, 1, "paddings"));
  PadParams p;
  switch (o->mode()) {
    case tfl::MirrorPadMode::REFLECT:
      p.fn = PadFn::kReflect;
      break;
    case tfl::MirrorPadMode::SYMMETRIC:
      p.fn = PadFn::kSymmetric;
      break;
    default:
      return error(ErrorCode::kModelInvalid, "mode {}", static_cast<int>(o->mode()));
  }
  return set<OpKind::kPad>(op, p);
}

Status map_gather(const Node& node, Op& op) {
  GatherParams p;
  if (const auto* o = node.options<tfl::GatherOptions>()) {
    p.axis = o->axis();
    p.batch_dims = o->batch_dims();
  }
  return set<OpKind::kGather>(op, p);
}

template <ResizeFn fn, typename Options>
Status map_resize(const Node& node, Op& op) {
  PJ_TRY(require_input(op, 1, "size"));
  ResizeParams p;
  p.fn = fn;
  if (const auto* o = node.options<Options>()) {
    p.align_corners = o->align_corners();
    p.half_pixel = o->half_pixel_centers();
  }
  return set<OpKind::kResize>(op, p);
}

template <OpKind kind, typename Options>
Status map_block(const Node& node, Op& op) {
  PJ_ASSIGN(const Options* o, required_options<Options>(node));
  return set<kind>(op, {o->block_size()});
}

constexpr BuiltinRow kRows[] = {
    {B::RESHAPE, map_reshape},
    {B::SQUEEZE, map_squeeze},
    {B::EXPAND_DIMS, map_with_parameter<OpKind::kExpandDims>},
    {B::TRANSPOSE, map_with_parameter<OpKind::kTranspose>},
    {B::SHAPE, map_plain<OpKind::kShapeOf>},

    {B::CONCATENATION, map_concat},
    {B::SPLIT, map_split},
    {B::SPLIT_V, map_split_v},
    {B::PACK, map_pack},
    {B::UNPACK, map_unpack},
    {B::TILE, map_with_parameter<OpKind::kTile>},
    {B::BROADCAST_TO, map_with_parameter<OpKind::kBroadcastTo>},

    {B::SLICE, map_with_two_parameters<OpKind::kSlice>},
    {B::STRIDED_SLICE, map_strided_slice},
    {B::GATHER, map_gather},
    {B::GATHER_ND, map_plain<OpKind::kGatherNd>},
    {B::TOPK_V2, map_with_parameter<OpKind::kTopK>},

    {B::PAD, map_pad},
    {B::PADV2, map_pad},
    {B::MIRROR_PAD, map_mirror_pad},

    {B::RESIZE_BILINEAR, map_resize<ResizeFn::kBilinear, tfl::ResizeBilinearOptions>},
    {B::RESIZE_NEAREST_NEIGHBOR, map_resize<ResizeFn::kNearest, tfl::ResizeNearestNeighborOptions>},
    {B::DEPTH_TO_SPACE, map_block<OpKind::kDepthToSpace, tfl::DepthToSpaceOptions>},
    {B::SPACE_TO_DEPTH, map_block<OpKind::kSpaceToDepth, tfl::SpaceToDepthOptions>},
    {B::SPACE_TO_BATCH_ND, map_with_two_parameters<OpKind::kSpaceToBatch>},
    {B::BATCH_TO_SPACE_ND, map_with_two_parameters<OpKind::kBatchToSpace>},
};

}  // namespace

std::span<const BuiltinRow> shape_operators() { return kRows; }

}  // namespace pj
