#include "kernels/packing/packing.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

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
