// The 3x3 windows of dot.h on sdot without strips: the quads of a column live in registers from
// where they are unpacked to the last pixel that sees them, and go through no memory.
//
//   columns    x    x+1   x+2                        x+3
//   quads     q[0]  q[1]  q[2]  -> pixel x, then  <- q[2]     q[0], q[1] take q[1], q[2]
//
// That is 12 registers of quads, 4 sums, 4 of bias, and weights as they pass. With stride 1 two
// output rows share a column's quads: on Cortex-A76 its 8 permutations, 24 dot products and 40
// instructions for 32 results keep both vector pipes busy, with room for the loads.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/depthwise/dot_neon.h"

namespace pj {
namespace {

// Reads columns of four rows of the input, of 16 channels.
template <typename X>
struct NeonColumns {
  const std::byte* rows[kGroupRows];  // at column 0; the pad pixel for rows outside the image
  int64_t step[kGroupRows];           // between two columns; 0: of the pad pixel
  uint8x16_t pad;
  int32_t width;
  uint8_t flip;

  // The quads of a column; `inside`: it is known to be in the image.
  template <bool inside>
  PJ_INLINE void load(int32_t column, uint8x16_t (&quads)[kGroupRows]) const {
    const uint8x16_t flips = vdupq_n_u8(flip);
    if (!inside && static_cast<uint32_t>(column) >= static_cast<uint32_t>(width)) {
      unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA { quads[r] = pad; });
    } else {
      unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
        quads[r] = load_lane(rows[r] + column * step[r]);
        if constexpr (!std::is_signed_v<X>) quads[r] = veorq_u8(quads[r], flips);
      });
    }
    DotNeon<X>::interleave(quads);
  }
};

// R rows of a panel from `row` of the tile on; S is the stride.
template <typename X, int S, int R>
PJ_INLINE void direct_pixels(const DotTile<DotNeon<X>>& d, const DotPanel& panel,
                             const NeonColumns<X>& from, int32_t row) {
  using V = DotNeon<X>;
  constexpr int32_t kTap = (S == 1 ? 2 : 1) * kGroupRows * V::kBytes;
  constexpr int kShared = 3 - S;  // columns that a pixel shares with the one before it
  const NeonColumns<X> columns = from;
  DotPanelHeader header;
  std::memcpy(&header, panel.packed, sizeof(header));
  const typename V::Finish finish(d.stage, panel.packed + 64 + V::kChannels * 4, header,
                                  panel.channels);
  const std::byte* const biases = panel.packed + 64;
  const std::byte* const weights = panel.packed + dot_weights_offset(V::kChannels);
  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  std::byte* out = d.t.out[0] + panel.out_offset + row * row_bytes;
  int32_t column = d.t.begin[kCol] * S - d.p.pad_left;
  uint8x16_t quads[3][kGroupRows];
  unrolled<kShared>([&](auto kx)
                        PJ_INLINE_LAMBDA { columns.template load<false>(column + kx, quads[kx]); });
  column += kShared;

  auto add_part = [&](const std::byte* w, int32x4_t(&sums)[4]) PJ_INLINE_LAMBDA {
    unrolled<3 * kGroupRows>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr int kx = i / kGroupRows, v = i % kGroupRows;
      sums[v] = V::dot(sums[v], quads[kx][v], load_lane(w + kx * kTap + v * V::kBytes));
    });
  };
  // A pixel of each row. `usual`: its columns are inside, weights have one part: then nothing
  // branches, so that pixels overlap in the CPU. `calm`, `simple`: so are usual sums, the stage.
  auto pixel = [&](auto usual, auto calm, auto simple) PJ_INLINE_LAMBDA {
    unrolled<S>([&](auto i) PJ_INLINE_LAMBDA {
      columns.template load<usual>(column + i, quads[kShared + i]);
    });
    unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
      int32x4_t sums[4];
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { sums[v] = V::load_sums(biases + v * V::kBytes); });
      const std::byte* w = weights + r * kGroupRows * V::kBytes;
      if constexpr (usual) {
        add_part(w, sums);
        finish.template store_plain<calm, simple>(out + r * row_bytes, sums);
      } else {
        for (int32_t part = header.parts; part > 0; --part, w += 3 * kTap) add_part(w, sums);
        finish.template store<1>(out + r * row_bytes, 0, sums, 1);
      }
    });
    unrolled<kShared>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<kGroupRows>([&](auto v) PJ_INLINE_LAMBDA { quads[kx][v] = quads[kx + S][v]; });
    });
    column += S;
    out += col_bytes;
  };
  auto pixels = [&](int32_t count, auto calm, auto simple) PJ_INLINE_LAMBDA {
    for (; count > 0; --count) pixel(std::true_type{}, calm, simple);
  };
  for (int32_t left = d.t.size[kCol]; left > 0;) {
    if (header.parts == 1 && column >= 0) {
      const int32_t inside = (columns.width - column) / S;
      const int32_t count = inside < left ? inside : left;
      if (count > 0) left -= count;
      if (!finish.calm) {
        pixels(count, std::false_type{}, std::false_type{});
      } else if (finish.simple) {
        pixels(count, std::true_type{}, std::true_type{});
      } else {
        pixels(count, std::true_type{}, std::false_type{});
      }
      if (left == 0) break;
    }
    pixel(std::false_type{}, std::false_type{}, std::false_type{});
    --left;
  }
}

// All rows of a panel of 16 channels.
template <typename X, int S>
[[gnu::noinline]] void direct_panel(const DotTile<DotNeon<X>>& d, const DotPanel& panel) {
  constexpr int kRows = S == 1 ? 2 : 1;  // that share their input
  const std::byte* const pad = d.t.in[2] + panel.in_offset;
  NeonColumns<X> columns;
  columns.width = d.p.in_width;
  columns.flip = d.flip;
  columns.pad = load_lane(pad);
  if (!std::is_signed_v<X>) columns.pad = veorq_u8(columns.pad, vdupq_n_u8(d.flip));
  for (int32_t row = 0; row < d.t.size[kRow]; row += kRows) {
    const int32_t count = d.t.size[kRow] - row < kRows ? 1 : kRows;
    for (int32_t r = 0; r < kGroupRows; ++r) {
      // Windows of three rows have weights of zero for the fourth: any will do.
      const std::byte* in = d.t.rows[row * S + (r < count + 2 ? r : 0)];
      columns.rows[r] = in == nullptr ? pad : in + panel.in_offset;
      columns.step[r] = in == nullptr ? 0 : d.p.in_col_bytes;
    }
    if (count == 2) {
      direct_pixels<X, S, kRows>(d, panel, columns, row);
    } else {
      direct_pixels<X, S, 1>(d, panel, columns, row);
    }
  }
}

template <typename X>
bool DotNeon<X>::direct(const DotTile<DotNeon>& d, const DotPanel& panel) {
  const ConvKernelParams& p = d.p;
  if (p.kernel_h != 3 || p.kernel_w != 3 || p.dilation_h != 1 || p.dilation_w != 1) return false;
  if (p.stride_h != p.stride_w || panel.channels != kChannels || d.multiplier != 1) return false;
  if (p.stride_w == 1) {
    direct_panel<X, 1>(d, panel);
  } else if (p.stride_w == 2) {
    direct_panel<X, 2>(d, panel);
  }
  return p.stride_w <= 2;
}

template <typename X, typename W, int mr, int nr>
void run_dot_neon(const Tile& t) {
  static_assert(mr == DotNeon<X>::kPixels && nr == DotNeon<X>::kChannels);
  run_dot<DotNeon<X>>(t, std::is_signed_v<X>);
}

}  // namespace
}  // namespace pj
