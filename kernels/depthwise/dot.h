// Depthwise convolution of integers with dot-product instructions. A dot product wants neighbours
// that are summed; channels-last depthwise has none in a pixel, but it has them in a column:
//
//   row y-1   a0 a1 a2 ...                               row y:    (w0 w1 w2  0)
//   row y     b0 b1 b2 ...   unpack   a0 b0 c0 d0  quad
//   row y+1   c0 c1 c2 ...  ------->  a1 b1 c1 d1        row y+1:  ( 0 w0 w1 w2)
//   row y+2   d0 d1 d2 ...            ...
//
// Four rows of a vector of channels are unpacked into four vectors of quads, one dword a channel.
// Each tap of a window's row, for all its rows, is then one dot product; the quads serve all taps
// and two output rows. Unpacking permutes channels inside a vector: bias, scales and weights are
// packed in that order (kernels/packing), and the pack instructions at the end invert it for free.
//
// Two steps for a panel of channels, a few rows and a block of columns. First the rows are unpacked
// into strips in scratch, which stay in L1: one strip for each group of four rows and each phase of
// the horizontal stride, so that pixels next to each other in the output read neighbours. Padding
// is resolved here and not seen again. Then pixels are computed, a tile of them in registers.
//
// Panels of at most half a vector of channels have two or four columns in one vector.
//
// Where there are enough registers, windows of 3x3 need no strips (dot_direct.h), and those of 5x5
// fewer products (dot_crossed.h).
//
// Traits describe the vectors: `Vectors` of dot_zmm.h, dot_ymm.h, dot_pairs.h and dot_neon.h.
// Operands and parameters are those of kernels/conv/conv.h. Compiled once for each ISA level, hence
// the anonymous namespace.
#pragma once

#include "kernels/depthwise/dot_crossed.h"
#include "kernels/depthwise/dot_tile.h"

namespace pj {
namespace {

// How a vector of inputs is loaded.
enum class DotLoad { kWhole, kPart, kExpanded };

// Distance of two of the four vectors of quads of the same columns.
template <typename V, int G>
PJ_INLINE int64_t quad_distance(const DotTile<V>& d) {
  return G == 1 ? V::kBytes : int64_t{d.steps} * V::kBytes;
}
// Distance of two columns of a strip.
template <typename V, int G>
constexpr int32_t kColumnBytes = G == 1 ? kGroupRows* V::kBytes : V::kBytes / G;

// Unpacks G columns of four rows; at[row][column] are their addresses.
template <typename V, int G, DotLoad load>
PJ_INLINE void unpack_columns(const DotTile<V>& d, const DotPanel& panel,
                              const std::byte* (&at)[kGroupRows][G], std::byte* out) {
  typename V::Bytes rows[kGroupRows];
  unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
    if constexpr (load == DotLoad::kExpanded) {
      constexpr int kLanes = V::kChannels / 16;
      DotLane lanes[kLanes];
      unrolled<kLanes>([&](auto i) PJ_INLINE_LAMBDA {
        const DotSource& source = panel.sources[i % (kLanes / G)];
        const std::byte* x = at[r][i / (kLanes / G)] + source.start;
        lanes[i] = shuffled(load_part(x, panel.source_bytes), source.order);
      });
      rows[r] = V::join(lanes, d.flip);
    } else {
      rows[r] = V::template load<G, load == DotLoad::kWhole>(at[r], panel.channels, d.flip);
    }
  });
  V::interleave(rows);
  unrolled<kGroupRows>(
      [&](auto v) PJ_INLINE_LAMBDA { V::store(out + v * quad_distance<V, G>(d), rows[v]); });
}

// The same from column `first` on, of which some or all are outside the input.
template <typename V, int G, DotLoad load>
[[gnu::noinline]] void unpack_checked(const DotTile<V>& d, const DotPanel& panel,
                                      const std::byte* const (&rows)[kGroupRows], int32_t first,
                                      std::byte* out) {
  const ConvKernelParams& p = d.p;
  const std::byte* const pad = d.t.in[2] + panel.in_offset;
  const std::byte* at[kGroupRows][G];
  unrolled<G>([&](auto i) PJ_INLINE_LAMBDA {
    const int32_t column = first + i * p.stride_w;
    const bool inside = column >= 0 && column < p.in_width;
    unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
      at[r][i] = inside && rows[r] != nullptr ? rows[r] + column * p.in_col_bytes : pad;
    });
  });
  unpack_columns<V, G, load>(d, panel, at, out);
}

// Fills one strip with `columns` columns. `first` is the input column of the first one.
template <typename V, int G, DotLoad load>
void fill_strip(const DotTile<V>& d, const DotPanel& panel,
                const std::byte* const (&rows)[kGroupRows], int32_t first, int32_t columns,
                std::byte* strip) {
  constexpr int32_t kStepBytes = G * kColumnBytes<V, G>;
  const ConvKernelParams& p = d.p;
  // Steps [begin, end) are inside the input.
  const int32_t steps = (columns + G - 1) / G, advance = G * p.stride_w;
  const int32_t room = p.in_width - first - (G - 1) * p.stride_w;
  constexpr DotLoad kChecked = load == DotLoad::kExpanded ? load : DotLoad::kPart;
  int32_t begin = 0, end = steps;
  while (begin < steps && first + begin * advance < 0) ++begin;
  if ((steps - 1) * advance >= room) end = room > 0 ? (room + advance - 1) / advance : 0;
  if (end < begin) end = begin;

  auto check = [&](int32_t from, int32_t to) {
    for (int32_t step = from; step < to; ++step, strip += kStepBytes)
      unpack_checked<V, G, kChecked>(d, panel, rows, first + step * advance, strip);
  };
  // Expanding takes so much longer than checking that there is no code for less of it.
  if constexpr (load == DotLoad::kExpanded) return check(0, steps);
  check(0, begin);
  const std::byte* next[kGroupRows];
  int64_t distance[kGroupRows];
  for (int r = 0; r < kGroupRows; ++r) {
    const bool exists = rows[r] != nullptr;
    distance[r] = exists ? p.stride_w * p.in_col_bytes : 0;
    next[r] =
        exists ? rows[r] + (first + begin * advance) * p.in_col_bytes : d.t.in[2] + panel.in_offset;
  }
  for (int32_t step = begin; step < end; ++step, strip += kStepBytes) {
    const std::byte* at[kGroupRows][G];
    unrolled<kGroupRows>([&](auto r) PJ_INLINE_LAMBDA {
      unrolled<G>([&](auto i) PJ_INLINE_LAMBDA { at[r][i] = next[r] + i * distance[r]; });
      next[r] += G * distance[r];
    });
    unpack_columns<V, G, load>(d, panel, at, strip);
  }
  check(end, steps);
}

// Fills the strips that `rows` output rows from `row` of the tile need. `first` is the input column
// of the first tap of the block's first pixel.
template <typename V, int G, DotLoad load>
void fill_strips(const DotTile<V>& d, const DotPanel& panel, int32_t row, int32_t rows,
                 int32_t first, int32_t columns) {
  const ConvKernelParams& p = d.p;
  const int32_t window = p.kernel_h + rows - 1;  // several rows only where dilation_h is 1
  for (int32_t g = 0; g < d.groups; ++g) {
    const std::byte* in[kGroupRows];
    for (int32_t i = 0; i < kGroupRows; ++i) {
      const int32_t k = g * kGroupRows + i;
      in[i] = k < window ? d.t.rows[row * p.stride_h + k * p.dilation_h] : nullptr;
      if (in[i] != nullptr) in[i] += panel.in_offset;
    }
    // A window narrower than its stride leaves phases out.
    const int32_t last_column = (p.kernel_w - 1) * p.dilation_w;
    for (int32_t phase = 0; phase < p.stride_w && phase <= last_column; ++phase) {
      fill_strip<V, G, load>(d, panel, in, first + phase, columns,
                             d.strips + g * d.group_bytes() + phase * d.strip_bytes());
    }
  }
}

// R rows of C vectors of pixels from the quads at `x`.
template <typename V, int R, int C, int G>
PJ_INLINE void sum_taps(const DotTile<V>& d, const std::byte* x, const std::byte* panel,
                        int32_t taps, typename V::Sums (&result)[R][C][V::kSums]) {
  // Not in `result`, which gcc 12 would write in each turn.
  typename V::Sums sums[R][C][V::kSums];
  constexpr int64_t kColumnVector = int64_t{G} * kColumnBytes<V, G>;
  const int64_t quad = quad_distance<V, G>(d);
  const int64_t tap_bytes = int64_t{d.shifts} * kGroupRows * V::kBytes;
  const std::byte* w = panel + dot_weights_offset(V::kChannels);
  const int32_t* offset = d.tap_offsets;
  const int32_t* const end = offset + taps;
  unrolled<V::kSums>([&](auto s) PJ_INLINE_LAMBDA {
    const auto bias = V::load_sums(panel + 64 + s * V::kBytes);
    unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
      unrolled<C>([&](auto c) PJ_INLINE_LAMBDA { sums[r][c][s] = bias; });
    });
  });
  do {
    const std::byte* tap = x + *offset;
    unrolled<kGroupRows>([&](auto v) PJ_INLINE_LAMBDA {
      typename V::Bytes q[C];
      unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
        q[c] = V::load_quads(tap + v * quad + c * kColumnVector);
      });
      unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
        const auto weights = V::load_quads(w + (r * kGroupRows + v) * V::kBytes);
        unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
          sums[r][c][v % V::kSums] = V::dot(sums[r][c][v % V::kSums], q[c], weights);
        });
      });
    });
    w += tap_bytes;
  } while (++offset != end);
  unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
    unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
      unrolled<V::kSums>([&](auto s) PJ_INLINE_LAMBDA {
        V::settle(sums[r][c][s]);
        result[r][c][s] = sums[r][c][s];
      });
    });
  });
}

// R rows of a block of `count` pixels. The last tile of pixels overlaps the one before it.
template <typename V, int R, int C, int G>
void dot_block(const DotTile<V>& d, const DotPanel& panel, int32_t count, std::byte* out) {
  constexpr int32_t kPixels = C * G;
  // Copies, which stores to the output cannot change.
  const std::byte* const packed = panel.packed;
  const int64_t row_bytes = d.p.out_row_bytes, col_bytes = d.p.out_col_bytes;
  DotPanelHeader header;
  std::memcpy(&header, packed, sizeof(header));
  const int32_t taps = header.parts * d.taps;
  const typename V::Finish finish(d.stage, packed + 64 + V::kChannels * 4, header, panel.channels);
  for (int32_t x = 0; x < count; x += kPixels) {
    int32_t at = x;
    if (at + kPixels > count) at = count > kPixels ? count - kPixels : 0;
    typename V::Sums sums[R][C][V::kSums];
    sum_taps<V, R, C, G>(d, d.strips + int64_t{at} * kColumnBytes<V, G>, packed, taps, sums);
    if constexpr (V::kPlainStores) {
      if (finish.plain && count >= kPixels) {
        unrolled<R * C>([&](auto i) PJ_INLINE_LAMBDA {
          finish.store_plain(out + i / C * row_bytes + (at + i % C) * col_bytes,
                             sums[i / C][i % C]);
        });
        continue;
      }
    }
    unrolled<R>([&](auto r) PJ_INLINE_LAMBDA {
      unrolled<C>([&](auto c) PJ_INLINE_LAMBDA {
        std::byte* to = out + r * row_bytes + (at + c * G) * col_bytes;
        const int32_t left = count - at - c * G;
        if (left > 0) finish.template store<G>(to, col_bytes, sums[r][c], left);
      });
    });
  }
}

template <typename V, int G>
void list_taps(const DotTile<V>& d) {
  const ConvKernelParams& p = d.p;
  int32_t* next = d.tap_offsets;
  for (int32_t part = 0; part < kMaxDotParts; ++part) {
    for (int32_t g = 0; g < d.groups; ++g) {
      int32_t phase = 0, column = 0;
      for (int32_t kx = 0; kx < p.kernel_w; ++kx) {
        *next++ = static_cast<int32_t>(g * d.group_bytes() + phase * d.strip_bytes()) +
                  column * kColumnBytes<V, G>;
        for (phase += p.dilation_w; phase >= p.stride_w; phase -= p.stride_w) ++column;
      }
    }
  }
}

template <typename V, int G>
void run_dot_panel(const DotTile<V>& d, const DotPanel& panel, bool new_taps) {
  if (new_taps) list_taps<V, G>(d);
  constexpr int32_t kGrain = V::kPixels * G;
  const Tile& t = d.t;
  const ConvKernelParams& p = d.p;
  // Blocks of equal size, as large as the strips allow.
  const int32_t reach = dot_reach(p), cols = t.size[kCol];
  const int32_t most = d.steps * G - reach;
  int32_t block = cols;
  if (cols > most) {
    const int32_t whole = most / kGrain * kGrain;
    const int32_t blocks = (cols + whole - 1) / whole;
    block = ((cols + blocks - 1) / blocks + kGrain - 1) / kGrain * kGrain;
  }
  for (int32_t row = 0; row < t.size[kRow]; row += d.shifts) {
    const int32_t rows = t.size[kRow] - row < d.shifts ? 1 : d.shifts;
    for (int32_t col = 0; col < cols; col += block) {
      const int32_t count = cols - col < block ? cols - col : block;
      const int32_t first = (t.begin[kCol] + col) * p.stride_w - p.pad_left;
      if (d.multiplier > 1) {
        fill_strips<V, G, DotLoad::kExpanded>(d, panel, row, rows, first, count + reach);
      } else if (!V::kMasks && panel.channels == V::kChannels / G) {
        fill_strips<V, G, DotLoad::kWhole>(d, panel, row, rows, first, count + reach);
      } else {
        fill_strips<V, G, DotLoad::kPart>(d, panel, row, rows, first, count + reach);
      }
      std::byte* out = t.out[0] + row * p.out_row_bytes + col * p.out_col_bytes + panel.out_offset;
      if (rows == 2) {
        dot_block<V, 2, V::kPixels / 2, G>(d, panel, count, out);
      } else {
        dot_block<V, 1, V::kPixels, G>(d, panel, count, out);
      }
    }
  }
}

// `first` is the panel's first channel in the whole output. Seldom needed: small rather than fast.
template <int lanes>
[[gnu::cold, gnu::noinline]] void find_sources(const ConvKernelParams& p, int32_t first,
                                               DotSource (&sources)[lanes]) {
  const int32_t multiplier = p.out_channels / p.in_channels;
  // No load may pass the end of a pixel.
  const int32_t most = p.in_channels < 16 ? 0 : p.in_channels - 16;
  for (DotSource& source : sources) {
    source.start = first / multiplier < most ? first / multiplier : most;
    uint8_t order[16];
    for (uint8_t& from : order) {
      const bool exists = first < p.out_channels;
      from = exists ? static_cast<uint8_t>(first / multiplier - source.start) : 0x80;
      ++first;
    }
    std::memcpy(&source.order, order, sizeof(order));
  }
}

// A tile of any number of rows, columns and channels, from a channel that is a multiple of nr.
template <typename V>
void run_dot(const Tile& t, bool signed_values) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const bool flipped = signed_values == V::kUnsigned;
  const int32_t shifts = dot_shifts(p);
  const DotTile<V> d{t,
                     p,
                     typename V::Stage(p.stage, signed_values),
                     flipped ? uint8_t{128} : uint8_t{0},
                     shifts,
                     dot_groups(p.kernel_h, shifts),
                     dot_steps(p, V::kBytes),
                     p.out_channels / p.in_channels,
                     dot_taps(p),
                     reinterpret_cast<int32_t*>(t.scratch),
                     t.scratch + dot_table_bytes(p)};
  if constexpr (V::kBytes == kDirectVectorBytes) {
    if (dot_direct(p)) return run_direct(d);
    if (dot_crossed(p, V::kBytes)) return run_crossed(d);
  }
  const std::byte* packed = t.in[1];
  DotSource sources[V::kChannels / 16];
  int32_t listed = 0;  // pixels of a vector that the table of taps is for
  for (int32_t c = 0; c < t.size[kChannel]; c += V::kChannels, packed += p.panel_bytes) {
    DotPanel panel = dot_panel<V>(packed, c, t.size[kChannel]);
    if (d.multiplier > 1) {
      // Rows are at the first channel of the input.
      panel.in_offset = 0;
      panel.sources = sources;
      panel.source_bytes = p.in_channels < 16 ? p.in_channels : 16;
      find_sources(p, t.begin[kChannel] + c, sources);
    }
    if constexpr (requires { V::direct(d, panel); })
      if (V::direct(d, panel)) continue;
    const int32_t pixels = V::kChannels / dot_width(V::kChannels, panel.channels);
    for_width<V>(panel.channels, [&](auto g) { run_dot_panel<V, g>(d, panel, pixels != listed); });
    listed = pixels;
  }
}

}  // namespace
}  // namespace pj
