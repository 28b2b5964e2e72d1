// Integer convolution on VNNI: tiles of any number of rows, columns and channels, in blocks that
// kernels/conv/vnni_block.h computes from registers.
//
// Weights of up to four panels stay in L1 while all pixels of the tile pass by. Where a window
// hangs over the sides of the input, or its last quad would be read past them, the rows that the
// tile needs are first copied to scratch with padding around: few bytes next to the products they
// take part in, and blocks need to know nothing of borders.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/vnni_block.h"
#include "kernels/conv/vnni_overlap.h"
#include "kernels/conv/vnni_sums.h"
#include "kernels/kernel.h"

namespace pj {
namespace {

using VnniBlocksFn = void (*)(const VnniTile&, const VnniRow&, int32_t col, int32_t count);
struct VnniBlockSize {
  int32_t pixels;
  VnniBlocksFn blocks;
};

// Sizes for `panels` panels, from the largest on. The largest fills the registers; a row that is no
// multiple of it is cut into equal blocks.
template <int panels, int... pixels>
constexpr VnniBlockSize kVnniSizes[] = {{pixels, vnni_blocks<pixels, panels>}...};

struct VnniSizes {
  const VnniBlockSize* sizes;
  int32_t count;

  // The smallest size of at least `pixels`; the largest if there is none.
  const VnniBlockSize& at_least(int32_t pixels) const {
    int32_t i = count - 1;
    while (i > 0 && sizes[i].pixels < pixels) --i;
    return sizes[i];
  }
  const VnniBlockSize& at_most(int32_t pixels) const {
    int32_t i = 0;
    while (sizes[i].pixels > pixels) ++i;
    return sizes[i];
  }
};

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
    if (panels == 2) return vnni_sizes<Isa, 2, 12, 10, 8, 6, 4, 2, 1>();
    return vnni_sizes<Isa, 1, 24, 16, 12, 8, 4, 2, 1>();
  } else {
    return vnni_sizes<Isa, 1, 6, 5, 4, 3, 2, 1>();
  }
}

// How a row of pixels is cut into blocks.
struct VnniCut {
  struct Run {
    VnniBlocksFn blocks;
    int32_t col, count;
  };
  Run runs[8];
  int32_t count = 0;
};

// Appends the runs of columns [done, cols).
PJ_INLINE void cut_row(int32_t done, int32_t cols, const VnniSizes& sizes, VnniCut& cut) {
  const int32_t largest = sizes.sizes[0].pixels;
  while (done < cols) {
    // Into the fewest blocks, as equal as the sizes allow: some of n pixels, the others of n - 1.
    const int32_t left = cols - done;
    const int32_t blocks = (left + largest - 1) / largest;
    const int32_t n = (left + blocks - 1) / blocks;
    const VnniBlockSize* size = &sizes.at_least(n);
    if (size->pixels > cols) size = &sizes.at_most(left);
    const bool exact = size->pixels == n && &sizes.at_least(n - 1) != size;
    const int32_t count = exact ? left - (n - 1) * blocks : left / size->pixels;
    if (count > 0) {
      cut.runs[cut.count++] = {size->blocks, done, count};
      done += count * size->pixels;
    } else {
      // One block that computes pixels again which the one before it has.
      cut.runs[cut.count++] = {size->blocks, cols - size->pixels, 1};
      done = cols;
    }
  }
}

// The run of blocks that overlap, from column 0 on, where they pay off; returns its columns.
template <typename Isa>
PJ_INLINE int32_t cut_overlapped(const VnniTile& t, int32_t cols, int32_t panels, VnniCut& cut) {
  if constexpr (Isa::kMaxPanels == 4) {
    constexpr int32_t kMostQuads = 12;
    const int32_t pixels = overlap_pixels(panels), count = cols / pixels;
    const bool one_segment = t.kernel_h * t.segments == 1;
    if (!one_segment || t.quads < kOverlapGroups || t.quads > kMostQuads || count < 2) return 0;
    const VnniBlocksFn blocks = panels == 4   ? vnni_overlapped_blocks<4>
                                : panels == 2 ? vnni_overlapped_blocks<2>
                                              : vnni_overlapped_blocks<1>;
    cut.runs[cut.count++] = {blocks, 0, count};
    return count * pixels;
  }
  return 0;
}

// Fills the table of input rows, each at the first pixel under the tile: where the input can be
// read in place, there; else in copies.
PJ_INLINE void find_rows(const Tile& t, const ConvKernelParams& p, const SegmentScratch& layout,
                         const uint8_t** table) {
  const int64_t width = int64_t{p.in_width} * p.in_col_bytes;
  const int64_t begin = (int64_t{t.begin[kCol]} * p.stride_w - p.pad_left) * p.in_col_bytes;
  const int64_t bytes = input_line_bytes(p, t.size[kCol]);
  const bool inside = inside_row(p, t.begin[kCol], t.size[kCol]);
  const int64_t left = begin < 0 ? (-begin < bytes ? -begin : bytes) : 0;
  const int64_t end = begin + bytes < width ? begin + bytes : width;
  const int64_t copied = end > begin + left ? end - begin - left : 0;
  const int zero = static_cast<int>(*t.in[2]);

  auto* line = reinterpret_cast<uint8_t*>(t.scratch + layout.lines_at);
  const uint8_t* padding = nullptr;
  const int32_t count = input_rows(p, t.size[kRow]);
  for (int32_t i = 0; i < count; ++i) {
    const auto* row = reinterpret_cast<const uint8_t*>(t.rows[i]);
    if (row != nullptr && inside) {
      table[i] = row + begin;
      continue;
    }
    if (row == nullptr && padding != nullptr) {
      table[i] = padding;
      continue;
    }
    table[i] = line;
    if (row == nullptr) {
      padding = line;
      std::memset(line, zero, static_cast<size_t>(layout.line_bytes));
    } else {
      std::memset(line, zero, static_cast<size_t>(left));
      std::memcpy(line + left, row + begin + left, static_cast<size_t>(copied));
      std::memset(line + left + copied, zero,
                  static_cast<size_t>(layout.line_bytes - left - copied));
    }
    line += layout.line_bytes;
  }
}

// As many copies of x as 32 bits hold.
constexpr int32_t copies(uint8_t x) { return static_cast<int32_t>(x * 0x01010101U); }
constexpr int32_t copies(uint16_t x) { return static_cast<int32_t>(x * 0x00010001U); }

// True if all pixels of the tile are as equally spaced as those of one row, in input and output:
// pointwise layers whose rows follow each other.
PJ_INLINE bool rows_are_one(const Tile& t, const ConvKernelParams& p, const uint8_t* const* table) {
  if (p.kernel_h * p.kernel_w * p.stride_h * p.stride_w != 1) return false;
  if (p.out_row_bytes != t.size[kCol] * p.out_col_bytes) return false;
  for (int32_t i = 1; i < t.size[kRow]; ++i)
    if (table[i] != table[i - 1] + t.size[kCol] * p.in_col_bytes) return false;
  return true;
}

[[maybe_unused]] void run_vnni_tile(const Tile& t, bool unsigned_values) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const Segments segments = segments_of(p);
  const SegmentScratch layout = segment_scratch(p, t.size[kRow], t.size[kCol]);
  constexpr auto kFlip = static_cast<int32_t>(0x80808080U);
  const int32_t shift = unsigned_values ? 128 : 0;  // of the output, to make it signed
  VnniTile v;
  v.kernel_h = p.kernel_h;
  v.segments = segments.per_row;
  v.quads = segments.quads();
  v.row_step = p.dilation_h;
  v.segment_step = segments.step;
  v.pixel_step = p.stride_w * p.in_col_bytes;
  v.panel_bytes = p.panel_bytes;
  v.out_step = p.out_col_bytes;
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

  auto* table = reinterpret_cast<const uint8_t**>(t.scratch);
  find_rows(t, p, layout, table);
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + layout.corrections_at);
  const bool correct = p.weights_zero_point != 0;
  if (correct) {
    const VnniCorrectionsFn find = corrections_for<Vnni>(segments.bytes);
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
  bool cut_plain = false;
  for (int32_t channel = 0; channel < t.size[kChannel];) {
    const int32_t left = t.size[kChannel] - channel;
    const int32_t panels = panels_of((left + 15) / 16, p.panel_bytes, cols);
    r.channels = left < 16 * panels ? left : 16 * panels;
    r.plain = r.channels == 16 * panels && low <= -128 && high >= 127;
    for (int32_t i = 0; i < panels * Vnni::kPanelVectors; ++i) {
      r.plain &=
          !Vnni::any_above_one(Vnni::load_floats(r.panel + i / Vnni::kPanelVectors * p.panel_bytes +
                                                 64 + i % Vnni::kPanelVectors * Vnni::kBytes));
    }
    if (panels != cut_for || r.plain != cut_plain) {
      cut.count = 0;
      const int32_t done = r.plain ? cut_overlapped<Vnni>(v, cols, panels, cut) : 0;
      cut_row(done, cols, sizes_of<Vnni>(panels), cut);
      cut_for = panels;
      cut_plain = r.plain;
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
}

}  // namespace
}  // namespace pj
