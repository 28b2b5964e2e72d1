// sdot on quads for dot.h: 16 channels. Inputs are seen as signed.
//
// Two output rows of two pixels are 16 accumulators, 2 registers of inputs and one of weights; 16
// loads feed 16 dot products, which is what Cortex-A76 does in 8 cycles.
#pragma once

#include "kernels/depthwise/dot.h"

namespace pj {
namespace {

template <typename X>
struct DotNeon {
  // Limits and zero point in the results' own type.
  struct Stage {
    OutputStage output;
    PJ_INLINE Stage(const OutputStage& s, bool) : output(s) {}
  };
  using Bytes = uint8x16_t;
  using Sums = int32x4_t;
  static constexpr bool kUnsigned = false;  // inputs, as products see them
  // Whether the usual results have a form without branches, so that pixels overlap in the CPU.
  static constexpr bool kPlainStores = true;
  static constexpr bool kMasks = false;
  static constexpr int kBytes = 16;
  static constexpr int kChannels = 16;
  static constexpr int kSums = 4;    // accumulators of a vector of pixels
  static constexpr int kPixels = 4;  // vectors of pixels in registers

  template <int G, bool whole>
  PJ_INLINE static Bytes load(const std::byte* const (&at)[G], int32_t channels, uint8_t flip) {
    static_assert(G == 1);
    const DotLane lanes[] = {whole ? load_lane(at[0]) : load_part(at[0], channels)};
    return join(lanes, flip);
  }
  PJ_INLINE static Bytes join(const DotLane (&lanes)[1], uint8_t flip) {
    return std::is_signed_v<X> ? lanes[0] : veorq_u8(lanes[0], vdupq_n_u8(flip));
  }

  PJ_INLINE static void interleave(Bytes (&r)[4]) {
    const auto ab0 = vreinterpretq_u16_u8(vzip1q_u8(r[0], r[1]));
    const auto ab1 = vreinterpretq_u16_u8(vzip2q_u8(r[0], r[1]));
    const auto cd0 = vreinterpretq_u16_u8(vzip1q_u8(r[2], r[3]));
    const auto cd1 = vreinterpretq_u16_u8(vzip2q_u8(r[2], r[3]));
    r[0] = vreinterpretq_u8_u16(vzip1q_u16(ab0, cd0));
    r[1] = vreinterpretq_u8_u16(vzip2q_u16(ab0, cd0));
    r[2] = vreinterpretq_u8_u16(vzip1q_u16(ab1, cd1));
    r[3] = vreinterpretq_u8_u16(vzip2q_u16(ab1, cd1));
  }

  PJ_INLINE static void store(std::byte* p, Bytes v) { vst1q_u8(reinterpret_cast<uint8_t*>(p), v); }
  PJ_INLINE static Sums load_sums(const std::byte* p) {
    return vld1q_s32(reinterpret_cast<const int32_t*>(p));
  }
  PJ_INLINE static void settle(Sums&) {}
  PJ_INLINE static Bytes load_quads(const std::byte* p) { return load_lane(p); }
  // Assembly for the reason given in kernels/conv/neon_dot.h.
  PJ_INLINE static Sums dot(Sums sum, Bytes x, Bytes w) {
    asm("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(x), "w"(w));
    return sum;
  }

  // Computes a panel without strips if it can (dot_neon_direct.h).
  static bool direct(const DotTile<DotNeon>& d, const DotPanel& panel);

  // From sums to results in memory.
  struct Finish {
    NeonStage<X> stage;
    float32x4_t scale[4];
    int32_t channels;
    bool calm;
    bool plain;   // sums are calm and all channels exist
    bool simple;  // NeonStage::simple()

    PJ_INLINE Finish(const Stage& s, const std::byte* scales, const DotPanelHeader& header,
                     int32_t count)
        : stage(s.output),
          channels(count),
          calm(header.calm != 0),
          plain(header.calm != 0 && count == kChannels),
          simple(NeonStage<X>::simple(s.output)) {
      const auto* from = reinterpret_cast<const float*>(scales);
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { scale[v] = vld1q_f32(from + 4 * v); });
    }

    // All channels, without branches.
    template <bool calm_sums = true, bool simple_stage = false>
    PJ_INLINE void store_plain(std::byte* to, const Sums (&sums)[4]) const {
      uint8x16_t v;
      if constexpr (calm_sums) {
        v = stage.template calm_16<simple_stage>(sums, scale);
      } else {
        v = stage.template bytes<false>(sums, scale);
      }
      vst1q_u8(reinterpret_cast<uint8_t*>(to), v);
    }
    template <int G>
    PJ_INLINE void store(std::byte* to, int64_t, const Sums (&sums)[4], int32_t) const {
      const uint8x16_t v = stage.any_bytes(sums, scale, calm);
      auto* out = reinterpret_cast<uint8_t*>(to);
      if (channels == kChannels) {
        vst1q_u8(out, v);
      } else {
        store_some(out, v, channels);
      }
    }
  };
};

}  // namespace
}  // namespace pj
