// Matrix products.
#include "kernels/reference/arithmetic.h"
#include "kernels/reference/reference_rows.h"

namespace pj {
namespace {

using namespace ref;

template <typename A>
void fully_connected(const Tile& tile, const ReferenceParams& p, const A& arithmetic) {
  const auto* x = input<typename A::X>(tile, 0);
  const auto* w = input<typename A::Weight>(tile, 1);
  auto* y = output<typename A::Y>(tile, 0);
  const int32_t out = p.input(1).shape[0], in = p.input(1).shape[1];
  const int64_t count = elements(p.output(0).shape);
  for (const auto* end = y + count; y != end; x += in)
    for (int32_t o = 0; o < out; ++o)
      *y++ = arithmetic.finish(arithmetic.dot(x, w + int64_t{o} * in, in), o);
}

// One product of matrices; element (m, k) of a is at m * row_a + k * col_a, and so on.
struct Product {
  int32_t m, n, k;
  int64_t row_a, col_a, row_b, col_b;
};

template <typename A>
void multiply(const typename A::X* a, const typename A::Weight* b, typename A::Y* y,
              const Product& s, const A& arithmetic) {
  for (int64_t row = 0; row < s.m; ++row) {
    for (int32_t begin = 0; begin < s.n; begin += kBlock) {
      const int32_t count = std::min(kBlock, s.n - begin);
      typename A::Sum sums[kBlock] = {};
      for (int64_t k = 0; k < s.k; ++k) {
        const auto left = a[row * s.row_a + k * s.col_a];
        const auto* right = b + k * s.row_b + begin * s.col_b;
        for (int32_t j = 0; j < count; ++j) sums[j] += arithmetic.product(left, right[j * s.col_b]);
      }
      for (int32_t j = 0; j < count; ++j) *y++ = arithmetic.finish(sums[j], begin + j);
    }
  }
}

// Strides of the leading dimensions of `x` in matrices, broadcast to those of the output.
Strides batch_strides(const Shape& x, const Shape& batch) {
  Shape lead = x;
  lead.count = x.rank() - 2;
  return broadcast_strides(lead, batch);
}

}  // namespace

void reference_FullyConnected(const Tile& tile) {
  const ReferenceParams p(tile.params);
  visit_arithmetic(tile, p, p.as<FullyConnectedParams>().activation,
                   [&](const auto& arithmetic) { fully_connected(tile, p, arithmetic); });
}

void reference_BatchMatMul(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& flags = p.as<BatchMatMulParams>();
  const Shape a = p.input(0).shape, b = p.input(1).shape, y = p.output(0).shape;
  Product s = {};
  s.m = y.back(1);
  s.n = y.back(0);
  s.k = flags.transpose_a ? a.back(1) : a.back(0);
  s.row_a = flags.transpose_a ? 1 : a.back(0);
  s.col_a = flags.transpose_a ? a.back(0) : 1;
  s.row_b = flags.transpose_b ? 1 : b.back(0);
  s.col_b = flags.transpose_b ? b.back(0) : 1;
  Shape batch = y;
  batch.count = y.rank() - 2;
  const int64_t size_a = int64_t{s.m} * s.k, size_b = int64_t{s.k} * s.n;
  visit_arithmetic(tile, p, Activation::kNone, [&](const auto& arithmetic) {
    using A = std::decay_t<decltype(arithmetic)>;
    auto* out = output<typename A::Y>(tile, 0);
    for_each_row<2>(batch, {batch_strides(a, batch), batch_strides(b, batch)},
                    [&](const auto& at, int64_t count, const auto& step) {
                      for (int64_t i = 0; i < count; ++i, out += int64_t{s.m} * s.n)
                        multiply(
                            input<typename A::X>(tile, 0) + (at[0] + i * step[0]) * size_a,
                            input<typename A::Weight>(tile, 1) + (at[1] + i * step[1]) * size_b,
                            out, s, arithmetic);
                    });
  });
}

}  // namespace pj
