// Operators that move whole tensors: renaming dimensions, permuting, joining, splitting, repeating
// by broadcast. They work for every type; only Concat may have to requantise.
#include "kernels/common/requantize.h"
#include "kernels/reference/copy.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/unary_table.h"

namespace pj {
namespace {

using namespace ref;

void keep_order(const Tile& tile) { copy_whole(tile, ReferenceParams(tile.params).output(0)); }

// Rewrites the values of `in` for the quantisation of `out`, into a box of `out`.
template <typename Q>
void requantize_box(const OperandDesc& in, const Shape& shape, const std::byte* from,
                    const OperandDesc& out, std::byte* to, const Box& box) {
  if (elements(shape) == 0) return;
  const IntRange range = range_of(out.dtype);
  const float inverse = 1.0f / out.scale;
  const Q* source = reinterpret_cast<const Q*>(from);
  Q* target = reinterpret_cast<Q*>(to) + box.offset;
  auto row = [&](const std::array<int64_t, 2>& at, int64_t n, const std::array<int64_t, 2>& step) {
    for (int64_t i = 0; i < n; ++i) {
      const float real = dequantized(source[at[0] + i * step[0]], in.scale, in.zero_point);
      target[at[1] + i * step[1]] =
          static_cast<Q>(quantize_value(real, inverse, out.zero_point, range.min, range.max));
    }
  };
  for_each_row<2>(shape, {contiguous_strides(shape), box.strides}, row);
}

// One input of a Concat into its place.
void join_part(const OperandDesc& in, const Shape& shape, const std::byte* from,
               const OperandDesc& out, std::byte* to, const Box& box) {
  const bool same = in.scale == out.scale && in.zero_point == out.zero_point;
  if (!same && out.scale != 0) {
    switch (out.dtype) {
      case DType::kI8:
        return requantize_box<int8_t>(in, shape, from, out, to, box);
      case DType::kU8:
        return requantize_box<uint8_t>(in, shape, from, out, to, box);
      case DType::kI16:
        return requantize_box<int16_t>(in, shape, from, out, to, box);
      default:
        break;
    }
  }
  copy_box(out.dtype, shape, from, {0, contiguous_strides(shape)}, to, box);
}

// Copies the part of input 0 that begins at `begin` of `axis` to output i.
void take_part(const Tile& tile, const ReferenceParams& p, const Shape& whole, const Shape& part,
               int32_t axis, int32_t begin, int32_t i) {
  const Strides strides = contiguous_strides(whole);
  copy_box(p.input(0).dtype, part, tile.in[0],
           {begin * strides[static_cast<size_t>(axis)], strides}, tile.out[i],
           {0, contiguous_strides(part)});
}

}  // namespace

void make_concat_table(const OperandDesc& in, const OperandDesc& out, uint8_t table[256]) {
  const Shape all{256};
  uint8_t values[256];
  for (int32_t i = 0; i < 256; ++i) values[i] = static_cast<uint8_t>(i);
  const auto as_bytes = [](uint8_t* x) { return reinterpret_cast<std::byte*>(x); };
  join_part(in, all, as_bytes(values), out, as_bytes(table), {0, contiguous_strides(all)});
}

void reference_Reshape(const Tile& tile) { keep_order(tile); }
void reference_Squeeze(const Tile& tile) { keep_order(tile); }
void reference_ExpandDims(const Tile& tile) { keep_order(tile); }

void reference_ShapeOf(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape shape = p.input(0).shape;
  for (int32_t i = 0; i < shape.rank(); ++i) {
    if (p.output(0).dtype == DType::kI64) {
      output<int64_t>(tile, 0)[i] = shape[i];
    } else {
      output<int32_t>(tile, 0)[i] = shape[i];
    }
  }
}

void reference_Transpose(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Dims& perm = p.as<TransposeParams>().perm;
  const Shape in = p.input(0).shape, out = p.output(0).shape;
  const Strides own = contiguous_strides(in);
  Box from;
  for (int32_t i = 0; i < out.rank(); ++i)
    from.strides[static_cast<size_t>(i)] =
        own[static_cast<size_t>(normalize_axis(perm[i], in.rank()))];
  copy_box(p.output(0).dtype, out, tile.in[0], from, tile.out[0], {0, contiguous_strides(out)});
}

void reference_BroadcastTo(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape out = p.output(0).shape;
  copy_box(p.output(0).dtype, out, tile.in[0], {0, broadcast_strides(p.input(0).shape, out)},
           tile.out[0], {0, contiguous_strides(out)});
}

void reference_Concat(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const OperandDesc out = p.output(0);
  const int32_t axis = normalize_axis(p.as<ConcatParams>().axis, out.shape.rank());
  Box box{0, contiguous_strides(out.shape)};
  for (int32_t i = 0; i < p.input_count(); ++i) {
    const OperandDesc in = p.input(i);
    join_part(in, in.shape, tile.in[i], out, tile.out[0], box);
    box.offset += in.shape[axis] * box.strides[static_cast<size_t>(axis)];
  }
}

// A concatenation of inputs that first get a dimension of 1.
void reference_Pack(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const OperandDesc out = p.output(0);
  const int32_t axis = normalize_axis(p.as<PackParams>().axis, out.shape.rank());
  Box box{0, contiguous_strides(out.shape)};
  for (int32_t i = 0; i < p.input_count(); ++i) {
    const Shape part = insert_dim(p.input(i).shape, axis, 1);
    copy_box(out.dtype, part, tile.in[i], {0, contiguous_strides(part)}, tile.out[0], box);
    box.offset += box.strides[static_cast<size_t>(axis)];
  }
}

void reference_Split(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape whole = p.input(0).shape;
  const int32_t axis = normalize_axis(p.as<SplitParams>().axis, whole.rank());
  int32_t begin = 0;
  for (int32_t i = 0; i < p.output_count(); ++i) {
    const Shape part = p.output(i).shape;
    take_part(tile, p, whole, part, axis, begin, i);
    begin += part[axis];
  }
}

void reference_Unpack(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape whole = p.input(0).shape;
  const int32_t axis = normalize_axis(p.as<UnpackParams>().axis, whole.rank());
  for (int32_t i = 0; i < p.output_count(); ++i)
    take_part(tile, p, whole, insert_dim(p.output(i).shape, axis, 1), axis, i, i);
}

}  // namespace pj
