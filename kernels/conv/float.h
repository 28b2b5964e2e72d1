// Float convolution: tiles of any number of rows, columns and channels, in blocks that
// kernels/conv/float_block.h computes from registers. Weights of up to four panels stay in L1 or L2
// while all pixels of the tile pass by.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/conv/float_block.h"
#include "kernels/conv/float_epilogue.h"
#if defined(__aarch64__)
#include "kernels/conv/float_in_order.h"
#endif
#include "kernels/conv/input_rows.h"
#include "kernels/conv/row_cut.h"
#include "kernels/conv/wide_panels.h"

namespace pj {
namespace {

using FloatBlocksFn = void (*)(const FloatTile&, const FloatRow&, int32_t col, int32_t count);

template <typename W, int panels, int... pixels>
constexpr BlockSize<FloatBlocksFn> kFloatSizes[] = {{pixels, float_blocks<W, pixels, panels>}...};

template <typename W, int panels, int... pixels>
constexpr BlockSizes<FloatBlocksFn> float_sizes(std::integer_sequence<int, pixels...>) {
  return {kFloatSizes<W, panels, pixels...>, sizeof...(pixels)};
}

template <typename W>
PJ_INLINE BlockSizes<FloatBlocksFn> float_sizes(int32_t panels, [[maybe_unused]] bool in_order) {
#if defined(__aarch64__)
  if constexpr (std::is_same_v<W, float>) {
    static constexpr BlockSize<FloatBlocksFn> kInOrder[] = {
        {10, in_order_blocks<10>}, {9, in_order_blocks<9>},    {8, in_order_blocks<8>},
        {7, in_order_blocks<7>},   {6, in_order_blocks<6>},    {5, in_order_blocks<5>},
        {4, in_order_blocks<4>},   {2, float_blocks<W, 2, 1>}, {1, in_order_pixels}};
    static constexpr BlockSize<FloatBlocksFn> kFew[] = {{2, float_blocks<W, 2, 4>},
                                                        {1, in_order_pixels}};
    if (in_order && panels == 1) return {kInOrder, 9};
    if (in_order && panels == 4) return {kFew, 2};
  }
#endif
  if (panels == 4) return float_sizes<W, 4>(Floats::Blocks4{});
  if (panels == 2) return float_sizes<W, 2>(Floats::Blocks2{});
  return float_sizes<W, 1>(Floats::Blocks1{});
}

// The number of panels to compute side by side where `left` are left: four for rows that are too
// short for full blocks of two or one.
PJ_INLINE int32_t float_panels(int32_t left, int32_t cols) {
  constexpr int32_t kLongest = Floats::Blocks4::size();  // of a block of four panels
  if (left >= 4 && cols <= kLongest) return 4;
  return left >= 2 && cols < Floats::kOnePanelCols ? 2 : 1;
}

// The pixels of a tile: rows of `cols` each.
struct FloatPixels {
  const uint8_t* const* table;  // rows of the input, each at the first pixel under the tile
  int32_t rows, cols;
  int32_t row_step;  // table entries between two rows of the output
  int64_t out_row_bytes;
  bool in_order = false;  // for a core that does not reorder
};

// Whether f16 weights are widened panel by panel, rather than by the loads of blocks.
template <typename W>
inline constexpr bool kWidened = std::is_same_v<W, Half>&& Floats::kInputs > 1;

PJ_INLINE void widen_panels(const FloatTile& f, const uint8_t* panel, int32_t panels, uint8_t* to) {
  const int32_t k = f.kernel_h * f.segments * f.count;
  auto* wide = reinterpret_cast<float*>(to);
  for (; panels > 0; --panels, panel += f.panel_bytes) {
    const auto* bias = reinterpret_cast<const float*>(panel);
    const auto* weights = reinterpret_cast<const Half*>(bias + kFloatPanel);
    std::memcpy(wide, bias, kFloatPanel * sizeof(float));
    wide += kFloatPanel;
    for (int32_t i = 0; i < k * kFloatPanel; i += Floats::kLanes)
      Floats::store(wide + i, Floats::load(weights + i));
    wide += k * kFloatPanel;
  }
}

// Pixels that are finished together: what they store stays in L1 until then.
inline constexpr int32_t kFinishedPixels = 48;

// The blocks of a run, and their epilogue.
PJ_INLINE void compute_run(const FloatTile& f, const FloatRow& r,
                           const RowCut<FloatBlocksFn>::Run& run, const FloatEpilogue* epilogue,
                           int32_t channel) {
  if (epilogue == nullptr) return run.blocks(f, r, run.col, run.count);
  const int32_t most = kFinishedPixels / run.pixels > 0 ? kFinishedPixels / run.pixels : 1;
  for (int32_t done = 0; done < run.count; done += most) {
    const int32_t count = run.count - done < most ? run.count - done : most;
    const int32_t col = run.col + done * run.pixels;
    run.blocks(f, r, col, count);
    epilogue->finish(r.out + col * f.out_step, 1, count * run.pixels, channel, r.channels);
  }
}

// All panels of a tile, `channels` output channels, from `panel` on. `epilogue` may be null.
// `wide`: room for kWidePanels panels, for f16 weights that are kWidened.
template <typename W>
void compute_panels(const FloatTile& f, const FloatPixels& pixels, const uint8_t* panel,
                    int32_t channels, uint8_t* out, const FloatEpilogue* epilogue,
                    [[maybe_unused]] uint8_t* wide = nullptr) {
  using Read = std::conditional_t<kWidened<W>, float, W>;
  FloatTile tile = f;
  if (kWidened<W>)
    tile.panel_bytes = wide_panel_bytes(f.kernel_h * f.segments * f.count, kFloatPanel);
  FloatRow r{};
  RowCut<FloatBlocksFn> cut;
  int32_t cut_for = 0;  // panels side by side
  for (int32_t left = channels; left > 0; left -= r.channels) {
    const int32_t panels = float_panels((left + kFloatPanel - 1) / kFloatPanel, pixels.cols);
    r.channels = left < kFloatPanel * panels ? left : kFloatPanel * panels;
    r.panel = panel;
    if constexpr (kWidened<W>) {
      widen_panels(f, panel, panels, wide);
      r.panel = wide;
    }
    if (panels != cut_for) {
      cut.count = 0;
      cut_row(0, pixels.cols, float_sizes<Read>(panels, pixels.in_order), cut);
      cut_for = panels;
    }
    for (int32_t row = 0; row < pixels.rows; ++row) {
      r.rows = pixels.table + row * pixels.row_step;
      r.out = out + row * pixels.out_row_bytes;
      for (int32_t i = 0; i < cut.count; ++i)
        compute_run(tile, r, cut.runs[i], epilogue, channels - left);
    }
    panel += panels * f.panel_bytes;
    out += r.channels * static_cast<int64_t>(sizeof(float));
  }
}

PJ_INLINE FloatTile float_tile_of(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const Segments segments = segments_of(p);
  return {.kernel_h = p.kernel_h,
          .segments = segments.per_row,
          .count = segments.bytes,
          .row_step = p.dilation_h,
          .segment_step = segments.step,
          .pixel_step = p.stride_w * p.in_col_bytes,
          .panel_bytes = p.panel_bytes,
          .out_step = p.out_col_bytes,
          .limits = Limits(p.low, p.high)};
}

// The pixels of a tile, whose rows are found through its scratch.
PJ_INLINE FloatPixels float_pixels_of(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  auto* table = reinterpret_cast<const uint8_t**>(t.scratch);
  find_rows(t, p, segment_scratch(p, t.size[kRow], t.size[kCol]),
            inside_row(p, t.begin[kCol], t.size[kCol], 0), 0, table);
  FloatPixels pixels = {table,      t.size[kRow],    t.size[kCol],
                        p.stride_h, p.out_row_bytes, p.in_order != 0};
  if (rows_are_one(t, p, table)) {
    pixels.cols *= pixels.rows;
    pixels.rows = 1;
  }
  return pixels;
}

template <typename X, typename W, int mr, int nr>
void run_float_conv(const Tile& t) {
  static_assert(std::is_same_v<X, float> && nr == kFloatPanel);
  const FloatEpilogue epilogue(t);
  Tile rest = t;
  if (kWidened<W>)
    rest.scratch += wide_scratch_bytes(*static_cast<const ConvKernelParams*>(t.params), nr);
  compute_panels<W>(float_tile_of(t), float_pixels_of(rest),
                    reinterpret_cast<const uint8_t*>(t.in[1]), t.size[kChannel],
                    reinterpret_cast<uint8_t*>(t.out[0]), epilogue.present() ? &epilogue : nullptr,
                    reinterpret_cast<uint8_t*>(t.scratch));
}

}  // namespace
}  // namespace pj
