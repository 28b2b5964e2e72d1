#include "kernels/packing/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/common/calm_sums.h"
#include "kernels/conv/quad_rows.h"
#include "kernels/packing/panel_flags.h"

namespace pj {
namespace {

template <typename T>
T at(const std::vector<std::byte>& bytes, int64_t offset) {
  T v;
  std::memcpy(&v, bytes.data() + offset, sizeof(T));
  return v;
}

// Two taps, two input channels, three output channels in panels of two, by hand.
TEST(Packing, ConvPanelsOfInt8) {
  PackSpec s;
  s.packing = PackingId::kConvPanels;
  s.input = s.weights = DType::kI8;
  s.nr = 2;
  s.taps = 2;
  s.in_channels = s.pad_channels = 2;
  s.out_channels = 3;
  s.input_zero_point = 5;
  s.tap_stride = 2;
  s.in_stride = 1;
  s.out_stride = 4;
  const int8_t weights[] = {1, 2, 3, 4, -1, -2, -3, -4, 10, 20, 30, 40};
  const int32_t bias[] = {100, 200, 300};
  const float scales[] = {0.5f, 0.25f, 2.0f};
  EXPECT_EQ(s.pad_bytes(), 64);
  EXPECT_EQ(s.weights_offset(), 16);
  EXPECT_EQ(s.panel_bytes(), 64);
  EXPECT_EQ(s.total_bytes(), 64 + 2 * 64);
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights),
               reinterpret_cast<const std::byte*>(bias), false, scales, packed);
  EXPECT_EQ(at<int8_t>(packed, 0), 5);
  EXPECT_EQ(at<int8_t>(packed, 1), 5);
  EXPECT_EQ(at<int8_t>(packed, 2), 0);
  // Bias minus zero point times the channel's sum of weights.
  EXPECT_EQ(at<int32_t>(packed, 64), 100 - 5 * 10);
  EXPECT_EQ(at<int32_t>(packed, 68), 200 + 5 * 10);
  EXPECT_EQ(at<float>(packed, 72), 0.5f);
  EXPECT_EQ(at<float>(packed, 76), 0.25f);
  const int8_t interleaved[] = {1, -1, 2, -2, 3, -3, 4, -4};
  EXPECT_EQ(std::memcmp(packed.data() + 80, interleaved, sizeof(interleaved)), 0);
  // The second panel has one channel and one of zeros.
  EXPECT_EQ(at<int32_t>(packed, 128), 300 - 5 * 100);
  EXPECT_EQ(at<int32_t>(packed, 132), 0);
  const int8_t half_empty[] = {10, 0, 20, 0, 30, 0, 40, 0};
  EXPECT_EQ(std::memcmp(packed.data() + 144, half_empty, sizeof(half_empty)), 0);
}

// What a panel of kConvQuads multiplies: the sum of the weights that each k of a channel meets.
struct QuadSums {
  QuadPanel header;
  int32_t weights[kQuadChannels][64] = {};

  // Fails where two products could leave 16 bits.
  QuadSums(const PackSpec& s, const std::vector<std::byte>& packed) {
    const std::byte* panel = packed.data() + s.pad_bytes();
    std::memcpy(&header, panel, sizeof(header));
    const QuadLists lists(s.in_channels);
    const auto* position = reinterpret_cast<const uint16_t*>(panel + lists.positions_at());
    const auto* choices = reinterpret_cast<const uint8_t*>(panel + lists.choices_at());
    const auto* w = reinterpret_cast<const int8_t*>(panel + lists.weights_at());
    const int32_t narrow = header.strong + header.plain + header.shuffled;
    EXPECT_LE(narrow + header.wide, lists.capacity);
    for (int32_t q = 0; q < narrow + header.wide; ++q, w += kQuadBytes) {
      const bool shuffled = q >= header.strong + header.plain && q < narrow;
      for (int n = 0; n < kQuadChannels; ++n) {
        for (int i = 0; i < 4; ++i) {
          const int32_t k = position[q] * 4 + (shuffled ? choices[q * 4 + i] : i);
          weights[n][k] += q < narrow ? w[n * 4 + i] : w[i % 2 * 32 + n * 2 + i / 2];
        }
        for (int i = 0; i < 4 && q < narrow; i += 2) {
          int32_t positive = 0, negative = 0;
          auto add = [&](int32_t v) { (v > 0 ? positive : negative) += v; };
          for (int j = i; j < i + 2; ++j) add(w[n * 4 + j]);
          const int32_t other = q % 2 == 0 ? kQuadBytes : -kQuadBytes;
          for (int j = i; j < i + 2 && q < header.strong; ++j) add(w[n * 4 + j + other]);
          EXPECT_LE(positive, 128) << "quad " << q << " channel " << n;
          EXPECT_GE(negative, -128) << "quad " << q << " channel " << n;
        }
      }
    }
  }
};

std::vector<std::byte> packed_quads(PackSpec& s, const std::vector<uint8_t>& weights) {
  s.packing = PackingId::kConvQuads;
  s.nr = kQuadChannels;
  s.kr = 4;
  s.out_stride = s.in_channels;
  const std::vector<float> scales(static_cast<size_t>(s.out_channels), 0.5f);
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights.data()), nullptr, false, scales,
               packed);
  return packed;
}

// Weights of all kinds are all there, once, in quads that fit 16 bits.
TEST(Packing, QuadsHaveEveryWeightAndFit) {
  std::minstd_rand random(3);
  for (const int32_t k : {1, 3, 4, 16, 27, 63, 64}) {
    for (const int32_t reach : {20, 60, 100, 128}) {
      for (const bool is_unsigned : {false, true}) {
        PackSpec s;
        s.input = s.weights = is_unsigned ? DType::kU8 : DType::kI8;
        s.in_channels = k;
        s.out_channels = 13;
        s.weights_zero_point = is_unsigned ? 120 : 0;
        std::vector<uint8_t> weights(static_cast<size_t>(k * s.out_channels));
        for (uint8_t& w : weights)
          w = static_cast<uint8_t>(s.weights_zero_point +
                                   static_cast<int32_t>(random() % (2 * reach)) - reach);
        const QuadSums sums(s, packed_quads(s, weights));
        const int32_t zero_point = sums.header.corrected != 0 ? 128 : s.weights_zero_point;
        EXPECT_TRUE(sums.header.corrected == 0 || (is_unsigned && reach == 128));
        for (int32_t n = 0; n < s.out_channels; ++n) {
          for (int32_t i = 0; i < k; ++i) {
            const uint8_t raw = weights[static_cast<size_t>(n * k + i)];
            const int32_t w = is_unsigned ? raw - zero_point : static_cast<int8_t>(raw);
            EXPECT_EQ(sums.weights[n][i], w) << "k " << i << " channel " << n;
          }
        }
      }
    }
  }
}

// Small weights stay as they are; pairs that must not meet are separated by shuffling; a panel in
// which nothing may meet is wide; weights far from their zero point keep it.
TEST(Packing, QuadsAreOfTheCheapestKind) {
  PackSpec s;
  s.input = s.weights = DType::kI8;
  s.in_channels = 16;
  s.out_channels = 1;
  auto header = [&](uint8_t even, uint8_t odd) {
    std::vector<uint8_t> weights;
    for (int i = 0; i < 16; ++i) weights.push_back(i < 8 ? even : odd);
    return QuadSums(s, packed_quads(s, weights)).header;
  };
  EXPECT_EQ(header(31, 31).strong, 4);
  EXPECT_EQ(header(63, 63).plain, 4);
  EXPECT_EQ(header(100, 27).shuffled, 4);
  EXPECT_EQ(header(100, 100).wide, 4);
  s.input = s.weights = DType::kU8;
  s.weights_zero_point = 0;
  EXPECT_EQ(header(255, 255).corrected, 1);
  EXPECT_EQ(header(3, 4).strong, 4);
  // Twice as many k's than there are: a spare quad takes the rest of a weight.
  std::vector<uint8_t> weights(16, 1);
  weights[5] = 200;
  const QuadPanel split = QuadSums(s, packed_quads(s, weights)).header;
  EXPECT_EQ(split.corrected, 0);
  EXPECT_EQ(split.strong + split.plain + split.shuffled, 5);
}

TEST(Packing, UnsignedWeightsBecomeSigned) {
  PackSpec s;
  s.packing = PackingId::kDepthwisePanels;
  s.input = s.weights = DType::kU8;
  s.nr = 2;
  s.taps = 1;
  s.pad_channels = s.out_channels = 2;
  s.input_zero_point = 7;
  s.weights_zero_point = 130;
  s.out_stride = 1;
  const uint8_t weights[] = {0, 255};
  const float scales[] = {1, 1};
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights), nullptr, false, scales, packed);
  EXPECT_EQ(at<int8_t>(packed, 80), -128);
  EXPECT_EQ(at<int8_t>(packed, 81), 127);
  // taps * zx * zw - zx * w, with zw = 130 - 128.
  EXPECT_EQ(at<int32_t>(packed, 64), 7 * 2 + 7 * 128);
  EXPECT_EQ(at<int32_t>(packed, 68), 7 * 2 - 7 * 127);
}

// A window of three rows: the second shift serves the output row below with the same input rows.
TEST(Packing, DepthwiseQuadsShiftRowsAndSplitWeightsOfNineBits) {
  PackSpec s;
  s.packing = PackingId::kDepthwiseQuads;
  s.input = s.weights = DType::kU8;
  s.nr = 16;
  s.kr = 4;
  s.taps = s.kernel_h = 3;
  s.shifts = 2;
  s.pad_channels = s.out_channels = 2;
  s.input_zero_point = 7;
  s.weights_zero_point = 10;
  s.tap_stride = 2;
  s.out_stride = 1;
  const uint8_t weights[] = {11, 0, 12, 10, 255, 10};
  const int32_t bias[] = {1000, 2000};
  const float scales[] = {0.5f, 1.5f};
  // Header, bias, scale; then up to two parts of two shifts of 16 quads.
  EXPECT_EQ(s.weights_offset(), 64 + 2 * 64);
  EXPECT_EQ(s.panel_bytes(), 192 + 2 * 2 * 64);
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights),
               reinterpret_cast<const std::byte*>(bias), false, scales, packed);
  const int64_t panel = s.pad_bytes();
  EXPECT_EQ(at<int32_t>(packed, panel), 2);      // parts
  EXPECT_EQ(at<int32_t>(packed, panel + 4), 1);  // a scale of 1 or more
  EXPECT_EQ(at<int32_t>(packed, panel + 64), 1000 - 7 * (1 + 2 + 245));
  EXPECT_EQ(at<int32_t>(packed, panel + 68), 2000 + 7 * 10);
  EXPECT_EQ(at<float>(packed, panel + 132), 1.5f);
  const int8_t first[] = {1, 2, 127, 0, -10, 0, 0, 0, 0};
  const int8_t shifted[] = {0, 1, 2, 127, 0, -10, 0, 0, 0};
  const int8_t rest[] = {0, 0, 118, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(std::memcmp(packed.data() + panel + 192, first, sizeof(first)), 0);
  EXPECT_EQ(std::memcmp(packed.data() + panel + 192 + 64, shifted, sizeof(shifted)), 0);
  EXPECT_EQ(std::memcmp(packed.data() + panel + 192 + 128, rest, sizeof(rest)), 0);
}

// A window of 5x5: rows that both output rows see as quads of a column, others as quads of a row.
TEST(Packing, CrossedQuadsAreOfColumnsAndOfRows) {
  PackSpec s;
  s.packing = PackingId::kDepthwiseQuads;
  s.input = s.weights = DType::kI8;
  s.nr = 16;
  s.kr = 4;
  s.taps = 25;
  s.kernel_h = 5;
  s.shifts = 2;
  s.crossed = true;
  int8_t weights[25];  // 10 * ky + kx
  for (int8_t tap = 0; tap < 25; ++tap) weights[tap] = static_cast<int8_t>(tap / 5 * 10 + tap % 5);
  const float scales[] = {0.5f};
  EXPECT_EQ(s.panel_bytes(), 192 + 26 * 64);
  EXPECT_NE(s.key().find("crossed"), std::string::npos);
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights), nullptr, false, scales, packed);
  // The only channel is in the first of 16 places.
  auto quad = [&](int64_t i) {
    std::vector<int> w;
    for (int64_t e = 0; e < 4; ++e)
      w.push_back(at<int8_t>(packed, s.pad_bytes() + 192 + 64 * i + e));
    return w;
  };
  using Quad = std::vector<int>;
  EXPECT_EQ(quad(0), (Quad{10, 20, 30, 40}));  // column 0: of the upper row, then the lower one
  EXPECT_EQ(quad(1), (Quad{0, 10, 20, 30}));
  EXPECT_EQ(quad(9), (Quad{4, 14, 24, 34}));
  EXPECT_EQ(quad(10), (Quad{0, 1, 2, 3}));  // the upper row's own row: pixel 0, then 1 to 3
  EXPECT_EQ(quad(11), (Quad{4, 0, 0, 0}));
  EXPECT_EQ(quad(16), (Quad{0, 0, 0, 0}));
  EXPECT_EQ(quad(17), (Quad{1, 2, 3, 4}));
  EXPECT_EQ(quad(22), (Quad{0, 0, 40, 41}));  // the lower row's: pixel 2
  EXPECT_EQ(quad(23), (Quad{42, 43, 44, 0}));
}

TEST(Packing, InterleavesKrAndPadsIt) {
  PackSpec s;
  s.packing = PackingId::kConvPanels;
  s.nr = 2;
  s.kr = 2;
  s.in_channels = s.pad_channels = 3;
  s.out_channels = 2;
  s.in_stride = 1;
  s.out_stride = 3;
  const float weights[] = {1, 2, 3, 4, 5, 6};
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights), nullptr, false, {}, packed);
  const float expected[] = {1, 2, 4, 5, 3, 0, 6, 0};
  EXPECT_EQ(std::memcmp(packed.data() + 64 + 8, expected, sizeof(expected)), 0);
}

// Two rows of a window of three taps with one channel: each row is one K of three, padded to four.
TEST(Packing, SegmentsSeeInt8AsUnsigned) {
  PackSpec s;
  s.packing = PackingId::kConvSegments;
  s.input = s.weights = DType::kI8;
  s.nr = 2;
  s.kr = 4;
  s.taps = 2;
  s.in_channels = 3;
  s.out_channels = 2;
  s.input_zero_point = -5;
  s.tap_stride = 3;
  s.in_stride = 1;
  s.out_stride = 6;
  const int8_t weights[] = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6};
  const int32_t bias[] = {100, 200};
  const float scales[] = {1, 1};
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights),
               reinterpret_cast<const std::byte*>(bias), false, scales, packed);
  EXPECT_EQ(at<int8_t>(packed, 0), -5);
  // The zero point of x + 128 is 123.
  EXPECT_EQ(at<int32_t>(packed, 64), 100 - 123 * 21);
  EXPECT_EQ(at<int32_t>(packed, 68), 200 + 123 * 21);
  const int8_t expected[] = {1, 2, 3, 0, -1, -2, -3, 0, 4, 5, 6, 0, -4, -5, -6, 0};
  EXPECT_EQ(std::memcmp(packed.data() + 80, expected, sizeof(expected)), 0);
}

// A channel's largest sum is 3 * 127 * 255 + 5 = 97160: calm, unless its scale is large.
TEST(Packing, PanelsOfSmallSumsAreCalm) {
  PackSpec s;
  s.packing = PackingId::kConvDots;
  s.input = s.weights = DType::kI8;
  s.nr = 2;
  s.kr = 4;
  s.in_channels = 3;
  s.out_channels = 4;
  s.input_zero_point = -128;
  s.out_stride = 3;
  const int8_t weights[] = {127, -127, 127, 1, 1, 1, 127, -127, 127, 1, 1, 1};
  const int32_t bias[] = {-5, 7, -5, 7};
  const float scales[] = {0.3f, 0.3f, 0.4f, 0.3f};
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights),
               reinterpret_cast<const std::byte*>(bias), false, scales, packed);
  EXPECT_EQ(flags_of(packed.data() + 64).calm, 1);
  EXPECT_EQ(at<int32_t>(packed, 64 + 16), -5 + 128 * 127 + kCalmBits);
  const int64_t second = 64 + s.panel_bytes();
  EXPECT_EQ(flags_of(packed.data() + second).calm, 0);
  EXPECT_EQ(at<int32_t>(packed, second + 16), -5 + 128 * 127);
}

// Two weights of -128 that are 8 k's apart may pass 16 bits together; others may not.
TEST(Packing, PanelsTellWhetherProductsFitInPairs) {
  for (const int32_t other : {7, 8, 9}) {
    PackSpec s;
    s.packing = PackingId::kConvMulls;
    s.input = s.weights = DType::kU8;
    s.nr = 4;
    s.kr = 16;
    s.in_channels = 32;
    s.out_channels = 1;
    s.weights_zero_point = 100;
    s.out_stride = 32;
    std::vector<uint8_t> weights(32, 1);
    weights[16 + 2] = weights[static_cast<size_t>(16 + 2 + other)] = 0;
    weights[0] = 255;  // does not fit 8 bits without the zero point
    const float scales[] = {1};
    std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
    pack_weights(s, reinterpret_cast<const std::byte*>(weights.data()), nullptr, false, scales,
                 packed);
    EXPECT_EQ(flags_of(packed.data() + 64).paired, other == 8 ? 0 : 1);
  }
}

// Unsigned weights that fit 8 bits without their zero point, and the four places of a channel whose
// products meet in 16 bits: k's that are 4 or 8 apart.
TEST(Packing, PanelsTellWhetherFourProductsFit) {
  struct Case {
    std::vector<size_t> at;  // of weights 64 above the zero point
    uint8_t other;
    int32_t centered, shared;
  };
  const Case cases[] = {{{2, 6, 10, 15}, 100, 1, 1}, {{2, 6, 10}, 100, 1, 1},
                        {{2, 6, 10, 14}, 100, 1, 0}, {{18, 22, 26, 30}, 100, 1, 0},
                        {{2, 6, 10, 30}, 100, 1, 1}, {{}, 228, 0, 0}};
  for (const Case& c : cases) {
    PackSpec s;
    s.packing = PackingId::kConvMulls;
    s.input = s.weights = DType::kU8;
    s.nr = 8;
    s.kr = 16;
    s.in_channels = 32;
    s.out_channels = 1;
    s.weights_zero_point = 100;
    s.out_stride = 32;
    std::vector<uint8_t> weights(32, c.other);
    for (const size_t k : c.at) weights[k] = 164;
    const float scales[] = {1};
    std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
    pack_weights(s, reinterpret_cast<const std::byte*>(weights.data()), nullptr, false, scales,
                 packed);
    const PanelFlags flags = flags_of(packed.data() + 64);
    EXPECT_EQ(flags.centered, c.centered);
    EXPECT_EQ(flags.shared, c.shared) << c.at.size();
  }
}

TEST(Packing, WideDepthwiseWeightsHaveNoZeroPoint) {
  PackSpec s;
  s.packing = PackingId::kDepthwiseWide;
  s.input = s.weights = DType::kU8;
  s.nr = 2;
  s.taps = 2;
  s.pad_channels = s.out_channels = 2;
  s.input_zero_point = 7;
  s.weights_zero_point = 130;
  s.tap_stride = 2;
  s.out_stride = 1;
  const uint8_t weights[] = {0, 255, 131, 130};
  const float scales[] = {1000, 1};
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights), nullptr, false, scales, packed);
  EXPECT_EQ(at<int32_t>(packed, 64 + 16), 7 * 129);
  EXPECT_EQ(at<int32_t>(packed, 64 + 20), -7 * 125);
  const int16_t expected[] = {-130, 125, 1, 0};
  EXPECT_EQ(std::memcmp(packed.data() + 64 + s.weights_offset(), expected, sizeof(expected)), 0);
}

// Where kConvMulls has k of channel n in a step of so many pairs: the one turn in which the pair
// is at a place of that channel, which are four apart.
int64_t turned_place(int64_t n, int64_t k, int64_t pairs) {
  const int64_t pair = k / 2;
  const int64_t turn = (pair + pairs - n % 4) % 4;
  const int64_t at = (pair + pairs - turn) % pairs;
  return (turn * 2 + n / 4) * 2 * pairs + 2 * at + k % 2;
}

// Whether all weights of a panel fit 8 bits without their zero point.
bool fits_centered(const PackSpec& s, const std::vector<std::byte>& weights, int32_t first) {
  for (int32_t o = first; o < std::min(first + s.nr, s.out_channels); ++o) {
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      for (int64_t k = 0; k < s.in_channels; ++k) {
        const int64_t at = tap * s.tap_stride + k * s.in_stride + o * s.out_stride;
        const int32_t w = static_cast<uint8_t>(weights[static_cast<size_t>(at)]);
        if (w - s.weights_zero_point < -128 || w - s.weights_zero_point > 127) return false;
      }
    }
  }
  return true;
}

// The layout's definition, element by element.
std::vector<std::byte> packed_simply(const PackSpec& whole, const std::vector<std::byte>& weights,
                                     const std::vector<uint32_t>& bias,
                                     const std::vector<float>& scales) {
  PackSpec s = whole;
  const auto size = static_cast<int64_t>(size_of(s.weights));
  const bool as_unsigned = s.packing == PackingId::kConvSegments && s.input == DType::kI8;
  const bool as_signed = s.packing == PackingId::kConvMulls && s.input == DType::kU8;
  const int32_t shift = as_unsigned ? 128 : (as_signed ? -128 : 0);
  const auto zx = static_cast<uint32_t>(s.input_zero_point + shift);
  const bool as_they_are = s.packing == PackingId::kConvDots;
  const int32_t usual = s.weights == DType::kU8 && !as_they_are ? 128 : 0;
  const int64_t bias_at = s.flagged() ? 16 : 0;
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  std::fill_n(packed.begin(), s.integer() ? s.pad_channels : 0,
              static_cast<std::byte>(s.input_zero_point));
  for (int32_t o = 0; o < s.out_channels; ++o) {
    const int32_t n = o % whole.nr;
    std::byte* panel = packed.data() + s.pad_bytes() + o / whole.nr * whole.panel_bytes();
    const bool tail = s.packing == PackingId::kConvHalfTails && s.out_channels - o + n <= 8;
    s.nr = tail ? 8 : whole.nr;
    s.kr = tail ? 2 : whole.kr;
    const bool centered = as_signed && fits_centered(whole, weights, o - n);
    const int32_t moved = centered ? s.weights_zero_point : usual;
    const int64_t padded_k = (s.in_channels + s.kr - 1) / s.kr * s.kr;
    uint32_t b = bias[static_cast<size_t>(o)];
    for (int32_t tap = 0; tap < s.taps; ++tap) {
      for (int64_t k = 0; k < s.in_channels; ++k) {
        const std::byte* from =
            weights.data() + (tap * s.tap_stride + k * s.in_stride + o * s.out_stride) * size;
        const bool half = k / s.kr == s.in_channels / s.kr && s.in_channels % s.kr <= s.kr / 2;
        const int64_t place = s.packing == PackingId::kConvMulls
                                  ? turned_place(n, k % s.kr, half ? 4 : 8)
                                  : n * s.kr + k % s.kr;
        std::byte* to = panel + s.weights_offset() +
                        (tap * padded_k * s.nr + k / s.kr * s.kr * s.nr + place) * size;
        std::memcpy(to, from, static_cast<size_t>(size));
        if (!s.integer()) continue;
        const int32_t w =
            (s.weights == DType::kU8 ? static_cast<uint8_t>(*from) : static_cast<int8_t>(*from)) -
            moved;
        *to = static_cast<std::byte>(w);
        b -= zx * static_cast<uint32_t>(w - (s.weights_zero_point - moved));
      }
    }
    std::memcpy(panel + bias_at + 4 * n, &b, 4);
    if (s.integer())
      std::memcpy(panel + bias_at + 4 * (s.nr + n), &scales[static_cast<size_t>(o)], 4);
  }
  return packed;
}

// The layout of every kernel that has panels of [taps][k][nr][kr], with weights as models have
// them: channels last [O,taps,I], in the middle [taps,I,O], and with gaps between channels, as a
// part of a larger kernel has them.
TEST(Packing, EveryLayoutIsAsDefined) {
  std::minstd_rand random(7);
  struct Case {
    int32_t taps, in_channels, out_channels;
    bool out_last;
    int32_t gap;
  };
  const Case cases[] = {{1, 1, 1, false, 0},   {9, 1, 37, true, 0}, {9, 3, 17, false, 0},
                        {4, 70, 33, false, 0}, {1, 67, 5, true, 0}, {3, 129, 16, false, 5}};
  for (const KernelDesc& kernel : kernel_catalog()) {
    if (kernel.packing == PackingId::kNone) continue;
    for (const Case& c : cases) {
      PackSpec s;
      s.packing = kernel.packing;
      if (s.dot() || s.wide() || s.quads()) continue;       // checked by hand, above
      if (s.packing == PackingId::kConvWinograd) continue;  // by what its kernel computes
      s.input = kernel.input;
      s.weights = kernel.weights;
      s.nr = kernel.nr;
      s.kr = kernel.kr;
      s.taps = c.taps;
      s.in_channels = kernel.cls == KernelClass::kDepthwise ? 1 : c.in_channels;
      s.out_channels = c.out_channels;
      s.pad_channels = c.in_channels;
      s.input_zero_point = kernel.input == DType::kU8 ? 131 : -11;
      s.weights_zero_point = kernel.weights == DType::kU8 ? 120 : 0;
      s.in_stride = c.out_last ? s.out_channels : 1;
      s.tap_stride = s.in_stride * s.in_channels + c.gap;
      s.out_stride = c.out_last ? 1 : s.taps * s.tap_stride + c.gap;
      const int64_t count = s.taps * s.tap_stride + s.out_channels * s.out_stride;
      std::vector<std::byte> weights(static_cast<size_t>(count) * size_of(s.weights));
      for (std::byte& w : weights) w = static_cast<std::byte>(random());
      std::vector<uint32_t> bias;
      std::vector<float> scales;
      for (int32_t o = 0; o < s.out_channels; ++o) {
        bias.push_back(static_cast<uint32_t>(random()));
        scales.push_back(static_cast<float>(o) + 0.5f);
      }
      std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
      pack_weights(s, weights.data(), reinterpret_cast<const std::byte*>(bias.data()), false,
                   scales, packed);
      // Flags have a test of their own.
      for (int64_t at = s.pad_bytes(); s.flagged() && at < s.total_bytes(); at += s.panel_bytes())
        std::memset(packed.data() + at, 0, sizeof(PanelFlags));
      EXPECT_EQ(packed, packed_simply(s, weights, bias, scales)) << kernel.name << " " << s.key();
    }
  }
}

TEST(Packing, KeysTellLayoutsApart) {
  PackSpec a, b;
  b.nr = 16;
  EXPECT_NE(a.key(), b.key());
  b = a;
  b.input_zero_point = 1;
  EXPECT_NE(a.key(), b.key());
  b = a;
  EXPECT_EQ(a.key(), b.key());
}

}  // namespace
}  // namespace pj
