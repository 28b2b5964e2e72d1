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

// -zero point of the weights * sum of a pixel's window, for `cols` pixels of a row.
template <typename Isa>
[[gnu::noinline]] void find_corrections(const NeonTile& t, int32_t zero_point,
                                        const uint8_t* const* rows, int32_t cols,
                                        int32_t* corrections) {
  const uint8x16_t flip = vdupq_n_u8(Isa::kFlip);
  using Seen = typename Isa::Seen;
  for (int32_t col = 0; col < cols; ++col) {
    int32x4_t lanes = vdupq_n_s32(0);
    int32_t sum = 0;
    const uint8_t* const* row = rows;
    for (int32_t ky = 0; ky < t.kernel_h; ++ky, row += t.row_step) {
      const uint8_t* x = *row + col * t.pixel_step;
      for (int32_t s = 0; s < t.segments; ++s, x += t.segment_step) {
        int32_t i = 0;
        for (; i + 16 <= t.segment_bytes; i += 16)
          lanes = Isa::add_bytes(lanes, veorq_u8(vld1q_u8(x + i), flip));
        if (i + 8 <= t.segment_bytes) {
          const uint8x8_t half = veor_u8(vld1_u8(x + i), vget_low_u8(flip));
          lanes = Isa::add_bytes(lanes, vcombine_u8(half, vdup_n_u8(0)));
          i += 8;
        }
        for (; i < t.segment_bytes; ++i) sum += static_cast<Seen>(x[i] ^ Isa::kFlip);
      }
    }
    corrections[col] = -zero_point * (sum + vaddvq_s32(lanes));
  }
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
  auto* corrections = reinterpret_cast<int32_t*>(t.scratch + layout.corrections_at);
  const bool correct = p.weights_zero_point != 0;
  for (int32_t row = 0; correct && row < rows; ++row)
    find_corrections<Isa>(tile, p.weights_zero_point, table + row * p.stride_h, cols,
                          corrections + row * cols);
  if (rows_are_one(t, p, table)) {
    cols *= rows;
    rows = 1;
  }

  SegmentRow r{};
  r.panel = reinterpret_cast<const uint8_t*>(t.in[1]);
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
    const BlockSizes<NeonBlocksFn> sizes = Isa::sizes(flags_of(r.panel), r.channels);
    if (sizes.sizes != cut_into) {
      cut.count = 0;
      cut_row(0, cols, sizes, cut);
      cut_into = sizes.sizes;
    }
    for (int32_t row = 0; row < rows; ++row) {
      r.rows = table + row * p.stride_h;
      r.out = out + channel + row * p.out_row_bytes;
      r.corrections = correct ? corrections + row * cols : nullptr;
      for (int32_t i = 0; i < cut.count; ++i)
        cut.runs[i].blocks(tile, r, cut.runs[i].col, cut.runs[i].count);
    }
    r.panel += p.panel_bytes;
  }
}

}  // namespace
}  // namespace pj
