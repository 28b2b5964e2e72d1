#include <algorithm>

#include "kernels/move/move.h"
#include "kernels/reference/view.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

// Kernels know elements of one and of four bytes.
KernelId transpose_row(const LowerContext& c, size_t size) {
  if (size == 1) return find_row(c, KernelClass::kTranspose, DType::kU8, DType::kU8);
  if (size == 4) return find_row(c, KernelClass::kTranspose, DType::kI32, DType::kI32);
  return -1;
}

}  // namespace

std::optional<LoopNest> lower_transpose(const LowerContext& c, const Op& op) {
  if (op.kind != OpKind::kTranspose) return std::nullopt;
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  if (elements(y.shape) == 0) return std::nullopt;
  const ref::Strides own = ref::contiguous_strides(x.shape);
  // The input as the output's dimensions see it, then the output.
  std::array<ref::Strides, 2> strides = {ref::Strides{}, ref::contiguous_strides(y.shape)};
  const Dims& perm = op.as<TransposeParams>().perm;
  for (int32_t d = 0; d < y.shape.rank(); ++d)
    strides[0][static_cast<size_t>(d)] =
        own[static_cast<size_t>(normalize_axis(perm[d], x.shape.rank()))];
  Shape shape = y.shape;
  ref::collapse(shape, strides);
  if (shape.rank() > kDimCount) return std::nullopt;
  LoopNest nest;
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  nest.kernel = transpose_row(c, static_cast<size_t>(size));
  if (nest.kernel < 0) return std::nullopt;

  TransposeKernelParams p = {};
  p.in[kChannel] = p.out[kChannel] = 1;
  Operand in = whole_operand(c, op.inputs[0]), out = whole_operand(c, op.outputs[0]);
  const int32_t first = kDimCount - shape.rank();
  for (int32_t d = 0; d < shape.rank(); ++d) {
    nest.extent[first + d] = shape[d];
    p.in[first + d] = strides[0][static_cast<size_t>(d)];
    p.out[first + d] = strides[1][static_cast<size_t>(d)];
  }
  for (int d = 0; d < kDimCount; ++d) {
    in.stride[d] = p.in[d] * size;
    out.stride[d] = p.out[d] * size;
  }
  nest.params = params_bytes(p);
  nest.in = {in};
  nest.out = {out};
  const auto outermost = static_cast<Dim>(std::min<int32_t>(first, kChannel));
  // Cache lines of both sides stay whole.
  cut(nest, outermost, p.in[outermost] == 1 || outermost == kChannel ? 64 : 1);
  return nest;
}

}  // namespace pj
