// Slice, StridedSlice and Pad: boxes cut out of a tensor or put into a larger one.
#include "kernels/reference/copy.h"
#include "kernels/reference/reference_rows.h"

namespace pj {
namespace {

using namespace ref;

void pad_mirrored(const Tile& tile, const ReferenceParams& p) {
  const auto& params = p.as<PadParams>();
  const Shape in = p.input(0).shape, out = p.output(0).shape;
  const Strides strides = contiguous_strides(in);
  const int64_t count = elements(out);
  visit_width(p.output(0).dtype, [&](auto width) {
    using T = decltype(width);
    for (int64_t e = 0; e < count; ++e) {
      int64_t rest = e, source = 0;
      for (int32_t d = out.rank() - 1; d >= 0; --d) {
        const auto index = static_cast<int32_t>(rest % out[d]);
        rest /= out[d];
        source +=
            mirrored(index - params.before[d], in[d], params.fn) * strides[static_cast<size_t>(d)];
      }
      output<T>(tile, 0)[e] = input<T>(tile, 0)[source];
    }
  });
}

}  // namespace

void reference_Slice(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape out = p.output(0).shape;
  if (elements(out) == 0) return;
  const Strides strides = contiguous_strides(p.input(0).shape);
  copy_box(p.output(0).dtype, out, tile.in[0],
           {offset_of(p.as<SliceParams>().begin, strides), strides}, tile.out[0],
           {0, contiguous_strides(out)});
}

void reference_StridedSlice(const Tile& tile) {
  const ReferenceParams p(tile.params);
  // Shape inference has resolved the same parameters: no error is possible here.
  const auto plan = resolve_strided_slice(p.input(0).shape, p.as<StridedSliceParams>());
  if (!plan || elements(p.output(0).shape) == 0) return;
  Shape box;
  const Box from = strided_box(*plan, contiguous_strides(p.input(0).shape), box);
  copy_box(p.output(0).dtype, box, tile.in[0], from, tile.out[0], {0, contiguous_strides(box)});
}

void reference_Pad(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& params = p.as<PadParams>();
  const OperandDesc out = p.output(0);
  if (elements(out.shape) == 0) return;
  if (params.fn != PadFn::kConstant) return pad_mirrored(tile, p);
  if (has_input(p, 2)) {
    fill(out.dtype, tile.out[0], elements(out.shape), tile.in[2]);
  } else {
    fill_zero(out, tile.out[0]);
  }
  const Shape in = p.input(0).shape;
  const Strides strides = contiguous_strides(out.shape);
  copy_box(out.dtype, in, tile.in[0], {0, contiguous_strides(in)}, tile.out[0],
           {offset_of(params.before, strides), strides});
}

}  // namespace pj
