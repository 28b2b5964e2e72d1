// Products of two matrices that are both computed at run time.
#include <algorithm>

#include "kernels/matmul/matmul.h"
#include "runtime/base/aligned.h"
#include "runtime/plan/lower_support.h"

namespace pj {
namespace {

// a of batch x M x K times b of batch x K x N, or of N x K; factors may be the same for all of a
// batch.
struct Product {
  int32_t batch = 1, m = 1, n = 1, k = 1;
  bool transposed = false, same_a = false, same_b = false;
  Activation activation = Activation::kNone;
};

int64_t matrices(const Shape& s) { return elements(s) / (int64_t{s.back(0)} * s.back(1)); }

std::optional<Product> product_of(const LowerContext& c, const Op& op) {
  if (op.kind != OpKind::kFullyConnected && op.kind != OpKind::kBatchMatMul) return std::nullopt;
  const Shape &a = c.tensor(op.inputs[0]).shape, &b = c.tensor(op.inputs[1]).shape;
  const Shape& y = c.tensor(op.outputs[0]).shape;
  if (elements(y) == 0 || elements(a) == 0) return std::nullopt;
  Product p;
  if (op.kind == OpKind::kFullyConnected) {
    p.n = b[0];
    p.k = b[1];
    p.m = static_cast<int32_t>(elements(a) / p.k);
    p.transposed = true;
    p.activation = op.as<FullyConnectedParams>().activation;
    return p;
  }
  const auto& flags = op.as<BatchMatMulParams>();
  if (flags.transpose_a) return std::nullopt;
  p.n = y.back(0);
  p.m = y.back(1);
  p.k = a.back(0);
  p.transposed = flags.transpose_b;
  const int64_t batch = matrices(y);
  p.same_a = matrices(a) != batch;
  p.same_b = matrices(b) != batch;
  // A factor repeats for all of the batch or not at all.
  if ((p.same_a && matrices(a) != 1) || (p.same_b && matrices(b) != 1)) return std::nullopt;
  p.batch = static_cast<int32_t>(batch);
  return p;
}

// Operands of a product whose a, b and y have elements of `size` bytes, and bias one of 4.
void set_operands(const LowerContext& c, const Op& op, const Product& p, int64_t size,
                  LoopNest& nest) {
  const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != kNoTensor;
  const int64_t a_row = p.k * size, b_row = (p.transposed ? p.k : p.n) * size, y_row = p.n * size;
  nest.extent[kBatch] = p.batch;
  nest.extent[kCol] = p.m;
  nest.extent[kChannel] = p.n;
  Operand a = whole_operand(c, op.inputs[0]), b = whole_operand(c, op.inputs[1]);
  Operand bias = whole_operand(c, has_bias ? op.inputs[2] : kNoTensor);
  Operand y = whole_operand(c, op.outputs[0]);
  a.stride[kBatch] = p.same_a ? 0 : p.m * a_row;
  a.stride[kCol] = a_row;
  b.stride[kBatch] = p.same_b ? 0 : int64_t{p.k} * p.n * size;
  b.stride[kChannel] = p.transposed ? b_row : size;
  bias.stride[kChannel] = 4;
  y.stride[kBatch] = p.m * y_row;
  y.stride[kCol] = y_row;
  y.stride[kChannel] = size;
  nest.in = {a, b, bias};
  nest.out = {y};
}

template <typename P>
P product_params(const Product& p, int64_t size) {
  P params;
  params.k = p.k;
  params.transposed = p.transposed ? 1 : 0;
  params.a_row_bytes = p.k * size;
  params.b_row_bytes = (p.transposed ? p.k : p.n) * size;
  params.out_row_bytes = p.n * size;
  return params;
}

// Columns of a tile: for four threads, and with packed ones that take at most a quarter of L2,
// since every thread has some. `panel_bytes`: of nr columns.
int32_t tile_columns(const LowerContext& c, const Product& p, int32_t nr, int64_t panel_bytes) {
  const int64_t fit = c.target.l2_bytes / 4 / panel_bytes;
  return static_cast<int32_t>(
      std::clamp<int64_t>(ceil_div(ceil_div(p.n, 4), 2 * nr) * 2, 1, std::max<int64_t>(fit, 1)) *
      nr);
}

std::optional<LoopNest> lower_bytes(const LowerContext& c, const Op& op, const Product& p,
                                    LoopNest nest) {
  const Tensor &a = c.tensor(op.inputs[0]), &b = c.tensor(op.inputs[1]);
  const Tensor& y = c.tensor(op.outputs[0]);
  if (!is_quantized(a) || !is_quantized(b) || !is_quantized(y)) return std::nullopt;
  auto params = product_params<ByteMatmulParams>(p, 1);
  params.zero_a = a.quant.zero_point[0];
  params.zero_b = b.quant.zero_point[0];
  params.scale = requantization_scale(a.quant.scale[0], b.quant.scale[0], y.quant.scale[0]);
  params.stage = make_output_stage(y.dtype, y.quant.scale[0], y.quant.zero_point[0], p.activation);
  nest.params = params_bytes(params);
  set_operands(c, op, p, 1, nest);
  const int32_t columns =
      tile_columns(c, p, kWidestBytePanel, 4 * byte_matmul_panel_values(p.k, kWidestBytePanel));
  nest.loops = {{kBatch, 1, true}, {kChannel, columns, true}};
  nest.scratch_bytes = byte_matmul_scratch_bytes(p.k, std::min(columns, p.n));
  return nest;
}

}  // namespace

std::optional<LoopNest> lower_matmul(const LowerContext& c, const Op& op) {
  const std::optional<Product> p = product_of(c, op);
  if (!p) return std::nullopt;
  const DType type = c.tensor(op.inputs[0]).dtype;
  if (c.tensor(op.inputs[1]).dtype != type) return std::nullopt;
  LoopNest nest;
  nest.kernel = find_row(c, KernelClass::kMatmul, type, type);
  if (nest.kernel < 0) return std::nullopt;
  if (type != DType::kF32) return lower_bytes(c, op, *p, std::move(nest));

  const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != kNoTensor;
  if (has_bias && c.tensor(op.inputs[2]).dtype != DType::kF32) return std::nullopt;
  const ActivationLimits limits = limits_of(p->activation);
  auto params = product_params<MatmulKernelParams>(*p, sizeof(float));
  params.low = limits.low;
  params.high = limits.high;
  nest.params = params_bytes(params);
  set_operands(c, op, *p, sizeof(float), nest);
  const int32_t nr = c.catalog[static_cast<size_t>(nest.kernel)].nr;
  const int32_t columns = tile_columns(c, *p, nr, matmul_panel_bytes(p->k, nr));
  nest.loops = {{kBatch, 1, true}, {kChannel, columns, true}};
  nest.scratch_bytes = matmul_scratch_bytes(p->k, std::min(columns, p->n), nr);
  return nest;
}

}  // namespace pj
