// The 3x3 windows of dot.h without strips: quads live in registers from the pixel where they are
// unpacked to the last one that sees them, and go through no memory.
//
//   columns   x-1   x   x+1                  x+2
//   quads     q[0] q[1] q[2]  -> 1 pixel of 1 or 2 rows,  then q[0] q[1] <- q[1] q[2], q[2] <- x+2
//
// With vectors of 512 bits that is 12 registers of quads, 8 sums and 4 of bias; weights come from
// L1 as operands of the dot products. Where G columns share a vector, all three columns of the
// window are unpacked for each vector of pixels.
//
// Columns outside the image are not read: all their quads are the zero point.
#pragma once

#include "kernels/depthwise/dot_tile.h"

namespace pj {
namespace {

constexpr int kDirectWindow = 3;

// Walks the columns of four rows of the input, those outside the image too.
template <typename V, int G>
struct DirectColumns {
  const std::byte* rows[kGroupRows];  // at column 0; of a row outside the image: the pad pixel
  int64_t step[kGroupRows];           // bytes between two columns; 0 outside the image
  const std::byte* pad;
  int32_t width, channels, stride;
  uint8_t flip;

  PJ_INLINE DirectColumns(const DotTile<V>& d, const DotPanel& panel, int32_t row, int32_t count)
      : pad(d.t.in[2] + panel.in_offset),
        width(d.p.in_width),
        channels(panel.channels),
        stride(d.p.stride_w),
        flip(d.flip) {
    for (int32_t r = 0; r < kGroupRows; ++r) {
      const std::byte* in = r < count ? d.t.rows[row * d.p.stride_h + r] : nullptr;
      rows[r] = in == nullptr ? pad : in + panel.in_offset;
      step[r] = in == nullptr ? 0 : d.p.in_col_bytes;
    }
  }

  // The quads of columns `first`, first + stride, ...: G of them.
  PJ_INLINE void load(int32_t first, typename V::Bytes (&quads)[kGroupRows]) const {
    if constexpr (G == 1) {
      if (static_cast<uint32_t>(first) < static_cast<uint32_t>(width)) {
        unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
          const std::byte* at[1] = {rows[r] + first * step[r]};
          quads[r] = V::template load<1, false>(at, channels, flip);
        });
        V::interleave(quads);
      } else {
        const auto zero = V::set(static_cast<uint8_t>(*pad) ^ flip);
        unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA { quads[r] = zero; });
      }
    } else {
      const bool inside = first >= 0 && first + (G - 1) * stride < width;
      unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
        const std::byte* at[G];
        if (inside) {
          const std::byte* begin = rows[r] + first * step[r];
          unrolled<G>([&](auto i) PJ_INLINE_LAMBDA { at[i] = begin + i * (stride * step[r]); });
        } else {
          for (int32_t i = 0; i < G; ++i) {
            const int32_t column = first + i * stride;
            at[i] = column >= 0 && column < width ? rows[r] + column * step[r] : pad;
          }
        }
        quads[r] = V::template load<G, false>(at, channels, flip);
      });
      V::interleave(quads);
    }
  }
};

// R rows of a vector of pixels from its window's quads.
template <typename V, int R>
PJ_INLINE void sum_window(const std::byte* weights, int32_t parts, int32_t shifts,
                          const typename V::Bytes (&quads)[kDirectWindow][kGroupRows],
                          typename V::Sums (&sums)[R][V::kSums]) {
  const int32_t tap = shifts * kGroupRows * V::kBytes;
  do {
    unrolled<kDirectWindow>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<kGroupRows>([&](auto v) PJ_INLINE_LAMBDA {
        unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
          auto& sum = sums[r][v % V::kSums];
          sum = V::dot_memory(sum, quads[kx][v], weights + (r * kGroupRows + v) * V::kBytes);
        });
      });
      weights += tap;
    });
  } while (--parts > 0);
}

// R rows of `count` columns, from tile row `row` and input column `first` on. S is the stride.
template <typename V, int S, int R, int G>
[[gnu::noinline]] void direct_rows(const DotTile<V>& d, const DotPanel& panel, int32_t row,
                                   int32_t first, int32_t count, std::byte* out) {
  const DirectColumns<V, G> columns(d, panel, row, kDirectWindow + R - 1);
  const std::byte* const packed = panel.packed;
  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  DotPanelHeader header;
  std::memcpy(&header, packed, sizeof(header));
  const typename V::Finish finish(d.stage, packed + 64 + V::kChannels * 4, header.limited != 0,
                                  panel.channels);
  typename V::Sums bias[V::kSums];
  unrolled<V::kSums>(
      [&](auto s) PJ_INLINE_LAMBDA { bias[s] = V::load_sums(packed + 64 + s * V::kBytes); });
  typename V::Bytes quads[kDirectWindow][kGroupRows];
  // Columns that a pixel has in common with the one before it.
  constexpr int kShared = G == 1 ? kDirectWindow - S : 0;
  unrolled<kShared>(
      [&](auto kx) PJ_INLINE_LAMBDA { columns.load(first + kx, quads[kx]); });
  for (int32_t x = 0; x < count; x += G) {
    // The last vector of pixels overlaps the one before it.
    int32_t at = x;
    if (G > 1 && at + G > count) at = count > G ? count - G : 0;
    unrolled<kDirectWindow - kShared>([&](auto i) PJ_INLINE_LAMBDA {
      columns.load(first + at * S + kShared + i, quads[kShared + i]);
    });
    typename V::Sums sums[R][V::kSums];
    unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
      unrolled<V::kSums>([&](auto s) PJ_INLINE_LAMBDA { sums[r][s] = bias[s]; });
    });
    sum_window<V, R>(packed + dot_weights_offset(V::kChannels), header.parts, S == 1 ? 2 : 1, quads,
                     sums);
    unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
      std::byte* to = out + r * row_bytes + at * col_bytes;
      finish.template store<G>(to, col_bytes, sums[r], count - at);
    });
    unrolled<kShared>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<kGroupRows>(
          [&](auto v) PJ_INLINE_LAMBDA { quads[kx][v] = quads[kx + S][v]; });
    });
  }
}

// True if a panel of the layer can be computed by run_direct_panel().
PJ_INLINE bool is_direct(const ConvKernelParams& p) {
  return p.kernel_h == kDirectWindow && p.kernel_w == kDirectWindow && p.dilation_h == 1 &&
         p.dilation_w == 1 && p.stride_h == p.stride_w && p.stride_w <= 2 &&
         p.in_channels == p.out_channels;
}

template <typename V, int G>
void run_direct_panel(const DotTile<V>& d, const DotPanel& panel) {
  const Tile& t = d.t;
  const int32_t first = t.begin[kCol] * d.p.stride_w - d.p.pad_left, cols = t.size[kCol];
  std::byte* out = t.out[0] + panel.out_offset;
  for (int32_t row = 0; row < t.size[kRow];) {
    const bool pair = d.shifts == 2 && row + 2 <= t.size[kRow];
    auto* rows = d.p.stride_w == 2 ? direct_rows<V, 2, 1, G>
                 : pair            ? direct_rows<V, 1, 2, G>
                                   : direct_rows<V, 1, 1, G>;
    rows(d, panel, row, first, cols, out);
    row += pair ? 2 : 1;
    out += (pair ? 2 : 1) * d.p.out_row_bytes;
  }
}

}  // namespace
}  // namespace pj
