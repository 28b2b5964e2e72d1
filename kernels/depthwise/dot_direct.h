// The 3x3 windows of dot.h without strips: quads live in registers from the pixel where they are
// unpacked to the last one that sees them, and go through no memory.
//
//   columns    x    x+1   x+2                        x+3
//   quads     q[0]  q[1]  q[2]  -> pixel x, then  <- q[2]     q[0], q[1] take q[1], q[2]
//
// With vectors of 512 bits that is 12 registers of quads, 4 sums and 4 of bias; weights come from
// L1 as operands of the dot products. Where G pixels share a vector they are not neighbours, but as
// far apart as the row allows: G parts of the row are walked at a time, so that here too each
// column is unpacked once.
//
//   G = 4:   | part 0 | part 1 | part 2 | part 3 |      parts may overlap
//
// Nothing is read outside the image: columns there are masked and keep the zero point, and rows are
// a blank line in scratch.
#pragma once

#include "kernels/depthwise/dot_tile.h"

namespace pj {
namespace {

// How a row of `count` pixels is cut into G parts of `pixels` at equal distances.
template <int G>
struct RowParts {
  int32_t pixels, distance = 0;

  PJ_INLINE explicit RowParts(int32_t count) : pixels((count + G - 1) / G) {
    if constexpr (G == 1) return;
    while ((count - pixels) % (G - 1 + (G == 1)) != 0) ++pixels;
    distance = (count - pixels) / (G - 1 + (G == 1));
  }
};

// Reads pixels of the input, G of them in a vector.
template <typename V, int G>
struct DirectInput {
  using Masks = typename V::template Masks<G>;

  typename V::Bytes pad, flips;
  Masks whole;
  int32_t width, apart;  // columns: of the image, from a part of the row to the next
  int64_t col_bytes;

  PJ_INLINE DirectInput(const DotTile<V>& d, const DotPanel& panel, int32_t part_distance)
      : pad(V::set(static_cast<uint8_t>(*d.t.in[2]) ^ (V::template kFlipsFirst<G> ? d.flip : 0))),
        flips(V::set(d.flip)),
        whole(panel.channels),
        width(d.p.in_width),
        apart(part_distance * d.p.stride_w),
        col_bytes(d.p.in_col_bytes) {}

  // Whether all parts of `count` columns from `first` on are inside the image.
  PJ_INLINE bool inside(int32_t first, int32_t count) const {
    return first >= 0 && first + count - 1 + (G - 1) * apart < width;
  }
  // Masks of a column, parts of which may be outside.
  PJ_INLINE Masks masks_of(int32_t first) const {
    Masks masks = whole;
    unrolled<G>([&](auto g) PJ_INLINE_LAMBDA {
      const int32_t column = first + g * apart;
      if (column < 0 || column >= width) masks.part[g] = 0;
    });
    return masks;
  }
  // A column of a row; where masks say so, padding instead.
  PJ_INLINE typename V::Bytes load(const std::byte* row, int32_t column, const Masks& masks) const {
    return V::template load_masked<G>(row + column * col_bytes, apart * col_bytes, masks, pad,
                                      flips);
  }
};

// Reads columns of four rows of the input.
template <typename V, int G>
struct DirectColumns : DirectInput<V, G> {
  using DirectInput<V, G>::DirectInput;

  const std::byte* rows[kGroupRows];  // at column 0

  // The quads of column `first` and those of the other parts of the row.
  PJ_INLINE void load(int32_t first, typename V::Bytes (&quads)[kGroupRows]) const {
    const bool inside = this->inside(first, 1);
    if constexpr (G == 1) {
      // A load of nothing is slow where the line is not in L1.
      if (__builtin_expect(!inside, 0)) {
        unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA { quads[r] = this->pad; });
        return;
      }
      unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
        quads[r] = V::template load_pixels<G>(rows[r] + first * this->col_bytes, 0, this->whole,
                                              this->flips);
      });
    } else {
      auto masks = this->whole;
      if (__builtin_expect(!inside, 0)) masks = this->masks_of(first);
      unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
        quads[r] = DirectInput<V, G>::load(rows[r], first, masks);
      });
    }
    V::interleave(quads);
  }
};

// A vector of pixels from its window's quads; two taps are `tap` bytes apart.
template <typename V>
PJ_INLINE void sum_window(const std::byte* weights, int32_t parts, int32_t tap,
                          const typename V::Bytes (&quads)[kDirectWindow][kGroupRows],
                          typename V::Sums (&sums)[V::kSums]) {
  do {
    // Otherwise gcc keeps a pointer for each tap, on the stack.
    asm volatile("" : "+r"(weights));
    unrolled<kDirectWindow>([&](auto kx) PJ_INLINE_LAMBDA {
      unrolled<kGroupRows>([&](auto v) PJ_INLINE_LAMBDA {
        auto& sum = sums[v % V::kSums];
        sum = V::dot_memory(sum, quads[kx][v], weights + kx * tap + v * V::kBytes);
      });
    });
    weights += kDirectWindow * tap;
  } while (__builtin_expect(--parts > 0, 0));
}

// Rows [row, end) of the tile, R at a time; the last ones may be fewer. S is the stride.
template <typename V, int S, int R, int G>
[[gnu::noinline]] void direct_rows(const DotTile<V>& d, const DotPanel& panel,
                                   const std::byte* blank, int32_t row, int32_t end) {
  constexpr int32_t kTap = (S == 1 ? 2 : 1) * kGroupRows * V::kBytes;
  constexpr int kShared = kDirectWindow - S;  // columns that a pixel shares with the one before it
  const std::byte* const packed = panel.packed;
  const std::byte* const weights = packed + dot_weights_offset(V::kChannels);
  DotPanelHeader header;
  std::memcpy(&header, packed, sizeof(header));
  const typename V::Finish finish(d.stage, packed + 64 + V::kChannels * 4, header, panel.channels);
  typename V::Sums bias[V::kSums];
  unrolled<V::kSums>([&](auto s)
                         PJ_INLINE_LAMBDA { bias[s] = V::load_sums(packed + 64 + s * V::kBytes); });

  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  const RowParts<G> parts(d.t.size[kCol]);
  DirectColumns<V, G> columns(d, panel, parts.distance);
  const int32_t first = d.t.begin[kCol] * S - d.p.pad_left;
  for (; row < end; row += R) {
    const int32_t rows = end - row < R ? end - row : R;
    for (int32_t r = 0; r < kGroupRows; ++r) {
      // Windows of three rows have weights of zero for the fourth: any will do.
      const std::byte* in = d.t.rows[row * S + (r < kDirectWindow + rows - 1 ? r : 0)];
      columns.rows[r] = (in == nullptr ? blank : in) + panel.in_offset;
    }
    std::byte* out = d.t.out[0] + panel.out_offset + row * row_bytes;
    typename V::Bytes quads[kDirectWindow][kGroupRows];
    unrolled<kShared>([&](auto kx) PJ_INLINE_LAMBDA { columns.load(first + kx, quads[kx]); });
    int32_t column = first + kShared;
    for (int32_t x = parts.pixels; x > 0; --x, column += S, out += col_bytes) {
      unrolled<S>([&](auto i) PJ_INLINE_LAMBDA { columns.load(column + i, quads[kShared + i]); });
      unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
        if (r > 0 && r >= rows) return;
        typename V::Sums sums[V::kSums];
        unrolled<V::kSums>([&](auto s) PJ_INLINE_LAMBDA { sums[s] = bias[s]; });
        sum_window<V>(weights + r * kGroupRows * V::kBytes, header.parts, kTap, quads, sums);
        finish.template store<G>(out + r * row_bytes, parts.distance * col_bytes, sums, G);
      });
      unrolled<kShared>([&](auto kx) PJ_INLINE_LAMBDA {
        unrolled<kGroupRows>([&](auto v) PJ_INLINE_LAMBDA { quads[kx][v] = quads[kx + S][v]; });
      });
    }
  }
}

// Rows [row, end) of a panel.
template <typename V, int G>
PJ_INLINE void direct_panel(const DotTile<V>& d, const DotPanel& panel, const std::byte* blank,
                            int32_t row, int32_t end) {
  if (d.p.stride_w == 2) {
    direct_rows<V, 2, 1, G>(d, panel, blank, row, end);
  } else {
    direct_rows<V, 1, 2, G>(d, panel, blank, row, end);
  }
}

// A line of padding for rows outside the image; null if there are none.
template <typename V>
PJ_INLINE const std::byte* blank_line(const DotTile<V>& d) {
  const int32_t rows = (d.t.size[kRow] - 1) * d.p.stride_h + d.p.kernel_h;
  bool needed = false;
  for (int32_t r = 0; r < rows; ++r) needed |= d.t.rows[r] == nullptr;
  if (!needed) return nullptr;
  const auto bytes = V::set(static_cast<uint8_t>(*d.t.in[2]));
  for (int64_t i = 0; i < d.p.in_width * d.p.in_col_bytes; i += V::kBytes)
    V::store(d.t.scratch + i, bytes);
  return d.t.scratch;
}

// A tile: calls compute(panel, G, blank, row, end) for rows [row, end) of each panel. If the tile
// fits in L1, panel by panel with all rows; else the rows of one step with all panels, so that
// memory is read and written in long runs.
template <typename V, typename Compute>
PJ_INLINE void for_panels(const DotTile<V>& d, Compute&& compute) {
  constexpr int64_t kShareOfL1 = 24 << 10;
  const Tile& t = d.t;
  const int32_t rows = t.size[kRow];
  const int64_t bytes =
      int64_t{rows} * t.size[kCol] * t.size[kChannel] * (1 + d.p.stride_h * d.p.stride_w);
  const int32_t step = bytes <= kShareOfL1 ? rows : d.shifts;
  const std::byte* const blank = blank_line(d);
  for (int32_t row = 0; row < rows; row += step) {
    const int32_t end = rows - row < step ? rows : row + step;
    const std::byte* packed = t.in[1];
    for (int32_t c = 0; c < t.size[kChannel]; c += V::kChannels, packed += d.p.panel_bytes) {
      const DotPanel panel = dot_panel<V>(packed, c, t.size[kChannel]);
      for_width<V>(panel.channels, [&](auto g) { compute(panel, g, blank, row, end); });
    }
  }
}

template <typename V>
void run_direct(const DotTile<V>& d) {
  for_panels(d, [&](const DotPanel& panel, auto g, const std::byte* blank, int32_t row,
                    int32_t end) { direct_panel<V, g>(d, panel, blank, row, end); });
}

}  // namespace
}  // namespace pj
