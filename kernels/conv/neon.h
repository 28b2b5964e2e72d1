// Integer convolution on ARM: tiles of any number of rows, columns and channels, in blocks that
// kernels/conv/neon_dot.h, neon_mull.h and neon_mmla.h compute from registers.
//
// Isa describes one of them:
//   Result                       int8_t or uint8_t
//   kPanel, kUnit                channels of a panel; bytes that are read at a time
//   sizes(flags, channels)       the block sizes for a panel of which so many channels exist
//   kLine, line(...)             whether there is code for all panels of a single pixel, and it
//   add_bytes(acc, x)            adds 16 activations, as its products see them, to lanes of acc
//   kFlip                        what its products see activations flipped by
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/neon_requantize.h"
#include "kernels/conv/segment_blocks.h"
#include "kernels/packing/panel_flags.h"

namespace pj {
namespace {

// What all blocks of a tile share.
struct NeonTile : SegmentTile {
  int32_t segment_bytes;
  OutputStage stage;
  bool simple;  // NeonStage::simple()
};

using NeonBlocksFn = void (*)(const NeonTile&, const SegmentRow&, int32_t col, int32_t count);

// -zero point of the weights * sums of the windows of 4 pixels of a row, or of one.
template <typename Isa, int pixels>
PJ_INLINE void find_corrections(const NeonTile& t, int32_t zero_point, const uint8_t* const* rows,
                                int64_t x_offset, int32_t* corrections) {
  using Seen = typename Isa::Seen;
  const uint8x16_t flip = vdupq_n_u8(Isa::kFlip);
  const int32_t bytes = t.segment_bytes;
  int32x4_t lanes[pixels];
  unrolled<pixels>([&](auto p) PJ_INLINE_LAMBDA { lanes[p] = vdupq_n_s32(0); });
  const uint8_t* const* row = rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[pixels];
      unrolled<pixels>([&](auto p) PJ_INLINE_LAMBDA { x[p] = segment + p * t.pixel_step; });
      int32_t i = 0;
      for (; i + 16 <= bytes; i += 16) {
        unrolled<pixels>([&](auto p) PJ_INLINE_LAMBDA {
          lanes[p] = Isa::add_bytes(lanes[p], veorq_u8(vld1q_u8(x[p] + i), flip));
        });
      }
      if (i + 8 <= bytes) {
        unrolled<pixels>([&](auto p) PJ_INLINE_LAMBDA {
          const uint8x8_t half = veor_u8(vld1_u8(x[p] + i), vget_low_u8(flip));
          lanes[p] = Isa::add_bytes(lanes[p], vcombine_u8(half, vdup_n_u8(0)));
        });
        i += 8;
      }
      for (; i < bytes; ++i) {
        unrolled<pixels>([&](auto p) PJ_INLINE_LAMBDA {
          const int32_t seen = static_cast<Seen>(x[p][i] ^ Isa::kFlip);
          lanes[p] = vaddq_s32(lanes[p], vsetq_lane_s32(seen, vdupq_n_s32(0), 0));
        });
      }
    }
  }
  if constexpr (pixels == 4) {
    const int32x4_t sums =
        vpaddq_s32(vpaddq_s32(lanes[0], lanes[1]), vpaddq_s32(lanes[2], lanes[3]));
    vst1q_s32(corrections, vmulq_n_s32(sums, -zero_point));
  } else {
    static_assert(pixels == 1);
    *corrections = -zero_point * vaddvq_s32(lanes[0]);
  }
}

// The same for `cols` pixels.
template <typename Isa>
[[gnu::noinline]] void find_corrections(const NeonTile& t, int32_t zero_point,
                                        const uint8_t* const* rows, int32_t cols,
                                        int32_t* corrections) {
  int32_t col = 0;
  for (; col + 4 <= cols; col += 4)
    find_corrections<Isa, 4>(t, zero_point, rows, col * t.pixel_step, corrections + col);
  for (; col < cols; ++col)
    find_corrections<Isa, 1>(t, zero_point, rows, col * t.pixel_step, corrections + col);
}

template <typename Isa>
[[gnu::noinline]] void run_neon_tile(const Tile& t) {
  const auto& p = *static_cast<const ConvKernelParams*>(t.params);
  const SegmentScratch layout = segment_scratch(p, t.size[kRow], t.size[kCol]);
  const NeonTile tile{SegmentTile(p), segments_of(p).bytes, p.stage,
                      NeonStage<typename Isa::Result>::simple(p.stage)};
  auto* table = reinterpret_cast<const uint8_t**>(t.scratch);
  find_rows(t, p, Isa::kUnit, layout, table);

  int32_t rows = t.size[kRow], cols = t.size[kCol];
  if (rows_are_one(t, p, table)) {
    cols *= rows;
    rows = 1;
  }
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + layout.corrections_at);
  bool correct = false;
  const auto* const panels = reinterpret_cast<const uint8_t*>(t.in[1]);
  for (int32_t i = 0; p.weights_zero_point != 0 && i * Isa::kPanel < t.size[kChannel]; ++i)
    correct |= flags_of(panels + i * p.panel_bytes).centered == 0;
  for (int32_t row = 0; correct && row < rows; ++row)
    find_corrections<Isa>(tile, p.weights_zero_point, table + row * p.stride_h, cols,
                          corrections + row * cols);

  SegmentRow r{};
  r.panel = panels;
  auto* out = reinterpret_cast<uint8_t*>(t.out[0]);
  if constexpr (Isa::kLine) {
    if (rows * cols == 1) {
      r.rows = table;
      r.out = out;
      r.corrections = correct ? corrections : nullptr;
      return Isa::line(tile, r, t.size[kChannel]);
    }
  }
  RowCut<NeonBlocksFn> cut;
  const BlockSize<NeonBlocksFn>* cut_into = nullptr;
  for (int32_t channel = 0; channel < t.size[kChannel]; channel += Isa::kPanel) {
    const int32_t left = t.size[kChannel] - channel;
    r.channels = left < Isa::kPanel ? left : Isa::kPanel;
    const PanelFlags flags = flags_of(r.panel);
    const BlockSizes<NeonBlocksFn> sizes = Isa::sizes(flags, r.channels);
    if (sizes.sizes != cut_into) {
      cut.count = 0;
      cut_row(0, cols, sizes, cut);
      cut_into = sizes.sizes;
    }
    for (int32_t row = 0; row < rows; ++row) {
      r.rows = table + row * p.stride_h;
      r.out = out + channel + row * p.out_row_bytes;
      r.corrections = correct && flags.centered == 0 ? corrections + row * cols : nullptr;
      for (int32_t i = 0; i < cut.count; ++i)
        cut.runs[i].blocks(tile, r, cut.runs[i].col, cut.runs[i].count);
    }
    r.panel += p.panel_bytes;
  }
}

}  // namespace
}  // namespace pj
