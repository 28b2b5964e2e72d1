// Products of two matrices of 8 bits. A tile packs its columns of b into panels, two neighbouring
// k's of a column side by side as 16 bits each, without their zero point; instructions that
// multiply pairs and add both products do the rest. Sums are exact modulo 2^32.
#pragma once

#include "kernels/common/simd.h"
#include "kernels/matmul/matmul.h"

#if HWY_TARGET != HWY_SCALAR

namespace pj {
namespace {

// A vector of columns for each of a block's vectors: the width of a panel.
inline constexpr int64_t kBytePanel = kByteBlock;

template <typename Q>
PJ_INLINE int32_t pair_of(const Q* x, bool both, int32_t zero) {
  const int32_t first = *x - zero, second = both ? x[1] - zero : 0;
  return static_cast<int32_t>((static_cast<uint32_t>(first) & 0xffff) |
                              (static_cast<uint32_t>(second) << 16));
}

// kBytePanel columns of two rows of b, of which only `columns` may be read.
template <typename Q>
PJ_INLINE void pack_rows(const Q* first, const Q* second, int64_t columns, int32_t zero_b,
                         int32_t* to) {
  Q copy[2][kBytePanel];
  if (columns < kBytePanel) {
    std::memset(copy, zero_b, sizeof(copy));
    std::memcpy(copy[0], first, static_cast<size_t>(columns));
    std::memcpy(copy[1], second, static_cast<size_t>(columns));
    first = copy[0];
    second = copy[1];
  }
  const VecI32 zero = splat(zero_b);
  for (int64_t n = 0; n < kBytePanel; n += kLanes32) {
    const VecI32 low = hn::And(hn::Sub(load_wide(first + n), zero), splat(0xffff));
    const VecI32 high = hn::ShiftLeft<16>(hn::Sub(load_wide(second + n), zero));
    hn::StoreU(hn::Or(low, high), kI32, to + n);
  }
}

template <typename Q>
void pack_byte_panel(const ByteMatmulParams& p, const Q* b, int64_t columns, int32_t* to) {
  if (p.transposed != 0) {
    // A column of y is a row here.
    for (int64_t n = 0; n < kBytePanel; ++n)
      for (int32_t k = 0; k < p.k; k += 2)
        to[k / 2 * kBytePanel + n] =
            n < columns ? pair_of(b + n * p.b_row_bytes + k, k + 1 < p.k, p.zero_b) : 0;
    return;
  }
  // Behind an odd number of k's the factor of a is 0, whatever stands here.
  for (int32_t k = 0; k < p.k; k += 2, to += kBytePanel)
    pack_rows(b + k * p.b_row_bytes, b + (k + 1 < p.k ? k + 1 : k) * p.b_row_bytes, columns,
              p.zero_b, to);
}

// `rows` rows of y, kBytePanel columns, of which `columns` are stored.
template <int rows, typename Q>
PJ_INLINE void multiply_panel(const ByteMatmulParams& p, const int32_t* a, const int32_t* b,
                              const int32_t* bias, int64_t columns, Q* y) {
  constexpr hn::Repartition<int16_t, TagI32> d16;
  const int64_t pairs = byte_matmul_pairs(p.k);
  VecI32 sum[rows][kByteVectors], odd[rows][kByteVectors];
  unrolled<rows>([&](auto r) PJ_INLINE_LAMBDA {
    unrolled<kByteVectors>([&](auto v) PJ_INLINE_LAMBDA { sum[r][v] = odd[r][v] = splat(0); });
  });
  for (int64_t i = 0; i < pairs; ++i, b += kBytePanel) {
    hn::Vec<decltype(d16)> factor[kByteVectors];
    unrolled<kByteVectors>([&](auto v) PJ_INLINE_LAMBDA {
      factor[v] = hn::BitCast(d16, hn::LoadU(kI32, b + v * kLanes32));
    });
    unrolled<rows>([&](auto r) PJ_INLINE_LAMBDA {
      const auto x = hn::BitCast(d16, splat(a[r * pairs + i]));
      unrolled<kByteVectors>([&](auto v) PJ_INLINE_LAMBDA {
        sum[r][v] = hn::ReorderWidenMulAccumulate(kI32, x, factor[v], sum[r][v], odd[r][v]);
      });
    });
  }
  const ByteLimits<Q> limits = all_bytes<Q>(p.stage.zero_point);
  const VecF32 scale = splat(p.scale), low = splat(p.stage.low), high = splat(p.stage.high);
  unrolled<rows>([&](auto r) PJ_INLINE_LAMBDA {
    VecI32 v[kByteVectors];
    unrolled<kByteVectors>([&](auto k) PJ_INLINE_LAMBDA {
      const VecI32 all = hn::RearrangeToOddPlusEven(sum[r][k], odd[r][k]);
      const VecI32 total = hn::Add(all, hn::LoadU(kI32, bias + k * kLanes32));
      v[k] = round_lanes(clamp_lanes(hn::Mul(hn::ConvertTo(kF32, total), scale), low, high));
    });
    Q bytes[kBytePanel];
    store_bytes(v, limits, bytes);
    std::memcpy(y + r * p.out_row_bytes, bytes, static_cast<size_t>(columns));
  });
}

template <typename Q, typename>
void run_byte_matmul(const Tile& t) {
  const auto& p = *static_cast<const ByteMatmulParams*>(t.params);
  const int64_t pairs = byte_matmul_pairs(p.k), columns = t.size[kChannel];
  const int64_t panel = byte_matmul_panel_values(p.k, kBytePanel);
  auto* a = reinterpret_cast<int32_t*>(t.scratch);
  int32_t* const panels = a + kByteMatmulRows * pairs;
  const Q* b = reinterpret_cast<const Q*>(t.in[1]);
  for (int64_t n = 0; n < columns; n += kBytePanel) {
    const int64_t left = columns - n < kBytePanel ? columns - n : kBytePanel;
    int32_t* to = panels + n / kBytePanel * panel;
    std::memset(to, 0, kBytePanel * sizeof(int32_t));
    if (t.in[2] != nullptr)
      std::memcpy(to, t.in[2] + n * static_cast<int64_t>(sizeof(int32_t)),
                  static_cast<size_t>(left) * sizeof(int32_t));
    pack_byte_panel(p, b + n * (p.transposed != 0 ? p.b_row_bytes : 1), left, to + kBytePanel);
  }
  const Q* x = reinterpret_cast<const Q*>(t.in[0]);
  Q* y = reinterpret_cast<Q*>(t.out[0]);
  for (int32_t row = 0; row < t.size[kCol]; row += kByteMatmulRows) {
    const int32_t rows = t.size[kCol] - row < kByteMatmulRows ? 1 : kByteMatmulRows;
    for (int32_t r = 0; r < rows; ++r, x += p.a_row_bytes)
      for (int32_t k = 0; k < p.k; k += 2)
        a[r * pairs + k / 2] = pair_of(x + k, k + 1 < p.k, p.zero_a);
    for (int64_t n = 0; n < columns; n += kBytePanel) {
      const int64_t left = columns - n < kBytePanel ? columns - n : kBytePanel;
      const int32_t* bias = panels + n / kBytePanel * panel;
      if (rows == 1) {
        multiply_panel<1>(p, a, bias + kBytePanel, bias, left, y + n);
      } else {
        multiply_panel<kByteMatmulRows>(p, a, bias + kBytePanel, bias, left, y + n);
      }
    }
    y += rows * p.out_row_bytes;
  }
}

}  // namespace
}  // namespace pj

#endif
