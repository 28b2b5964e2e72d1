// Products of two matrices of floats: a tile packs its columns of b into panels, as weights of a
// convolution are packed beforehand, and multiplies all rows of a by them
// (kernels/conv/float_block.h).
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/common/transpose_quads.h"
#include "kernels/conv/float.h"
#include "kernels/matmul/matmul.h"

namespace pj {
namespace {

// A 4 x 4 matrix whose rows are a distance apart, transposed.
PJ_INLINE void transpose_4x4(const std::byte* x, int64_t x_step, std::byte* y, int64_t y_step) {
  Quad row[4];
  for (int i = 0; i < 4; ++i) std::memcpy(&row[i], x + i * x_step, sizeof(Quad));
  transpose_quads(row);
  for (int i = 0; i < 4; ++i) std::memcpy(y + i * y_step, &row[i], sizeof(Quad));
}

// A row of a panel: the first `columns` numbers, then zeros.
PJ_INLINE void copy_lanes(const float* x, int32_t columns, float* y) {
  if (columns == kFloatPanel) {
    for (int v = 0; v < kFloatPanel; v += Floats::kLanes) Floats::store(y + v, Floats::load(x + v));
    return;
  }
  for (int32_t v = 0; v < kFloatPanel; v += Floats::kLanes) {
    const int32_t count = columns - v < Floats::kLanes ? columns - v : Floats::kLanes;
    Floats::store(y + v, count > 0 ? Floats::load_part(x + v, count) : Floats::set(0));
  }
}

// Packs `columns` columns of b, at most a panel. Lanes past them are zero.
PJ_INLINE void pack_panel(const MatmulKernelParams& p, const std::byte* b, int32_t columns,
                          std::byte* out) {
  constexpr int64_t kStep = kFloatPanel * sizeof(float), kSize = sizeof(float);
  if (p.transposed == 0) {
    for (int32_t k = 0; k < p.k; ++k, b += p.b_row_bytes, out += kStep)
      copy_lanes(reinterpret_cast<const float*>(b), columns, reinterpret_cast<float*>(out));
    return;
  }
  if (columns < kFloatPanel) std::memset(out, 0, static_cast<size_t>(p.k * kStep));
  const int32_t whole_k = p.k / 4 * 4, whole_n = columns / 4 * 4;
  for (int32_t k = 0; k < whole_k; k += 4)
    for (int32_t n = 0; n < whole_n; n += 4)
      transpose_4x4(b + n * p.b_row_bytes + k * kSize, p.b_row_bytes, out + k * kStep + n * kSize,
                    kStep);
  for (int32_t n = 0; n < columns; ++n)
    for (int32_t k = n < whole_n ? whole_k : 0; k < p.k; ++k)
      std::memcpy(out + k * kStep + n * kSize, b + n * p.b_row_bytes + k * kSize, sizeof(float));
}

template <typename X, typename, int mr, int nr>
void run_float_matmul(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == kFloatPanel);
  const auto& p = *static_cast<const MatmulKernelParams*>(t.params);
  const int64_t panel_bytes = matmul_panel_bytes(p.k, kFloatPanel);
  const int64_t b_column_bytes = p.transposed != 0 ? p.b_row_bytes : sizeof(float);
  std::byte* panel = t.scratch;
  for (int32_t n = 0; n < t.size[kChannel]; n += kFloatPanel, panel += panel_bytes) {
    const int32_t left = t.size[kChannel] - n;
    const int32_t columns = left < kFloatPanel ? left : kFloatPanel;
    std::memset(panel, 0, kFloatPanel * sizeof(float));
    if (t.in[2] != nullptr)
      std::memcpy(panel, t.in[2] + n * sizeof(float), static_cast<size_t>(columns) * sizeof(float));
    pack_panel(p, t.in[1] + n * b_column_bytes, columns, panel + kFloatPanel * sizeof(float));
  }
  const FloatTile f{.kernel_h = 1,
                    .segments = 1,
                    .count = p.k,
                    .row_step = 0,
                    .segment_step = 0,
                    .pixel_step = p.a_row_bytes,
                    .panel_bytes = panel_bytes,
                    .out_step = p.out_row_bytes,
                    .limits = Limits(p.low, p.high)};
  const auto* a = reinterpret_cast<const uint8_t*>(t.in[0]);
  compute_panels<float>(f, {&a, 1, t.size[kCol], 0, 0}, reinterpret_cast<uint8_t*>(t.scratch),
                        t.size[kChannel], reinterpret_cast<uint8_t*>(t.out[0]), nullptr);
}

}  // namespace
}  // namespace pj
