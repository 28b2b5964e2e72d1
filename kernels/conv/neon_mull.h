// Blocks of integer convolutions without dot product instructions (ARMv8.0): mr pixels times 8
// output channels in registers.
//
//   x  pairs of k's   0 1 2 3 | 4 5 6 7     a register: 8 + 8 bytes; and turned by 1, 2 and 3 pairs
//   w  channel        0 1 2 3 | 0 1 2 3     what belongs there: channel j meets the pairs j + turn
//
//   p    = smull (x, w)     4 channels, 2 products of 16 bits each
//   p   += smlal2(x, w)     2 more: two fit 16 bits, unless both are (-128)^2
//   acc += pairs of p       sadalp, a sum of 32 bits for each channel
//
// Four turns have every channel meet every k, so that no lanes are left to be added up at the end.
// 16 products for three instructions, where a product of 16 bits by lane needs four; three turns
// of x serve all 8 channels. Where packing has proven of a panel that four products fit 16 bits, as
// of most panels of uint8 models, two turns share a p: 32 products for five.
//
// Schedule, for each pixel and 16 k's: 24 multiplications and additions in two groups of 12, of
// which each instruction waits for the one four before it, and 3 turns. Cortex-A53, in order: one a
// cycle. A load of 128 bits takes its vector pipes for two cycles, but one of a general register
// goes beside a multiplication, and two instructions that take half of the vector pipes, such as
// moves from there, go together:
//
//   x         ldr x, ldr x; fmov of the lower half beside the ins of the upper half before
//   weights   ldr x; ldr d beside the ins of the ones before
//
// each of which is one cycle: 29 for 128 products with the weights of 8 pixels, and 31 with what
// gcc 12 moves between registers, 4.1 products a cycle of the 5.3 that the multiplications alone
// allow. Unsigned inputs are flipped in general registers, for nothing. Cortex-A72: smull and
// smlal2 go to one pipe, and its limit of 8 products a cycle remains; all else fits the other. One
// order serves both.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include <type_traits>

#include "kernels/conv/neon.h"

namespace pj {
namespace {

template <typename X>
struct NeonMull {
  using Result = X;
  using Seen = int8_t;
  static constexpr int32_t kPanel = 8, kUnit = kMullUnit;
  static constexpr uint8_t kFlip = std::is_signed_v<X> ? 0 : 0x80;

  PJ_INLINE static int32x4_t add_bytes(int32x4_t acc, uint8x16_t x) {
    return vpadalq_s16(acc, vpaddlq_s8(vreinterpretq_s8_u8(x)));
  }
  PJ_INLINE static int8x16_t load(const uint8_t* p) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(kFlip)));
  }
  // 8 bytes, twice.
  PJ_INLINE static int8x16_t load_half(const uint8_t* p) {
    const uint8x8_t x = veor_u8(vld1_u8(p), vdup_n_u8(kFlip));
    return vreinterpretq_s8_u8(vcombine_u8(x, x));
  }
  static BlockSizes<NeonBlocksFn> sizes(PanelFlags flags, int32_t channels);
  static constexpr bool kLine = true;
  static void line(const NeonTile& t, SegmentRow r, int32_t channels);
};

// The instructions of a step, which stay in the order in which they are written. Not the
// intrinsics: gcc 12 schedules them as if there were always others to fill the gaps, which on
// Cortex-A53 costs 40 %.
template <int turn>
PJ_INLINE int8x16_t turned(int8x16_t x) {
  int8x16_t y;
  asm volatile("ext %0.16b, %1.16b, %1.16b, %2" : "=w"(y) : "w"(x), "n"(2 * turn));
  return y;
}
PJ_INLINE int16x8_t products(int8x16_t w, int8x16_t x) {
  int16x8_t p;
  asm volatile("smull %0.8h, %1.8b, %2.8b" : "=w"(p) : "w"(w), "w"(x));
  return p;
}
PJ_INLINE int16x8_t high_products(int8x16_t w, int8x16_t x) {
  int16x8_t p;
  asm volatile("smull2 %0.8h, %1.16b, %2.16b" : "=w"(p) : "w"(w), "w"(x));
  return p;
}
PJ_INLINE void add_pairs(int32x4_t& acc, int16x8_t p) {
  asm volatile("sadalp %0.4s, %1.8h" : "+w"(acc) : "w"(p));
}

// 16 k's of a pixel, two turns of them: x0 and x1 meet four registers of weights. Where four
// products fit 16 bits, the products of the first two turns wait for those of the other two.
enum MullPart { kAllTurns, kFirstTurns, kLastTurns };

#define PJ_MULL_PRODUCTS_0(op) op " %[p0].8h, %[w0].8b, %[x0].8b\n\t"
#define PJ_MULL_PRODUCTS_1(op) op " %[p1].8h, %[w1].8b, %[x0].8b\n\t"
#define PJ_MULL_PRODUCTS_2(op) op " %[p2].8h, %[w2].8b, %[x1].8b\n\t"
#define PJ_MULL_PRODUCTS_3(op) op " %[p3].8h, %[w3].8b, %[x1].8b\n\t"
#define PJ_MULL_ADD_0 "smlal2 %[p0].8h, %[w0].16b, %[x0].16b\n\t"
#define PJ_MULL_ADD_1 "smlal2 %[p1].8h, %[w1].16b, %[x0].16b\n\t"
#define PJ_MULL_ADD_2 "smlal2 %[p2].8h, %[w2].16b, %[x1].16b\n\t"
#define PJ_MULL_ADD_3 "smlal2 %[p3].8h, %[w3].16b, %[x1].16b\n\t"
#define PJ_MULL_PAIRS_0 "sadalp %[s0].4s, %[p0].8h\n\t"
#define PJ_MULL_PAIRS_1 "sadalp %[s1].4s, %[p1].8h\n\t"
#define PJ_MULL_PAIRS_2 "sadalp %[s0].4s, %[p2].8h\n\t"
#define PJ_MULL_PAIRS_3 "sadalp %[s1].4s, %[p3].8h"
#define PJ_MULL_SUMS [s0] "+w"(acc[0]), [s1] "+w"(acc[1])
#define PJ_MULL_WORK(access) \
  [p0] access(p[0]), [p1] access(p[1]), [p2] access(p[2]), [p3] access(p[3])
#define PJ_MULL_INPUTS \
  [w0] "w"(w[0]), [w1] "w"(w[1]), [w2] "w"(w[2]), [w3] "w"(w[3]), [x0] "w"(x0), [x1] "w"(x1)
#define PJ_MULL_MULTIPLY(op) \
  PJ_MULL_PRODUCTS_0(op)     \
  PJ_MULL_PRODUCTS_1(op)     \
  PJ_MULL_PRODUCTS_2(op)     \
  PJ_MULL_PRODUCTS_3(op) PJ_MULL_ADD_0 PJ_MULL_ADD_1 PJ_MULL_ADD_2 PJ_MULL_ADD_3

template <MullPart part>
PJ_INLINE void mull_turns(int8x16_t x0, int8x16_t x1, const int8x16_t* w, int16x8_t (&p)[4],
                          int32x4_t (&acc)[2]) {
  if constexpr (part == kFirstTurns) {
    asm volatile(PJ_MULL_MULTIPLY("smull") : PJ_MULL_WORK("=&w") : PJ_MULL_INPUTS);
  } else if constexpr (part == kLastTurns) {
    asm volatile(PJ_MULL_MULTIPLY("smlal")
                     PJ_MULL_PAIRS_0 PJ_MULL_PAIRS_1 PJ_MULL_PAIRS_2 PJ_MULL_PAIRS_3
                 : PJ_MULL_SUMS, PJ_MULL_WORK("+&w")
                 : PJ_MULL_INPUTS);
  } else {
    asm volatile(PJ_MULL_MULTIPLY("smull")
                     PJ_MULL_PAIRS_0 PJ_MULL_PAIRS_1 PJ_MULL_PAIRS_2 PJ_MULL_PAIRS_3
                 : PJ_MULL_SUMS, PJ_MULL_WORK("=&w")
                 : PJ_MULL_INPUTS);
  }
}

// The same while four registers of weights are loaded.
// clang-format off
#define PJ_MULL_LOADING(op)                                            \
  "ldr %d[t0], [%[from]]\n\t"                                          \
  PJ_MULL_PRODUCTS_0(op) "ldr %[h0], [%[from], 8]\n\t"                 \
  PJ_MULL_PRODUCTS_1(op) "ldr %[h1], [%[from], 24]\n\t"                \
  PJ_MULL_PRODUCTS_2(op)                                               \
  "ldr %d[t1], [%[from], 16]\n\tins %[t0].d[1], %[h0]\n\t"             \
  PJ_MULL_PRODUCTS_3(op) "ldr %[h2], [%[from], 40]\n\t"                \
  PJ_MULL_ADD_0 "ldr %[h3], [%[from], 56]\n\t"                         \
  PJ_MULL_ADD_1                                                        \
  "ldr %d[t2], [%[from], 32]\n\tins %[t1].d[1], %[h1]\n\t"             \
  PJ_MULL_ADD_2 PJ_MULL_ADD_3
#define PJ_MULL_LOAD_LAST "ldr %d[t3], [%[from], 48]\n\tins %[t2].d[1], %[h2]\n\t"
#define PJ_MULL_LOADED \
  [t0] "=&w"(to[0]), [t1] "=&w"(to[1]), [t2] "=&w"(to[2]), [t3] "=&w"(to[3]), \
  [h0] "=&r"(high[0]), [h1] "=&r"(high[1]), [h2] "=&r"(high[2]), [h3] "=&r"(high[3])
#define PJ_MULL_FROM [from] "r"(from), "m"(*reinterpret_cast<const uint8_t(*)[64]>(from))
// clang-format on

template <MullPart part>
PJ_INLINE void mull_turns(int8x16_t x0, int8x16_t x1, const int8x16_t* w, int16x8_t (&p)[4],
                          int32x4_t (&acc)[2], const uint8_t* from, int8x16_t* to) {
  uint64_t high[4];
  if constexpr (part == kFirstTurns) {
    asm volatile(PJ_MULL_LOADING("smull") PJ_MULL_LOAD_LAST "ins %[t3].d[1], %[h3]"
                 : PJ_MULL_WORK("=&w"), PJ_MULL_LOADED
                 : PJ_MULL_INPUTS, PJ_MULL_FROM);
  } else if constexpr (part == kLastTurns) {
    asm volatile(
        PJ_MULL_LOADING("smlal")
            PJ_MULL_PAIRS_0 PJ_MULL_LOAD_LAST PJ_MULL_PAIRS_1 PJ_MULL_PAIRS_2 PJ_MULL_PAIRS_3
        "\n\tins %[t3].d[1], %[h3]"
        : PJ_MULL_SUMS, PJ_MULL_WORK("+&w"), PJ_MULL_LOADED
        : PJ_MULL_INPUTS, PJ_MULL_FROM);
  } else {
    asm volatile(
        PJ_MULL_LOADING("smull")
            PJ_MULL_PAIRS_0 PJ_MULL_LOAD_LAST PJ_MULL_PAIRS_1 PJ_MULL_PAIRS_2 PJ_MULL_PAIRS_3
        "\n\tins %[t3].d[1], %[h3]"
        : PJ_MULL_SUMS, PJ_MULL_WORK("=&w"), PJ_MULL_LOADED
        : PJ_MULL_INPUTS, PJ_MULL_FROM);
  }
}

#undef PJ_MULL_MULTIPLY
#undef PJ_MULL_LOADING
#undef PJ_MULL_LOAD_LAST
#undef PJ_MULL_LOADED
#undef PJ_MULL_FROM
#undef PJ_MULL_PRODUCTS_0
#undef PJ_MULL_PRODUCTS_1
#undef PJ_MULL_PRODUCTS_2
#undef PJ_MULL_PRODUCTS_3
#undef PJ_MULL_ADD_0
#undef PJ_MULL_ADD_1
#undef PJ_MULL_ADD_2
#undef PJ_MULL_ADD_3
#undef PJ_MULL_PAIRS_0
#undef PJ_MULL_PAIRS_1
#undef PJ_MULL_PAIRS_2
#undef PJ_MULL_PAIRS_3
#undef PJ_MULL_SUMS
#undef PJ_MULL_WORK
#undef PJ_MULL_INPUTS

// 16 bytes of an input on their way to a vector register.
template <typename X>
struct MullWords {
  typedef uint64_t Word __attribute__((may_alias));
  uint64_t low, high;

  PJ_INLINE void load_low(const uint8_t* p) {
    asm volatile("ldr %0, %1" : "=r"(low) : "m"(*reinterpret_cast<const Word*>(p)));
  }
  PJ_INLINE void load_high(const uint8_t* p) {
    asm volatile("ldr %0, %1" : "=r"(high) : "m"(*reinterpret_cast<const Word*>(p + 8)));
  }
  PJ_INLINE void flip_low() { flip(low); }
  PJ_INLINE void flip_high() { flip(high); }
  PJ_INLINE void set_low(int8x16_t& v) const { asm volatile("fmov %d0, %1" : "=w"(v) : "r"(low)); }
  PJ_INLINE void set_high(int8x16_t& v) const { insert(v, high); }
  PJ_INLINE static void insert(int8x16_t& v, uint64_t word) {
    asm volatile("ins %0.d[1], %1" : "+w"(v) : "r"(word));
  }

 private:
  PJ_INLINE static void flip(uint64_t& word) {
    if constexpr (!std::is_signed_v<X>)
      asm volatile("eor %0, %0, #0x8080808080808080" : "+r"(word));
  }
};

// `steps` times 16 k's from where the operands stand; at least one. Pixel i + 1 is completed while
// pixel i is computed, and the lower half of pixel i + 2 loaded; after the last pixel of a step
// comes the first of the next.
template <typename X, bool shared, int mr>
PJ_INLINE void mull_steps(const uint8_t* (&x)[mr], const uint8_t*& w, int32_t steps,
                          int32x4_t (&acc)[mr][2]) {
  static_assert(mr > 1);
  constexpr MullPart kFirst = shared ? kFirstTurns : kAllTurns;
  constexpr MullPart kLast = shared ? kLastTurns : kAllTurns;
  int8x16_t weights[8], xs[3];
  MullWords<X> words[2];
  unrolled<4>([&](auto v) PJ_INLINE_LAMBDA {
    weights[v] = vld1q_s8(reinterpret_cast<const int8_t*>(w) + 16 * v);
  });
  unrolled<2>([&](auto i) PJ_INLINE_LAMBDA {
    words[i].load_low(x[i]);
    words[i].load_high(x[i]);
    words[i].flip_low();
    words[i].flip_high();
    words[i].set_low(xs[i]);
  });
  words[0].set_high(xs[0]);
  for (; steps > 0; --steps) {
    // The last turn loads again what it has, instead of what may not exist.
    const int64_t ahead = steps > 1 ? 16 : 0;
    const uint8_t* const next_w = w + 8 * ahead;
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      constexpr int kNow = i % 3, kNext = (i + 1) % 3, kLater = (i + 2) % 3;
      constexpr int kLoaded = (i + 2) % mr;
      const int8x16_t now = xs[kNow];
      if constexpr (kLoaded < 2) x[kLoaded] += ahead;
      int16x8_t p[4];
      MullWords<X> later;
      later.load_low(x[kLoaded]);
      const int8x16_t x1 = turned<1>(now);
      later.load_high(x[kLoaded]);
      if constexpr (kLoaded >= 2) x[kLoaded] += 16;
      if constexpr (i == 0) {
        mull_turns<kFirst>(now, x1, weights, p, acc[i], w + 64, weights + 4);
      } else {
        mull_turns<kFirst>(now, x1, weights, p, acc[i]);
      }
      later.flip_low();
      const int8x16_t x2 = turned<2>(now);
      later.flip_high();
      const int8x16_t x3 = turned<3>(now);
      later.set_low(xs[kLater]);
      words[1].set_high(xs[kNext]);
      if constexpr (i == mr - 1) {
        mull_turns<kLast>(x2, x3, weights + 4, p, acc[i], next_w, weights);
      } else {
        mull_turns<kLast>(x2, x3, weights + 4, p, acc[i]);
      }
      words[1] = later;
    });
    const int8x16_t first = xs[mr % 3];
    xs[1] = xs[(mr + 1) % 3];
    xs[0] = first;
    w += 128;
  }
  x[0] += 16;
  x[1] += 16;
}

// The next 16 k's of one pixel, whose weights serve no other; or where two products may not fit
// 16 bits.
template <typename X, bool paired, int mr>
PJ_INLINE void mull_step(const uint8_t* (&x)[mr], const uint8_t*& w, int32x4_t (&acc)[mr][2]) {
  int8x16_t weights[8];
  unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
    weights[v] = vld1q_s8(reinterpret_cast<const int8_t*>(w) + 16 * v);
  });
  w += 128;
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int8x16_t xs = NeonMull<X>::load(x[i]);
    x[i] += 16;
    const int8x16_t turns[] = {xs, turned<1>(xs), turned<2>(xs), turned<3>(xs)};
    if constexpr (paired) {
      int16x8_t p[4];
      mull_turns<kAllTurns>(turns[0], turns[1], weights, p, acc[i]);
      mull_turns<kAllTurns>(turns[2], turns[3], weights + 4, p, acc[i]);
    } else {
      unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
        add_pairs(acc[i][v % 2], products(weights[v], turns[v / 2]));
        add_pairs(acc[i][v % 2], high_products(weights[v], turns[v / 2]));
      });
    }
  });
}

// The last 8 k's of a segment, which are turned among themselves.
template <typename X, int mr>
PJ_INLINE void mull_half(const uint8_t* (&x)[mr], const uint8_t*& w, int32x4_t (&acc)[mr][2]) {
  int8x16_t weights[8];
  unrolled<8>([&](auto v) PJ_INLINE_LAMBDA {
    const int8x8_t eight = vld1_s8(reinterpret_cast<const int8_t*>(w) + 8 * v);
    weights[v] = vcombine_s8(eight, vdup_n_s8(0));
  });
  w += 128;
  unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
    const int8x16_t xs = NeonMull<X>::load_half(x[i]);
    x[i] += 8;
    const int8x16_t turns[] = {xs, turned<1>(xs), turned<2>(xs), turned<3>(xs)};
    unrolled<2>([&](auto h) PJ_INLINE_LAMBDA {
      int16x8_t p[4];
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA {
        p[v] = products(weights[4 * h + v], turns[2 * h + v / 2]);
      });
      unrolled<4>([&](auto v) PJ_INLINE_LAMBDA { add_pairs(acc[i][v % 2], p[v]); });
    });
  });
}

template <typename X, int fit, int mr>
PJ_INLINE void mull_window(const NeonTile& t, const SegmentRow& r, int64_t x_offset,
                           const uint8_t* w, int32x4_t (&acc)[mr][2]) {
  const int32_t rest = t.segment_bytes % 16;
  const int32_t steps = t.segment_bytes / 16 + (rest > 8 ? 1 : 0);
  const bool half = rest > 0 && rest <= 8;
  const uint8_t* const* row = r.rows;
  for (int32_t ky = t.kernel_h; ky > 0; --ky, row += t.row_step) {
    const uint8_t* segment = *row + x_offset;
    for (int32_t s = t.segments; s > 0; --s, segment += t.segment_step) {
      const uint8_t* x[mr];
      for (int i = 0; i < mr; ++i) x[i] = segment + i * t.pixel_step;
      if constexpr (fit > 1 && mr > 1) {
        if (steps > 0) mull_steps<X, fit == 4>(x, w, steps, acc);
      } else {
        for (int32_t left = steps; left > 0; --left) mull_step<X, (fit > 1)>(x, w, acc);
      }
      if (half) mull_half<X, mr>(x, w, acc);
    }
  }
}

// `count` blocks that follow each other, from pixel `col` of the row, of a panel of whose products
// `fit` add up in 16 bits.
template <typename X, int fit, int mr>
[[gnu::noinline]] void mull_blocks(const NeonTile& t, const SegmentRow& r, int32_t col,
                                   int32_t count) {
  constexpr int kPairs = (mr + 1) / 2;  // of pixels, whose results fill a register
  const NeonStage<X> stage(t.stage);
  const bool calm = flags_of(r.panel).calm != 0;
  const bool plain = calm && r.channels == NeonMull<X>::kPanel;
  const auto* bias = reinterpret_cast<const int32_t*>(r.panel + kPanelFlagBytes);
  const auto* scales = reinterpret_cast<const float*>(bias + 8);
  const auto* weights = reinterpret_cast<const uint8_t*>(scales + 8);
  const float32x4_t scale[4] = {vld1q_f32(scales), vld1q_f32(scales + 4), vld1q_f32(scales),
                                vld1q_f32(scales + 4)};
  const int64_t out_step = t.out_step;
  int64_t x_offset = col * t.pixel_step;
  uint8_t* out = r.out + col * out_step;
  const int32_t* corrections = r.corrections == nullptr ? nullptr : r.corrections + col;
  for (; count > 0; --count, x_offset += mr * t.pixel_step) {
    int32x4_t acc[mr][2];
    unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
      acc[i][0] = vld1q_s32(bias);
      acc[i][1] = vld1q_s32(bias + 4);
    });
    if (corrections != nullptr) {
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        const int32x4_t c = vdupq_n_s32(corrections[i]);
        acc[i][0] = vaddq_s32(acc[i][0], c);
        acc[i][1] = vaddq_s32(acc[i][1], c);
      });
      corrections += mr;
    }
    mull_window<X, fit, mr>(t, r, x_offset, weights, acc);
    auto sum = [&](int i) PJ_INLINE_LAMBDA { return acc[i / 2 < mr ? i / 2 : mr - 1][i % 2]; };
    if (plain) {
      int32x4_t calm_sums[kPairs * 4];  // in registers
      unrolled<kPairs * 4>([&](auto i) PJ_INLINE_LAMBDA { calm_sums[i] = sum(i); });
      uint8x16_t bytes[kPairs];
      if (t.simple) {
        stage.template calm_bytes<true, kPairs>(calm_sums, scale, bytes);
      } else {
        stage.template calm_bytes<false, kPairs>(calm_sums, scale, bytes);
      }
      unrolled<mr>([&](auto i) PJ_INLINE_LAMBDA {
        vst1q_lane_u64(reinterpret_cast<uint64_t*>(out), vreinterpretq_u64_u8(bytes[i / 2]), i % 2);
        out += out_step;
      });
    } else {
      int32x4_t sums[kPairs * 4];  // in memory
      unrolled<kPairs * 4>([&](auto i) PJ_INLINE_LAMBDA { sums[i] = sum(i); });
      for (int i = 0; i < mr; i += 2) {
        const uint8x16_t bytes = stage.any_bytes(sums + 2 * i, scale, calm);
        store_eight(out, bytes, r.channels);
        if (i + 1 < mr) store_eight(out + out_step, vextq_u8(bytes, bytes, 8), r.channels);
        out += (i + 1 < mr ? 2 : 1) * out_step;
      }
    }
  }
}

template <typename X>
BlockSizes<NeonBlocksFn> NeonMull<X>::sizes(PanelFlags flags, int32_t) {
  static constexpr BlockSize<NeonBlocksFn> kSizes[] = {{8, mull_blocks<X, 2, 8>},
                                                       {6, mull_blocks<X, 2, 6>},
                                                       {4, mull_blocks<X, 2, 4>},
                                                       {2, mull_blocks<X, 2, 2>},
                                                       {1, mull_blocks<X, 2, 1>}};
  // Rare, so few of them.
  static constexpr BlockSize<NeonBlocksFn> kUnpaired[] = {{2, mull_blocks<X, 1, 2>},
                                                          {1, mull_blocks<X, 1, 1>}};
  if (flags.paired == 0) return {kUnpaired, 2};
  // Few panels of int8 models are such.
  if constexpr (!std::is_signed_v<X>) {
    static constexpr BlockSize<NeonBlocksFn> kShared[] = {{8, mull_blocks<X, 4, 8>},
                                                          {6, mull_blocks<X, 2, 6>},
                                                          {4, mull_blocks<X, 2, 4>},
                                                          {2, mull_blocks<X, 2, 2>},
                                                          {1, mull_blocks<X, 2, 1>}};
    if (flags.shared != 0) return {kShared, 5};
  }
  return {kSizes, 5};
}

// The sums of a single pixel for a panel, and their scales; returns whether they are calm.
template <typename X>
PJ_INLINE bool pixel_sums(const NeonTile& t, const SegmentRow& r, const uint8_t* panel,
                          int32x4_t correction, int32x4_t (&sums)[2], float32x4_t (&scale)[2]) {
  const auto* bias = reinterpret_cast<const int32_t*>(panel + kPanelFlagBytes);
  const auto* scales = reinterpret_cast<const float*>(bias + 8);
  const auto* weights = reinterpret_cast<const uint8_t*>(scales + 8);
  int32x4_t acc[1][2];
  const PanelFlags flags = flags_of(panel);
  if (flags.centered != 0) correction = vdupq_n_s32(0);
  unrolled<2>([&](auto v) PJ_INLINE_LAMBDA {
    acc[0][v] = vaddq_s32(vld1q_s32(bias + 4 * v), correction);
    scale[v] = vld1q_f32(scales + 4 * v);
  });
  if (flags.paired != 0) {
    mull_window<X, 2, 1>(t, r, 0, weights, acc);
  } else {
    mull_window<X, 1, 1>(t, r, 0, weights, acc);
  }
  sums[0] = acc[0][0];
  sums[1] = acc[0][1];
  return flags.calm != 0;
}

// All panels of a single pixel, finished two by two: fully connected layers. What blocks do for
// each panel anew is done once.
template <typename X>
void NeonMull<X>::line(const NeonTile& tile, SegmentRow r, int32_t channels) {
  const NeonTile t = tile;
  const NeonStage<X> stage(t.stage);
  const int32x4_t correction = vdupq_n_s32(r.corrections == nullptr ? 0 : *r.corrections);
  for (int32_t left = channels; left > 0; left -= 2 * kPanel, r.out += 2 * kPanel) {
    const int panels = left > kPanel ? 2 : 1;
    int32x4_t sums[2][2];
    float32x4_t scale[2][2];
    bool calm = true;
    for (int i = 0; i < panels; ++i, r.panel += t.panel_bytes)
      calm &= pixel_sums<X>(t, r, r.panel, correction, sums[i], scale[i]);
    const int last = panels - 1;
    const int32x4_t all[] = {sums[0][0], sums[0][1], sums[last][0], sums[last][1]};
    const float32x4_t by[] = {scale[0][0], scale[0][1], scale[last][0], scale[last][1]};
    const uint8x16_t bytes = stage.any_bytes(all, by, calm);
    if (left >= 2 * kPanel) {
      vst1q_u8(r.out, bytes);
    } else {
      store_some(r.out, bytes, left);
    }
  }
}

template <typename X, typename W, int mr, int nr>
void run_mull_conv(const Tile& t) {
  static_assert(nr == NeonMull<X>::kPanel && mr == 8);
  run_neon_tile<NeonMull<X>>(t);
}

}  // namespace
}  // namespace pj
