#include "kernels/packing/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/common/calm_sums.h"
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

// A window is one run of k's, filled up to a multiple of kWindowUnit.
TEST(Packing, ConvWindowsOfInt8) {
  PackSpec s;
  s.packing = PackingId::kConvWindows;
  s.input = s.weights = DType::kI8;
  s.nr = s.kr = 2;
  s.in_channels = 9;
  s.out_channels = 2;
  s.out_stride = 9;
  const int8_t weights[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -2, -3, -4, -5, -6, -7, -8, -9};
  const float scales[] = {1, 1};
  static_assert(kWindowUnit == 8);
  std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
  pack_weights(s, reinterpret_cast<const std::byte*>(weights), nullptr, false, scales, packed);
  const int8_t expected[32] = {1, 2, -1, -2, 3, 4, -3, -4, 5, 6, -5, -6, 7, 8, -7, -8, 9, 0, -9};
  EXPECT_EQ(std::memcmp(packed.data() + 64 + s.weights_offset(), expected, sizeof(expected)), 0);
  EXPECT_EQ(s.panel_bytes(), 64);
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
    const float scales[] = {1};
    std::vector<std::byte> packed(static_cast<size_t>(s.total_bytes()));
    pack_weights(s, reinterpret_cast<const std::byte*>(weights.data()), nullptr, false, scales,
                 packed);
    EXPECT_EQ(flags_of(packed.data() + 64).paired, other == 8 ? 0 : 1);
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
  const int32_t moved = s.weights == DType::kU8 && !as_they_are ? 128 : 0;
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
    const int64_t unit = s.packing == PackingId::kConvWindows ? kWindowUnit : s.kr;
    const int64_t padded_k = (s.in_channels + unit - 1) / unit * unit;
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
      if (s.dot() || s.wide()) continue;  // checked by hand, above
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
