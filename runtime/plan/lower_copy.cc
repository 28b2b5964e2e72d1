// Operators that only move elements: boxes of bytes, copied by one kernel.
#include "kernels/elementwise/elementwise.h"
#include "kernels/move/move.h"
#include "kernels/reference/block_walk.h"
#include "kernels/reference/unary_table.h"
#include "runtime/passes/evaluate.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

// Collects boxes; `failed` if one needs more than the kernel's dimensions.
class Boxes {
 public:
  explicit Boxes(DType dtype) : size_(static_cast<int64_t>(size_of(dtype))) {}

  // A box of `shape` elements of input `in`, to output `out`.
  void add(Shape shape, size_t in, const ref::Box& from, size_t out, const ref::Box& to) {
    if (elements(shape) == 0) return;
    std::array<ref::Strides, 2> strides = {from.strides, to.strides};
    ref::collapse(shape, strides);
    CopyBox box = {};
    box.in = static_cast<int32_t>(in);
    box.out = static_cast<int32_t>(out);
    box.in_offset = from.offset * size_;
    box.out_offset = to.offset * size_;
    box.run = size_;
    const auto last = static_cast<size_t>(shape.rank() - 1);
    if (shape.rank() > 0 && strides[0][last] == 1 && strides[1][last] == 1) {
      box.run *= shape.back(0);
      --shape.count;
    }
    // Many small boxes are better left to the reference, which needs no description of each.
    constexpr size_t kMostBoxes = 1024;
    failed_ = failed_ || shape.rank() > kDimCount || boxes_.size() == kMostBoxes;
    if (failed_) return;
    for (int32_t& n : box.size) n = 1;
    for (int32_t d = 0; d < shape.rank(); ++d) {
      const int32_t at = kDimCount - shape.rank() + d;
      box.size[at] = shape[d];
      box.in_step[at] = strides[0][static_cast<size_t>(d)] * size_;
      box.out_step[at] = strides[1][static_cast<size_t>(d)] * size_;
    }
    boxes_.push_back(box);
  }
  void fill(int64_t value, int64_t count) {
    header_.fill = value;
    header_.fill_size = static_cast<int32_t>(size_);
    header_.fill_count = count;
  }
  bool failed() const { return failed_; }
  std::vector<std::byte> params() {
    header_.boxes = static_cast<int32_t>(boxes_.size());
    std::vector<std::byte> bytes = params_bytes(header_);
    const auto boxes = std::as_bytes(std::span(boxes_));
    bytes.insert(bytes.end(), boxes.begin(), boxes.end());
    return bytes;
  }

 private:
  int64_t size_;
  CopyKernelParams header_ = {};
  std::vector<CopyBox> boxes_;
  bool failed_ = false;
};

ref::Box whole_box(const Shape& shape) { return {0, ref::contiguous_strides(shape)}; }

// The inputs one behind the other along `axis`; each as if it had shape part(i).
template <typename Part>
void join(Boxes& boxes, const Shape& out, int32_t axis, size_t count, Part part) {
  ref::Box to = whole_box(out);
  for (size_t i = 0; i < count; ++i) {
    const Shape shape = part(i);
    boxes.add(shape, i, whole_box(shape), 0, to);
    to.offset += shape[axis] * to.strides[static_cast<size_t>(axis)];
  }
}
template <typename Part>
void divide(Boxes& boxes, const Shape& in, int32_t axis, size_t count, Part part) {
  ref::Box from = whole_box(in);
  for (size_t i = 0; i < count; ++i) {
    const Shape shape = part(i);
    boxes.add(shape, 0, from, i, whole_box(shape));
    from.offset += shape[axis] * from.strides[static_cast<size_t>(axis)];
  }
}

bool strided_slice(Boxes& boxes, const Shape& in, const StridedSliceParams& params) {
  const auto plan = resolve_strided_slice(in, params);
  if (!plan) return false;
  Shape box;
  const ref::Box from = ref::strided_box(*plan, ref::contiguous_strides(in), box);
  boxes.add(box, 0, from, 0, whole_box(box));
  return true;
}

// Real value 0, or the number that input 2 holds.
bool fill_border(Boxes& boxes, const LowerContext& c, const Op& op) {
  const Tensor& y = c.tensor(op.outputs[0]);
  int64_t value = is_quantized(y) ? y.quant.zero_point[0] : 0;
  if (op.inputs.size() > 2 && op.inputs[2] != kNoTensor) {
    const Tensor& border = c.tensor(op.inputs[2]);
    if (!border.constant) return false;
    std::memcpy(&value, border.data.bytes.data(), size_of(border.dtype));
  }
  boxes.fill(value, elements(y.shape));
  return true;
}

// A dimension of a padded tensor in pieces that run forwards or backwards through the input.
struct Piece {
  int32_t to, from, size, step;
};
std::vector<Piece> mirrored_pieces(PadFn fn, int32_t size, int32_t before, int32_t after) {
  std::vector<Piece> pieces;
  if (before > 0) pieces.push_back({0, ref::mirrored(-before, size, fn), before, -1});
  pieces.push_back({before, 0, size, 1});
  if (after > 0) pieces.push_back({before + size, ref::mirrored(size, size, fn), after, -1});
  return pieces;
}

// A box for each combination of the pieces of dimensions d and behind.
void pad_mirrored(Boxes& boxes, const PadParams& p, const Shape& x, int32_t d, Shape box,
                  const ref::Box& from, const ref::Box& to) {
  if (d == x.rank()) return boxes.add(box, 0, from, 0, to);
  const auto i = static_cast<size_t>(d);
  for (const Piece& piece : mirrored_pieces(p.fn, x[d], p.before[d], p.after[d])) {
    box[d] = piece.size;
    ref::Box part = from, place = to;
    part.offset += piece.from * from.strides[i];
    part.strides[i] *= piece.step;
    place.offset += piece.to * to.strides[i];
    pad_mirrored(boxes, p, x, d + 1, box, part, place);
  }
}

bool pad(Boxes& boxes, const LowerContext& c, const Op& op) {
  const auto& p = op.as<PadParams>();
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  ref::Box to = whole_box(y.shape);
  if (p.fn != PadFn::kConstant) {
    pad_mirrored(boxes, p, x.shape, 0, x.shape, whole_box(x.shape), to);
    return true;
  }
  if (!fill_border(boxes, c, op)) return false;
  to.offset = ref::offset_of(p.before, to.strides);
  boxes.add(x.shape, 0, whole_box(x.shape), 0, to);
  return true;
}

// Each dimension as two: the repetitions, which read the same, and the input's own.
void repeat(Boxes& boxes, const Shape& x, const Shape& y) {
  const ref::Strides own = ref::contiguous_strides(x), out = ref::contiguous_strides(y);
  Shape shape;
  ref::Box from, to;
  auto add = [&](int32_t size, int64_t in_step, int64_t out_step) {
    from.strides[static_cast<size_t>(shape.rank())] = in_step;
    to.strides[static_cast<size_t>(shape.rank())] = out_step;
    shape.push_back(size);
  };
  for (int32_t d = 0; d < x.rank(); ++d) {
    const auto i = static_cast<size_t>(d);
    if (y[d] != x[d]) add(y[d] / x[d], 0, x[d] * out[i]);
    add(x[d], own[i], out[i]);
  }
  boxes.add(shape, 0, from, 0, to);
}

// False for operators that do more than move, or in a way that boxes do not describe.
bool collect(Boxes& boxes, const LowerContext& c, const Op& op) {
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  auto input_shape = [&](size_t i) { return c.tensor(op.inputs[i]).shape; };
  auto output_shape = [&](size_t i) { return c.tensor(op.outputs[i]).shape; };
  switch (op.kind) {
    case OpKind::kConcat:
      for (TensorId id : op.inputs)
        if (is_quantized(y) && c.tensor(id).quant != y.quant) return false;
      join(boxes, y.shape, normalize_axis(op.as<ConcatParams>().axis, y.shape.rank()),
           op.inputs.size(), input_shape);
      return true;
    case OpKind::kPack: {
      const int32_t axis = normalize_axis(op.as<PackParams>().axis, y.shape.rank());
      join(boxes, y.shape, axis, op.inputs.size(),
           [&](size_t i) { return ref::insert_dim(input_shape(i), axis, 1); });
      return true;
    }
    case OpKind::kSplit:
      divide(boxes, x.shape, normalize_axis(op.as<SplitParams>().axis, x.shape.rank()),
             op.outputs.size(), output_shape);
      return true;
    case OpKind::kUnpack: {
      const int32_t axis = normalize_axis(op.as<UnpackParams>().axis, x.shape.rank());
      divide(boxes, x.shape, axis, op.outputs.size(),
             [&](size_t i) { return ref::insert_dim(output_shape(i), axis, 1); });
      return true;
    }
    case OpKind::kSlice: {
      ref::Box from = whole_box(x.shape);
      from.offset = ref::offset_of(op.as<SliceParams>().begin, from.strides);
      boxes.add(y.shape, 0, from, 0, whole_box(y.shape));
      return true;
    }
    case OpKind::kStridedSlice:
      return strided_slice(boxes, x.shape, op.as<StridedSliceParams>());
    case OpKind::kPad:
      return pad(boxes, c, op);
    case OpKind::kTranspose: {
      const Dims& perm = op.as<TransposeParams>().perm;
      const ref::Strides own = ref::contiguous_strides(x.shape);
      ref::Box from;
      for (int32_t d = 0; d < y.shape.rank(); ++d)
        from.strides[static_cast<size_t>(d)] =
            own[static_cast<size_t>(normalize_axis(perm[d], x.shape.rank()))];
      boxes.add(y.shape, 0, from, 0, whole_box(y.shape));
      return true;
    }
    case OpKind::kBroadcastTo:
      boxes.add(y.shape, 0, {0, ref::broadcast_strides(x.shape, y.shape)}, 0, whole_box(y.shape));
      return true;
    case OpKind::kTile: {
      // A box has room for as many dimensions as a tensor.
      int32_t repeated = 0;
      for (int32_t d = 0; d < x.shape.rank(); ++d) repeated += y.shape[d] != x.shape[d];
      if (x.shape.rank() + repeated > kMaxRank || elements(x.shape) == 0) return false;
      repeat(boxes, x.shape, y.shape);
      return true;
    }
    case OpKind::kDepthToSpace: {
      const ref::BlockWalk walk = ref::block_walk(x.shape, op.as<BlockParams>().block);
      boxes.add(walk.shape, 0, walk.deep, 0, walk.large);
      return true;
    }
    case OpKind::kSpaceToDepth: {
      const ref::BlockWalk walk = ref::block_walk(y.shape, op.as<BlockParams>().block);
      boxes.add(walk.shape, 0, walk.large, 0, walk.deep);
      return true;
    }
    case OpKind::kSpaceToBatch: {
      boxes.fill(is_quantized(y) ? y.quant.zero_point[0] : 0, elements(y.shape));
      auto take = [&](const Shape& box, const ref::Box& small, const ref::Box& large) {
        boxes.add(box, 0, large, 0, small);
      };
      if (elements(x.shape) > 0)
        ref::for_each_phase(op.as<SpaceBatchParams>(), y.shape, x.shape, take);
      return true;
    }
    case OpKind::kBatchToSpace: {
      auto put = [&](const Shape& box, const ref::Box& small, const ref::Box& large) {
        boxes.add(box, 0, small, 0, large);
      };
      if (elements(y.shape) > 0)
        ref::for_each_phase(op.as<SpaceBatchParams>(), x.shape, y.shape, put);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

std::optional<LoopNest> lower_copy(const LowerContext& c, const Op& op) {
  Boxes boxes(c.tensor(op.outputs[0]).dtype);
  if (!collect(boxes, c, op) || boxes.failed()) return std::nullopt;
  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kCopy, DType::kU8, DType::kU8);
  if (nest.kernel < 0) return std::nullopt;
  nest.params = boxes.params();
  for (TensorId id : op.inputs) nest.in.push_back(whole_operand(c, id));
  for (TensorId id : op.outputs) nest.out.push_back(whole_operand(c, id));
  return nest;
}

std::vector<LoopNest> lower_requantizing_concat(const LowerContext& c, const Op& op) {
  const Tensor& y = c.tensor(op.outputs[0]);
  const KernelId kernel = find_row(c, KernelClass::kTable, DType::kU8, DType::kU8);
  if (op.kind != OpKind::kConcat || size_of(y.dtype) != 1 || !is_quantized(y) || kernel < 0 ||
      elements(y.shape) == 0)
    return {};
  const int32_t axis = normalize_axis(op.as<ConcatParams>().axis, y.shape.rank());
  int64_t outer = 1;
  for (int32_t d = 0; d < axis; ++d) outer *= y.shape[d];
  const int64_t row = elements(y.shape) / outer;

  std::vector<LoopNest> nests;
  int64_t offset = row;
  // The last one is the first input: a step's last output begins where the operator's does.
  for (size_t i = op.inputs.size(); i-- > 0;) {
    const Tensor& x = c.tensor(op.inputs[i]);
    if (!is_quantized(x)) return {};
    const int64_t run = elements(x.shape) / outer;
    offset -= run;
    if (run == 0) continue;
    TableParams p = {};
    make_concat_table(operand_of(x), operand_of(y), p.table);
    LoopNest nest;
    nest.kernel = kernel;
    nest.extent[kRow] = static_cast<int32_t>(outer);
    nest.extent[kChannel] = static_cast<int32_t>(run);
    nest.in = {whole_operand(c, op.inputs[i])};
    nest.out = {whole_operand(c, op.outputs[0])};
    nest.out[0].buffer.offset += offset;
    nest.out[0].bytes -= offset;
    auto set_strides = [&](int64_t* strides, int64_t row_bytes) {
      strides[kRow] = row_bytes;
      strides[kChannel] = 1;
    };
    set_strides(nest.in[0].stride, run);
    set_strides(nest.out[0].stride, row);
    set_strides(p.strides.in[0], run);
    set_strides(p.strides.out, row);
    cut(nest, outer > 1 ? kRow : kChannel, outer > 1 ? 1 : 64);
    nest.params = params_bytes(p);
    nests.push_back(std::move(nest));
  }
  return nests;
}

}  // namespace pj
