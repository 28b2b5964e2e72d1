// Integer convolution on VNNI: tiles of any number of rows, columns and channels, in blocks that
// kernels/conv/vnni_block.h computes from registers.
//
// Weights of up to four panels stay in L1 while all pixels of the tile pass by. Rows are copied
// with padding around (kernels/conv/input_rows.h) where a window hangs over the sides of the input,
// or its last quad would be read past them.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/byte_epilogue.h"
#include "kernels/conv/segment_blocks.h"
#include "kernels/conv/vnni_block.h"
#include "kernels/conv/vnni_overlap.h"
#include "kernels/conv/vnni_sums.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

using VnniBlocksFn = void (*)(const VnniTile&, const VnniRow&, int32_t col, int32_t count);
using VnniSizes = BlockSizes<VnniBlocksFn>;
using VnniCut = RowCut<VnniBlocksFn>;

// Sizes for `panels` panels, from the largest on. The largest fills the registers; a row that is no
// multiple of it is cut into equal blocks.
template <int panels, int... pixels>
constexpr BlockSize<VnniBlocksFn> kVnniSizes[] = {{pixels, vnni_blocks<pixels, panels>}...};

// Isa only delays instantiation.
template <typename Isa, int panels, int... pixels>
constexpr VnniSizes vnni_sizes() {
  return {kVnniSizes<panels, pixels...>, sizeof...(pixels)};
}

// The number of panels to compute side by side where `left` are left: as many as stay in L1, which
// has 32 kB at least where there is VNNI. Short rows cannot make use of more pixels instead.
PJ_INLINE int32_t panels_of(int32_t left, int64_t panel_bytes, int32_t cols) {
  constexpr int64_t kShareOfL1 = 28 << 10;
  int32_t panels = Vnni::kMaxPanels;
  if (panels == 4 && panels * panel_bytes > kShareOfL1 && cols >= 12) panels = 2;
  while (panels > left) panels /= 2;
  return panels;
}
// The block sizes for a number of panels.
template <typename Isa>
PJ_INLINE VnniSizes sizes_of(int32_t panels) {
  if constexpr (Isa::kMaxPanels == 4) {
    if (panels == 4) return vnni_sizes<Isa, 4, 6, 5, 4, 3, 2, 1>();
    if (panels == 2) return vnni_sizes<Isa, 2, 12, 8, 6, 4, 2, 1>();
    return vnni_sizes<Isa, 1, 24, 16, 12, 8, 4, 2, 1>();
  } else {
    return vnni_sizes<Isa, 1, 6, 5, 4, 3, 2, 1>();
  }
}

// The run of blocks that overlap (kernels/conv/vnni_overlap.h), where they pay off: with few
// products, and the fewer the more loads these need. Returns its columns.
template <typename Isa>
PJ_INLINE int32_t cut_overlapped(const VnniTile& t, int32_t cols, int32_t panels, bool whole,
                                 VnniCut& cut) {
  if constexpr (Isa::kMaxPanels == 4) {
    const bool one_segment = t.kernel_h * t.segments == 1;
    const int32_t most_quads = panels == 4 ? 16 : panels == 2 ? 48 : 12;
    if (!one_segment || t.quads < kOverlapGroups || t.quads > most_quads ||
        cols <= overlap_pixels(panels) || (panels != 2 && !whole))
      return 0;
    const VnniBlocksFn blocks = panels == 1      ? vnni_overlapped_blocks<1, true>
                                : panels == 2    ? vnni_overlapped_blocks<2, true>
                                : t.in_flip != 0 ? vnni_overlapped_blocks<4, true>
                                                 : vnni_overlapped_blocks<4, false>;
    cut.runs[cut.count++] = {blocks, 0, cols, 1};
    return cols;
  }
  return 0;
}

// Whether results of these panels need no limits: they are those of the type, and scales are below
// 1, so that sums times scales stay in the range of int32.
PJ_INLINE bool is_unlimited(const VnniTile& t, const VnniRow& r, int32_t panels) {
  constexpr auto kLow = static_cast<int32_t>(0x80808080U), kHigh = 0x7F7F7F7F;
  if (t.low != kLow || t.high != kHigh) return false;
  bool below_one = true;
  for (int32_t i = 0; i < panels * Vnni::kPanelVectors; ++i) {
    below_one &=
        !Vnni::any_above_one(Vnni::load_floats(r.panel + i / Vnni::kPanelVectors * t.panel_bytes +
                                               64 + i % Vnni::kPanelVectors * Vnni::kBytes));
  }
  return below_one;
}

// As many copies of x as 32 bits hold.
constexpr int32_t copies(uint8_t x) { return static_cast<int32_t>(x * 0x01010101U); }
constexpr int32_t copies(uint16_t x) { return static_cast<int32_t>(x * 0x00010001U); }

// What does not depend on the tile.
PJ_INLINE VnniTile make_vnni_tile(const ConvKernelParams& p, bool unsigned_values) {
  constexpr auto kFlip = static_cast<int32_t>(0x80808080U);
  const int32_t shift = unsigned_values ? 128 : 0;  // of the output, to make it signed
  VnniTile v{SegmentTile(p)};
  const int32_t zero_point = p.stage.zero_point - shift;
  const int32_t low = static_cast<int32_t>(p.stage.low) + zero_point;
  const int32_t high = static_cast<int32_t>(p.stage.high) + zero_point;
  v.zero_point = copies(static_cast<uint16_t>(zero_point));
  v.low = copies(static_cast<uint8_t>(low));
  v.high = copies(static_cast<uint8_t>(high));
  v.high_before_zero_point = p.stage.high;
  v.in_flip = unsigned_values ? 0 : kFlip;
  v.out_flip = unsigned_values ? kFlip : 0;
  v.weights_zero_point = p.weights_zero_point;
  return v;
}

// A matrix times a vector: a layer of one pixel, which may be so small that looking for rows and
// blocks would take most of its time.
[[maybe_unused, gnu::noinline]] void run_vnni_vector(const Tile& t, bool unsigned_values) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const VnniTile v = make_vnni_tile(p, unsigned_values);
  const auto* pixel = reinterpret_cast<const uint8_t*>(t.rows[0]);
  VnniRow r{};
  r.rows = &pixel;
  r.panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  r.out = reinterpret_cast<uint8_t*>(t.out[0]);
  for (int32_t left = t.size[kChannel]; left > 0;) {
    const int32_t panels = panels_of((left + 15) / 16, 0, 1);
    r.channels = left < 16 * panels ? left : 16 * panels;
    sizes_of<Vnni>(panels).at_most(1).blocks(v, r, 0, 1);
    r.panel += panels * p.panel_bytes;
    r.out += r.channels;
    left -= r.channels;
  }
}

// Such a layer whose weights need no correction and whose last quad does not go past its pixel.
PJ_INLINE bool is_vector(const Tile& t, const ConvKernelParams& p) {
  return t.size[kRow] * t.size[kCol] * p.kernel_h * p.kernel_w == 1 && p.weights_zero_point == 0 &&
         p.in_channels % kQuadUnit == 0 && p.pad_left == 0 && t.begin[kCol] == 0 &&
         t.rows[0] != nullptr;
}

[[maybe_unused]] void run_vnni_tile(const Tile& t, bool unsigned_values) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  if (is_vector(t, p)) return run_vnni_vector(t, unsigned_values);
  const Segments segments = segments_of(p);
  const SegmentScratch layout = segment_scratch(p, t.size[kRow], t.size[kCol]);
  const VnniTile v = make_vnni_tile(p, unsigned_values);

  auto* table = reinterpret_cast<const uint8_t**>(t.scratch);
  find_rows(t, p, kQuadUnit, layout, table);
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + layout.corrections_at);
  const bool correct = p.weights_zero_point != 0;
  if (correct) {
    const VnniCorrectionsFn find = corrections_for<Vnni>(v, segments.bytes, t.size[kCol]);
    for (int32_t row = 0; row < t.size[kRow]; ++row)
      find(v, segments.bytes, table + row * p.stride_h, t.size[kCol],
           corrections + row * t.size[kCol]);
  }

  int32_t rows = t.size[kRow], cols = t.size[kCol];
  if (rows_are_one(t, p, table)) {
    cols *= rows;
    rows = 1;
  }
  VnniRow r{};
  r.panel = reinterpret_cast<const uint8_t*>(t.in[1]);
  auto* out = reinterpret_cast<uint8_t*>(t.out[0]);
  VnniCut cut;
  int32_t cut_for = 0;
  bool cut_plain = false, cut_unlimited = false;
  for (int32_t channel = 0; channel < t.size[kChannel];) {
    const int32_t left = t.size[kChannel] - channel;
    const int32_t panels = panels_of((left + 15) / 16, p.panel_bytes, cols);
    r.channels = left < 16 * panels ? left : 16 * panels;
    const bool unlimited = is_unlimited(v, r, panels);
    r.plain = unlimited && r.channels == 16 * panels;
    if (panels != cut_for || r.plain != cut_plain || unlimited != cut_unlimited) {
      cut.count = 0;
      const int32_t done = unlimited ? cut_overlapped<Vnni>(v, cols, panels, r.plain, cut) : 0;
      cut_row(done, cols, sizes_of<Vnni>(panels), cut);
      cut_for = panels;
      cut_plain = r.plain;
      cut_unlimited = unlimited;
    }
    for (int32_t row = 0; row < rows; ++row) {
      r.rows = table + row * p.stride_h;
      r.out = out + channel + row * p.out_row_bytes;
      r.corrections = correct ? corrections + row * cols : nullptr;
      for (int32_t i = 0; i < cut.count; ++i)
        cut.runs[i].blocks(v, r, cut.runs[i].col, cut.runs[i].count);
    }
    r.panel += panels * p.panel_bytes;
    channel += 16 * panels;
  }
}

template <typename X, typename W, int mr, int nr>
void run_vnni_conv(const Tile& t) {
  static_assert(nr == 16 && mr * Vnni::kPanelVectors == Vnni::kAccumulators);
  run_vnni_tile(t, std::is_same_v<X, uint8_t>);
  finish_bytes<X>(t);
}

}  // namespace
}  // namespace pj
