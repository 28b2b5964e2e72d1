// The 5x5 windows of dot.h with 7 dot products for 25 taps instead of 10. Five rows are two groups
// of four, one of them nearly empty; so here only four rows are quads of a column, and the fifth
// one is quads of a row:
//
//   input rows   0   - - - -  - -      horizontal quads: the upper output row only
//                1   | | | |  | |
//                2   | | | |  | |      vertical quads: both output rows see these four
//                3   | | | |  | |
//                4   | | | |  | |
//                5   - - - -  - -      horizontal quads: the lower output row only
//
// A horizontal quad is four columns of a group; a window takes two of them, with weights that are
// shifted by the place of its pixel. So a tile is the four pixels of a group, times two rows: it
// sees the quads of its own columns and of the next four. While a tile is computed, the group
// behind these is unpacked into strips, piece by piece between the products: unpacking and stores
// keep other units of the CPU busy than products do, which alone take 14 cycles a vector of pixels.
//
// Sums are made for 16 channels after each other, which needs the fewest registers. G pixels of a
// vector are as far apart as in dot_direct.h, and nothing is read outside the image either. G is at
// most 2, for the sake of code size.
#pragma once

#include "kernels/depthwise/dot_direct.h"

namespace pj {
namespace {

// Where a group's quads of 16 channels are in a strip: those of its columns, then of rows 0 and 5.
template <typename V>
constexpr int64_t crossed_quad(int piece, int v) {
  return (int64_t{piece} * kGroupRows + v) * V::kBytes;
}

// Reads the six rows of the input under two of the output.
template <typename V, int G>
struct CrossedInput : DirectInput<V, G> {
  using DirectInput<V, G>::DirectInput;
  static constexpr int kRows = kCrossedWindow + 1;
  static constexpr int kPieces = kCrossedColumns + 2;  // of a group: its columns, rows 0 and 5

  const std::byte* rows[kRows];  // at column 0

  // Unpacks piece `i` of the group from column `first` on, which is inside the image.
  template <int i>
  PJ_INLINE void unpack(int32_t first, std::byte* strip) const {
    constexpr bool column = i < kCrossedColumns;
    unpack_with(i, strip, [&](auto e) PJ_INLINE_LAMBDA {
      const std::byte* row = rows[column ? 1 + e : i == kCrossedColumns ? 0 : kRows - 1];
      return V::template load_pixels<G>(row + (first + (column ? i : int{e})) * this->col_bytes,
                                        this->apart * this->col_bytes, this->whole, this->flips);
    });
  }
  // Unpacks a group that may be outside.
  [[gnu::noinline]] void unpack_checked(int32_t first, std::byte* strip) const {
    for (int i = 0; i < kCrossedColumns; ++i) {
      asm volatile("" : "+r"(i));  // keeps the loop a loop
      const auto masks = this->masks_of(first + i);
      unpack_with(i, strip, [&](auto e) PJ_INLINE_LAMBDA {
        return this->load(rows[1 + e], first + i, masks);
      });
    }
    for (int i = kCrossedColumns; i < kPieces; ++i) {
      asm volatile("" : "+r"(i));
      const std::byte* row = rows[i == kCrossedColumns ? 0 : kRows - 1];
      unpack_with(i, strip, [&](auto e) PJ_INLINE_LAMBDA {
        return this->load(row, first + e, this->masks_of(first + e));
      });
    }
  }

 private:
  // `load(e)` has the four runs of bytes whose quads are the piece.
  template <typename Load>
  PJ_INLINE static void unpack_with(int piece, std::byte* strip, Load&& load) {
    typename V::Bytes x[kGroupRows];
    unrolled<kGroupRows>([&](auto e) PJ_INLINE_LAMBDA { x[e] = load(e); });
    V::interleave(x);
    unrolled<kGroupRows>(
        [&](auto v) PJ_INLINE_LAMBDA { V::store(strip + crossed_quad<V>(piece, v), x[v]); });
  }
};

template <typename V>
using CrossedSums = typename V::Sums[2][kCrossedColumns];

// The products of 16 channels of a tile: of its own group, `near`, and of the next one.
template <typename V, int v>
PJ_INLINE void sum_crossed(const std::byte* packed, int32_t parts, const std::byte* near,
                           const std::byte* far, CrossedSums<V>& sums) {
  const auto bias = V::load_sums(packed + 64 + v * V::kBytes);
  unrolled<2 * kCrossedColumns>([&](auto i) PJ_INLINE_LAMBDA { sums[i % 2][i / 2] = bias; });
  const std::byte* w =
      packed + dot_weights_offset(V::kChannels) + int64_t{v} * kCrossedQuads * V::kBytes;
  do {
    // Otherwise gcc computes all addresses before the loop, which has one turn mostly.
    asm volatile("" : "+r"(w), "+r"(near), "+r"(far));
    typename V::Bytes x[2 * kCrossedColumns];
    auto load = [&](auto i) PJ_INLINE_LAMBDA {
      x[i] = V::load_quads((i < kCrossedColumns ? near : far) +
                           crossed_quad<V>(i % kCrossedColumns, v));
    };
    unrolled<kCrossedColumns - 1>(load);
    unrolled<kCrossedWindow>([&](auto kx) PJ_INLINE_LAMBDA {
      load(std::integral_constant<int, kx + kCrossedColumns - 1>{});
      unrolled<2>([&](auto r) PJ_INLINE_LAMBDA {
        const auto weights = V::load_quads(w + (kx * 2 + r) * V::kBytes);
        unrolled<kCrossedColumns>(
            [&](auto c) PJ_INLINE_LAMBDA { sums[r][c] = V::dot(sums[r][c], x[c + kx], weights); });
      });
    });
    unrolled<2>([&](auto r) PJ_INLINE_LAMBDA {
      unrolled<2>([&](auto half) PJ_INLINE_LAMBDA {
        const auto quads =
            V::load_quads((half == 0 ? near : far) + crossed_quad<V>(kCrossedColumns + r, v));
        unrolled<kCrossedColumns>([&](auto c) PJ_INLINE_LAMBDA {
          constexpr int kAt = 2 * kCrossedWindow + (r * kCrossedColumns + c) * 2 + half;
          sums[r][c] = V::dot_memory(sums[r][c], quads, w + kAt * V::kBytes);
        });
      });
    });
    w += int64_t{kCrossedQuads} * kGroupRows * V::kBytes;
  } while (__builtin_expect(--parts > 0, 0));
  unrolled<2 * kCrossedColumns>([&](auto i) PJ_INLINE_LAMBDA { V::settle(sums[i % 2][i / 2]); });
}

// 32 channels of a tile as 16-bit numbers, from vectors i and i + 1 of sums.
template <typename V, int i>
PJ_INLINE void round_crossed(const typename V::Finish& finish, const CrossedSums<V>& a,
                             const CrossedSums<V>& b, CrossedSums<V>& out) {
  auto round = [&](bool limit) PJ_INLINE_LAMBDA {
    unrolled<2 * kCrossedColumns>([&](auto p) PJ_INLINE_LAMBDA {
      out[p % 2][p / 2] = finish.rounded(a[p % 2][p / 2], b[p % 2][p / 2], i, limit);
    });
  };
  if (__builtin_expect(finish.plain, 1)) {
    round(false);
  } else {
    round(finish.limited);
  }
}

// Two rows of the tile from `row` on, or the last one.
template <typename V, int G>
[[gnu::noinline]] void crossed_rows(const DotTile<V>& d, const DotPanel& panel,
                                    const std::byte* blank, int32_t row, int32_t rows) {
  const std::byte* const packed = panel.packed;
  DotPanelHeader header;
  std::memcpy(&header, packed, sizeof(header));
  const int32_t parts = header.parts;
  const typename V::Finish finish(d.stage, packed + 64 + V::kChannels * 4, header, panel.channels);
  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  const RowParts<G> apart(d.t.size[kCol]);
  const int64_t distance = apart.distance * col_bytes;

  CrossedInput<V, G> input(d, panel, apart.distance);
  for (int32_t r = 0; r < input.kRows; ++r) {
    // The lower row's last one, where there is no lower row: any will do.
    const std::byte* in = d.t.rows[row + (r < kCrossedWindow + rows - 1 ? r : 0)];
    input.rows[r] = (in == nullptr ? blank : in) + panel.in_offset;
  }
  std::byte* near = d.t.scratch + dot_blank_bytes(d.p);
  std::byte* far = near + kCrossedGroupBytes;
  std::byte* next = far + kCrossedGroupBytes;
  int32_t column = d.t.begin[kCol] - d.p.pad_left;
  input.unpack_checked(column, near);
  input.unpack_checked(column + kCrossedColumns, far);
  column += 2 * kCrossedColumns;

  std::byte* out = d.t.out[0] + panel.out_offset + row * row_bytes;
  for (int32_t left = apart.pixels; left > 0; left -= kCrossedColumns) {
    const bool inside = input.inside(column, kCrossedColumns);
    auto unpack = [&](auto i) PJ_INLINE_LAMBDA {
      if (__builtin_expect(inside, 1)) input.template unpack<i>(column, next);
    };
    CrossedSums<V> low, high, a, b;
    sum_crossed<V, 0>(packed, parts, near, far, a);
    unpack(std::integral_constant<int, 0>{});
    unpack(std::integral_constant<int, 1>{});
    sum_crossed<V, 1>(packed, parts, near, far, b);
    round_crossed<V, 0>(finish, a, b, low);
    unpack(std::integral_constant<int, 2>{});
    unpack(std::integral_constant<int, 3>{});
    sum_crossed<V, 2>(packed, parts, near, far, a);
    unpack(std::integral_constant<int, 4>{});
    unpack(std::integral_constant<int, 5>{});
    sum_crossed<V, 3>(packed, parts, near, far, b);
    round_crossed<V, 2>(finish, a, b, high);
    unrolled<2 * kCrossedColumns>([&](auto p) PJ_INLINE_LAMBDA {
      constexpr int r = p / kCrossedColumns, c = p % kCrossedColumns;
      if (r >= rows || c >= left) return;
      finish.template store_rounded<G>(out + r * row_bytes + c * col_bytes, distance, low[r][c],
                                       high[r][c], G, !finish.plain);
    });
    if (!inside && left > kCrossedColumns) input.unpack_checked(column, next);
    column += kCrossedColumns;
    out += kCrossedColumns * col_bytes;
    std::byte* const free = near;
    near = far;
    far = next;
    next = free;
  }
}

template <typename V>
void run_crossed(const DotTile<V>& d) {
  for_panels(d,
             [&](const DotPanel& panel, auto g, const std::byte* blank, int32_t row, int32_t end) {
               constexpr int kPixels = g < 2 ? 1 : 2;
               for (; row < end; row += 2)
                 crossed_rows<V, kPixels>(d, panel, blank, row, end - row < 2 ? 1 : 2);
             });
}

}  // namespace
}  // namespace pj
