#include "kernels/common/requantize.h"
#include "kernels/pool/pool.h"
#include "runtime/plan/lower_support.h"

namespace pj {

std::optional<LoopNest> lower_pool(const LowerContext& c, const Op& op) {
  if (op.kind != OpKind::kPool2D) return std::nullopt;
  const Tensor &x = c.tensor(op.inputs[0]), &y = c.tensor(op.outputs[0]);
  const auto& a = op.as<Pool2DParams>();
  if (elements(x.shape) == 0 || elements(y.shape) == 0) return std::nullopt;
  if (int64_t{a.kernel_h} * a.kernel_w > kMaxPoolArea) return std::nullopt;
  const Padding pad = resolve_padding(a.padding, x.shape[1], x.shape[2], a.kernel_h, a.kernel_w,
                                      a.stride_h, a.stride_w);
  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kPool, x.dtype, y.dtype);
  if (nest.kernel < 0) return std::nullopt;
  const auto size = static_cast<int64_t>(size_of(x.dtype));
  const int64_t pixel = x.shape[3] * size;

  PoolParams p = {};
  p.fn = static_cast<int32_t>(a.fn);
  p.kernel_h = a.kernel_h;
  p.kernel_w = a.kernel_w;
  p.stride_h = a.stride_h;
  p.stride_w = a.stride_w;
  p.pad_left = pad.left;
  p.in_width = x.shape[2];
  p.in_col_bytes = p.out_col_bytes = pixel;
  p.out_row_bytes = y.shape[2] * pixel;
  if (is_float(x.dtype)) {
    const ActivationLimits limits = limits_of(a.activation);
    p.float_low = limits.low;
    p.float_high = limits.high;
  } else {
    if (!is_quantized(y)) return std::nullopt;
    const int32_t zero = y.quant.zero_point[0];
    const OutputStage stage = make_output_stage(y.dtype, y.quant.scale[0], zero, a.activation);
    p.low = static_cast<int32_t>(stage.low) + zero;
    p.high = static_cast<int32_t>(stage.high) + zero;
  }
  nest.params = params_bytes(p);

  nest.extent[kBatch] = y.shape[0];
  nest.extent[kRow] = y.shape[1];
  nest.extent[kCol] = y.shape[2];
  nest.extent[kChannel] = y.shape[3];
  nest.windowed = true;
  nest.window = {a.stride_h, pad.top, a.kernel_h, x.shape[1]};
  Operand in = whole_operand(c, op.inputs[0]);
  in.stride[kChannel] = size;
  in.stride[kRow] = x.shape[2] * pixel;
  in.stride[kBatch] = x.shape[1] * in.stride[kRow];
  Operand out = whole_operand(c, op.outputs[0]);
  out.stride[kChannel] = size;
  out.stride[kCol] = pixel;
  out.stride[kRow] = p.out_row_bytes;
  out.stride[kBatch] = y.shape[1] * p.out_row_bytes;
  nest.in = {in};
  nest.out = {out};
  nest.loops = {{kBatch, 1, true}, {kRow, 1, true}};
  return nest;
}

}  // namespace pj
