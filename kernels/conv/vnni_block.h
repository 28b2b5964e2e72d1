// The inner kernel of integer convolutions on VNNI: mr pixels times `panels` panels of 16 output
// channels in registers.
//
//               w[quad][16][4]   one or more panels; a register is a quad of 16 channels
//   x0 4 bytes -> acc0[16]       to all lanes; vpdpbusd adds the 4 products of each channel
//   x1 4 bytes -> acc1[16]
//   ...
//
// A quad costs panels + mr loads for mr * panels dot products, so that two loads and two dot
// products a cycle are balanced even with one panel. There is no horizontal addition.
//
// vpdpbusd wants unsigned x. Signed ones become unsigned by flipping the top bit, x + 128, in the
// instruction that loads them; packing has taken 128 * sum w off the bias.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/common/unrolled.h"
#include "kernels/conv/lanes.h"
#include "kernels/conv/segment_blocks.h"
#if defined(__AVX512VNNI__)
#include "kernels/conv/vnni_512.h"
#else
#include "kernels/conv/vnni_256.h"
#endif

namespace pj {
namespace {

// What all blocks of a tile share.
struct VnniTile : SegmentTile {
  // Output: signed bytes q = zero_point + round(sum * scale), limited to [low, high], flipped. Two
  // of 16 bits, four of 8: loads copy 32 bits to all lanes for nothing, fewer at a cost.
  int32_t zero_point = 0, low = 0, high = 0;
  float high_before_zero_point = 0;
  int32_t in_flip = 0, out_flip = 0;  // 0x80 in each byte, or 0
  int32_t weights_zero_point = 0;
};

// What all blocks of a row of pixels share.
struct VnniRow : SegmentRow {
  // All channels of the panels are written, and results need no limits.
  bool plain;
};

template <int mr, int vectors>
using Accumulators = Vnni::Ints[mr][vectors];

// The next quad of all operands, `ahead` quads further. Without a flip, as unsigned inputs may be
// loaded, copying to all lanes is the load's work alone.
struct NoFlip {};
PJ_INLINE Vnni::Ints input_quad(const uint8_t* p, Vnni::Ints flip) { return Vnni::quad(p, flip); }
PJ_INLINE Vnni::Ints input_quad(const uint8_t* p, NoFlip) { return Vnni::quad(p); }
template <int mr, int panels, typename Flip>
PJ_INLINE void accumulate_quad(const Lanes<mr>& x, const Lanes<panels>& w, int ahead, Flip flip,
                               Accumulators<mr, panels * Vnni::kPanelVectors>& acc) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  Vnni::Ints weights[kVectors];
  unrolled<kVectors>([&](auto v) __attribute__((always_inline)) {
    weights[v] = Vnni::load_weights(w[v / Vnni::kPanelVectors] + ahead * 64 +
                                    v % Vnni::kPanelVectors * Vnni::kBytes);
  });
  unrolled<mr>([&](auto i) __attribute__((always_inline)) {
    const Vnni::Ints xs = input_quad(x[i] + ahead * 4, flip);
    unrolled<kVectors>([&](auto v) __attribute__((always_inline)) {
      acc[i][v] = Vnni::dot(acc[i][v], xs, weights[v]);
    });
  });
}

template <int mr, int panels>
PJ_INLINE void accumulate(const VnniTile& t, const VnniRow& r, int64_t x_offset,
                          Accumulators<mr, panels * Vnni::kPanelVectors>& acc) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  // A dot product takes 4 cycles and two start in each: fewer than 8 sums are split.
  constexpr int kChains = mr * kVectors > 4 ? 1 : (mr * kVectors > 2 ? 2 : 4);
  Accumulators<mr, kVectors> more[kChains] = {};  // the other chains'; one too many
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  Lanes<panels> w(r.panel + 128, t.panel_bytes);
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      Lanes<mr> x(segment, t.pixel_step);
      int32_t q = t.quads;
      for (; q >= kChains; q -= kChains) {
        accumulate_quad<mr, panels>(x, w, 0, flip, acc);
        unrolled<kChains - 1>([&](auto c) __attribute__((always_inline)) {
          accumulate_quad<mr, panels>(x, w, c + 1, flip, more[c]);
        });
        x.advance(4 * kChains);
        w.advance(64 * kChains);
      }
      if constexpr (kChains > 1) {
        for (; q > 0; --q) {
          accumulate_quad<mr, panels>(x, w, 0, flip, acc);
          x.advance(4);
          w.advance(64);
        }
      }
    }
  }
  unrolled<(kChains - 1) * mr * kVectors>([&](auto n) __attribute__((always_inline)) {
    constexpr int c = n / (mr * kVectors), i = n / kVectors % mr, v = n % kVectors;
    acc[i][v] = Vnni::add32(acc[i][v], more[c][i][v]);
  });
}

// Sums begin as bias, with the corrections of `mr` pixels or null.
template <int mr, int panels>
PJ_INLINE void begin_sums(const VnniTile& t, const VnniRow& r, const int32_t* corrections,
                          Accumulators<mr, panels * Vnni::kPanelVectors>& acc) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  unrolled<kVectors>([&](auto v) __attribute__((always_inline)) {
    const Vnni::Ints bias = Vnni::load(r.panel + v / Vnni::kPanelVectors * t.panel_bytes +
                                       v % Vnni::kPanelVectors * Vnni::kBytes);
    unrolled<mr>([&](auto i) __attribute__((always_inline)) { acc[i][v] = bias; });
  });
  if (corrections == nullptr) return;
  unrolled<mr>([&](auto i) __attribute__((always_inline)) {
    const Vnni::Ints correction = Vnni::set32(corrections[i]);
    unrolled<kVectors>([&](auto v) __attribute__((always_inline)) {
      acc[i][v] = Vnni::add32(acc[i][v], correction);
    });
  });
}

// What sums become bytes with, in registers.
template <int vectors>
struct VnniStage {
  Vnni::Ints zero_point, low, high, flip;
  Vnni::Floats highest, scale[vectors];

  PJ_INLINE VnniStage(const VnniTile& t, const VnniRow& r)
      : zero_point(Vnni::set32(t.zero_point)),
        low(Vnni::set32(t.low)),
        high(Vnni::set32(t.high)),
        flip(Vnni::set32(t.out_flip)),
        highest(Vnni::set_float(t.high_before_zero_point)) {
    unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
      scale[v] = Vnni::load_floats(r.panel + v / Vnni::kPanelVectors * t.panel_bytes + 64 +
                                   v % Vnni::kPanelVectors * Vnni::kBytes);
    });
  }
};

// Four registers of sums make one of bytes, the channels of one or several pixels.
template <int panels, bool plain>
PJ_INLINE Vnni::Ints requantized(const VnniStage<panels * Vnni::kPanelVectors>& stage,
                                 const Vnni::Ints (&sums)[4]) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  Vnni::Ints results[4];
  unrolled<4>([&](auto i) __attribute__((always_inline)) {
    Vnni::Floats x = Vnni::scaled(sums[i], stage.scale[i % kVectors]);
    if constexpr (!plain) x = Vnni::min(x, stage.highest);
    results[i] = Vnni::rounded(x);
  });
  Vnni::Ints bytes =
      Vnni::narrowed(results[0], results[1], results[2], results[3], stage.zero_point);
  if constexpr (!plain) bytes = Vnni::limited(bytes, stage.low, stage.high);
  return Vnni::flipped(bytes, stage.flip);
}

// Group `group` of a block's registers, whose results need no limits. `whole`: all channels of the
// panels are written.
template <int group, int mr, int panels, bool whole>
PJ_INLINE void requantize_group(const VnniTile& t, const VnniRow& r,
                                const VnniStage<panels * Vnni::kPanelVectors>& stage, uint8_t* out,
                                Accumulators<mr, panels * Vnni::kPanelVectors>& acc) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  constexpr int kPixels = 4 / kVectors;
  Vnni::Ints sums[4];
  unrolled<4>([&](auto i) __attribute__((always_inline)) {
    constexpr int kPixel = group * kPixels + i / kVectors;
    sums[i] = acc[kPixel < mr ? kPixel : 0][i % kVectors];
  });
  const Vnni::Ints bytes = requantized<panels, true>(stage, sums);
  unrolled<kPixels>([&](auto i) __attribute__((always_inline)) {
    if constexpr (group * kPixels + i < mr) {
      Vnni::template store<16 * panels, i>(out, bytes, whole ? 16 * panels : r.channels);
      out += t.out_step;
    }
  });
}

template <int mr, int panels, bool whole>
PJ_INLINE void requantize_block(const VnniTile& t, const VnniRow& r, uint8_t* out,
                                Accumulators<mr, panels * Vnni::kPanelVectors>& acc) {
  constexpr int kPixels = 4 / (panels * Vnni::kPanelVectors);  // in a group
  const VnniStage<panels * Vnni::kPanelVectors> stage(t, r);
  unrolled<(mr + kPixels - 1) / kPixels>([&](auto group) __attribute__((always_inline)) {
    requantize_group<group, mr, panels, whole>(t, r, stage, out, acc);
    out += kPixels * t.out_step;
  });
}

// The same for limited results or part of the channels, which is seldom: once for blocks of any
// number of pixels, from memory. `sums` has room for whole groups.
template <int panels>
[[gnu::noinline]] void requantize_limited(const VnniTile& t, const VnniRow& r, uint8_t* out,
                                          const Vnni::Ints* sums, int32_t pixels) {
  constexpr int kPixels = 4 / (panels * Vnni::kPanelVectors);  // in a group
  const VnniStage<panels * Vnni::kPanelVectors> stage(t, r);
  for (; pixels > 0; pixels -= kPixels, sums += 4) {
    const Vnni::Ints group[] = {sums[0], sums[1], sums[2], sums[3]};
    const Vnni::Ints bytes = requantized<panels, false>(stage, group);
    unrolled<kPixels>([&](auto i) __attribute__((always_inline)) {
      if (i >= pixels) return;
      Vnni::template store<16 * panels, i>(out, bytes, r.channels);
      out += t.out_step;
    });
  }
}

// `count` blocks that follow each other, from pixel `col` of the row.
template <int mr, int panels>
[[gnu::noinline]] void vnni_blocks(const VnniTile& t, const VnniRow& r, int32_t col,
                                   int32_t count) {
  constexpr int kVectors = panels * Vnni::kPanelVectors;
  static_assert(mr * kVectors <= Vnni::kAccumulators);
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * t.out_step;
  const int32_t* corrections = r.corrections;
  if (corrections != nullptr) corrections += col;
  for (; count > 0; --count) {
    Accumulators<mr, kVectors> acc;
    begin_sums<mr, panels>(t, r, corrections, acc);
    accumulate<mr, panels>(t, r, x_offset, acc);
    if (r.plain) {
      requantize_block<mr, panels, true>(t, r, out, acc);
    } else {
      Vnni::Ints sums[(mr * kVectors + 3) / 4 * 4] = {};
      unrolled<mr * kVectors>([&](auto i) __attribute__((always_inline)) {
        sums[i] = acc[i / kVectors][i % kVectors];
      });
      requantize_limited<panels>(t, r, out, sums, mr);
    }
    x_offset += mr * t.pixel_step;
    out += mr * t.out_step;
    if (corrections != nullptr) corrections += mr;
  }
}

}  // namespace
}  // namespace pj
