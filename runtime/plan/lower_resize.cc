#include <algorithm>

#include "kernels/common/resize_axis.h"
#include "kernels/resize/resize.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

// The sources of one dimension of the output; `step`: bytes between neighbours of the input.
std::vector<ResizeSource> sources(const ResizeAxis& axis, int32_t count, int64_t step,
                                  ResizeFn fn) {
  std::vector<ResizeSource> all;
  for (int32_t o = 0; o < count; ++o) {
    ResizeSource s = {};
    if (fn == ResizeFn::kNearest) {
      s.first = axis.nearest(o) * step;
    } else {
      const ResizeAxis::Between b = axis.between(o);
      s = {b.first * step, b.second * step, b.fraction, resize_weight(b.fraction)};
    }
    all.push_back(s);
  }
  return all;
}

// How often each row is repeated, if all are as often and in order; otherwise 0.
int32_t repeat_of(const ResizeAxis& axis, int32_t in, int32_t out) {
  if (out % in != 0) return 0;
  const int32_t repeat = out / in;
  for (int32_t o = 0; o < out; ++o)
    if (axis.nearest(o) != o / repeat) return 0;
  return repeat;
}

}  // namespace

std::optional<LoopNest> lower_resize(const LowerContext& c, const Op& op) {
  if (op.kind != OpKind::kResize) return std::nullopt;
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const auto& a = op.as<ResizeParams>();
  if (elements(x.shape) == 0 || elements(y.shape) == 0) return std::nullopt;
  // Larger ones are left to the reference, which needs no description of each row and column.
  constexpr int64_t kMostSources = 1 << 20;
  if (int64_t{y.shape[1]} + y.shape[2] > kMostSources) return std::nullopt;
  LoopNest nest;
  nest.kernel = a.fn == ResizeFn::kNearest
                    ? find_row(c, KernelClass::kNearest, DType::kU8, DType::kU8)
                    : find_row(c, KernelClass::kBilinear, x.dtype, y.dtype);
  if (nest.kernel < 0) return std::nullopt;
  const int64_t pixel = x.shape[3] * static_cast<int64_t>(size_of(x.dtype));
  const int64_t in_row = x.shape[2] * pixel, out_row = y.shape[2] * pixel;
  const ResizeKernelParams header = {y.shape[1], y.shape[2], x.shape[3],
                                     pixel,      x.shape[2], out_row};
  const auto rows = sources({x.shape[1], y.shape[1], a}, y.shape[1], in_row, a.fn);
  const auto cols = sources({x.shape[2], y.shape[2], a}, y.shape[2], pixel, a.fn);
  nest.params = params_bytes(header);
  for (const auto* part : {&rows, &cols}) {
    const auto bytes = std::as_bytes(std::span(*part));
    nest.params.insert(nest.params.end(), bytes.begin(), bytes.end());
  }
  if (a.fn == ResizeFn::kBilinear && is_float(x.dtype)) nest.scratch_bytes = in_row;
  nest.extent[kBatch] = y.shape[0];
  nest.extent[kRow] = y.shape[1];
  Operand in = whole_operand(c, op.inputs[0]), out = whole_operand(c, op.outputs[0]);
  in.stride[kBatch] = x.shape[1] * in_row;
  const int32_t repeat = a.fn == ResizeFn::kNearest
                             ? repeat_of({x.shape[1], y.shape[1], a}, x.shape[1], y.shape[1])
                             : 0;
  if (repeat > 0) {
    // As rows: the input may be a ring.
    nest.windowed = true;
    nest.window.rows = x.shape[1];
    nest.window.repeat = repeat;
    in.stride[kRow] = in_row;
    in.stride[kCol] = pixel;
  }
  if (a.fn == ResizeFn::kNearest) {
    nest.extent[kCol] = y.shape[2];
    out.stride[kCol] = pixel;
    const int32_t wide = repeat_of({x.shape[2], y.shape[2], a}, x.shape[2], y.shape[2]);
    if (wide > 0) nest.columns = {.rows = x.shape[2], .repeat = wide};
  }
  out.stride[kRow] = out_row;
  out.stride[kBatch] = y.shape[1] * out_row;
  nest.in = {in};
  nest.out = {out};
  nest.loops = {{kBatch, 1, true}};
  cut(nest, kRow);
  return nest;
}

}  // namespace pj
