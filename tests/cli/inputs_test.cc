// Pictures, values, tables and suggestions, without the tool around them.
#include "cli/inputs.h"

#include <gmock/gmock.h>

#include <cmath>

#include "cli/errors.h"
#include "cli/jpeg_check.h"
#include "cli/table.h"
#include "cli/values.h"

namespace pj::cli {
namespace {

using ::testing::ElementsAre;

Tensor tensor(DType dtype, Shape shape, Quantization quant = {}) {
  Tensor t;
  t.name = "x";
  t.dtype = dtype;
  t.shape = shape;
  t.quant = std::move(quant);
  return t;
}

std::vector<double> encoded(const Tensor& t, const PictureOptions& options,
                            std::vector<uint8_t> pixels, int channels) {
  std::vector<std::byte> out(pixels.size() * size_of(t.dtype));
  encode_pixels(t, options, pixels, channels, out);
  Tensor raw = t;
  raw.quant = {};
  return real_values(raw, out);
}

TEST(Pixels, TheirDefaultsDependOnTheType) {
  const Shape shape{1, 1, 3, 1};
  const Quantization quant{{1.0f / 255}, {-128}, 0};
  EXPECT_THAT(encoded(tensor(DType::kI8, shape, quant), {}, {0, 128, 255}, 1),
              ElementsAre(-128, 0, 127));
  EXPECT_THAT(encoded(tensor(DType::kU8, shape, {{0.5f}, {3}, 0}), {}, {0, 128, 255}, 1),
              ElementsAre(0, 128, 255));
  EXPECT_THAT(encoded(tensor(DType::kF32, shape), {}, {0, 255, 51}, 1),
              ElementsAre(-1, 1, static_cast<double>(-0.6f)));
  EXPECT_THAT(encoded(tensor(DType::kF16, shape), {}, {0, 255, 255}, 1), ElementsAre(-1, 1, 1));
  EXPECT_THROW(encoded(tensor(DType::kI32, shape), {}, {1, 2, 3}, 1), Failure);
}

TEST(Pixels, MeanAndStdGiveRealValuesThatAreQuantised) {
  const Shape shape{1, 1, 2, 3};
  PictureOptions options;
  options.mean = {10, 20, 30};
  options.std = {2};
  EXPECT_THAT(encoded(tensor(DType::kF32, shape), options, {10, 22, 34, 0, 0, 0}, 3),
              ElementsAre(0, 1, 2, -5, -10, -15));
  // q = real / 0.5 + 1, saturated.
  EXPECT_THAT(
      encoded(tensor(DType::kI8, shape, {{0.5f}, {1}, 0}), options, {10, 22, 255, 0, 255, 0}, 3),
      ElementsAre(1, 3, 127, -9, 127, -29));
  EXPECT_THROW(encoded(tensor(DType::kI8, shape), options, {1, 2, 3, 4, 5, 6}, 3), Failure);
  options.mean = {1, 2};
  EXPECT_THROW(encoded(tensor(DType::kF32, shape), options, {1, 2, 3, 4, 5, 6}, 3), Failure);
}

TEST(Pixels, PlanesAreFilledOneAfterTheOther) {
  EXPECT_THAT(encoded(tensor(DType::kU8, {1, 3, 1, 2}), {}, {1, 2, 3, 4, 5, 6}, 3),
              ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Pixels, LayoutsThatHoldPictures) {
  EXPECT_EQ(picture_layout({1, 4, 5, 3})->width, 5);
  EXPECT_FALSE(picture_layout({1, 4, 5, 3})->planes);
  EXPECT_TRUE(picture_layout({1, 3, 4, 5})->planes);
  EXPECT_EQ(picture_layout({4, 5, 1})->height, 4);
  EXPECT_TRUE(picture_layout({kUnknownDim, kUnknownDim, kUnknownDim, 3}));
  EXPECT_FALSE(picture_layout({2, 4, 5, 3}));
  EXPECT_FALSE(picture_layout({1, 4, 5, 2}));
  EXPECT_FALSE(picture_layout({1, 1960}));
}

TEST(Pictures, ResizeInterpolatesBetweenPixelCentres) {
  // Doubling: centres at 0.25 and 0.75 of the pixels' distance; ends repeat.
  const Picture row{1, 2, 1, {0, 100}};
  EXPECT_THAT(resize(row, 1, 4).pixels, ElementsAre(0, 25, 75, 100));
  // Halving: weights 1, 3, 3, 1 over eight around each centre, cut and renormalised at the ends.
  const Picture ramp{1, 4, 1, {0, 70, 140, 210}};
  EXPECT_THAT(resize(ramp, 1, 2).pixels, ElementsAre(50, 160));
  const Picture column{2, 1, 1, {0, 100}};
  EXPECT_THAT(resize(column, 4, 1).pixels, ElementsAre(0, 25, 75, 100));
  const Picture flat{3, 5, 3, std::vector<uint8_t>(45, 77)};
  EXPECT_THAT(resize(flat, 7, 2).pixels, ::testing::Each(77));
}

TEST(Pictures, CropKeepsTheCentreAndTheShape) {
  Picture wide{4, 8, 1, {}};
  for (uint8_t i = 0; i < 32; ++i) wide.pixels.push_back(i);
  const Picture whole = crop_center(wide, 1, 2, 2);  // the largest square
  EXPECT_EQ(whole.width, 4);
  EXPECT_EQ(whole.height, 4);
  EXPECT_EQ(whole.pixels[0], 2);
  const Picture half = crop_center(wide, 0.5, 1, 1);
  EXPECT_THAT(half.pixels, ElementsAre(11, 12, 19, 20));
  EXPECT_EQ(crop_center(wide, 0.01, 1, 1).pixels.size(), 1u);
}

// A marker, a length of 2 + 17 + codes, table 0 with `codes` codes of up to 16 bits, their values.
std::vector<std::byte> huffman_segment(int table, int codes) {
  std::vector<int> values{0xff, 0xd8, 0xff, 0xc4, (19 + codes) >> 8, (19 + codes) & 0xff, table};
  for (int i = 0; i < 16; ++i) values.push_back(i < 14 ? 0 : (codes + (i & 1)) / 2);
  values.insert(values.end(), static_cast<size_t>(codes), 7);
  std::vector<std::byte> bytes;
  for (int v : values) bytes.push_back(static_cast<std::byte>(v));
  return bytes;
}

TEST(Pictures, OversizedHuffmanTablesAreFound) {
  EXPECT_FALSE(has_oversized_huffman_table(huffman_segment(0, 256)));
  EXPECT_TRUE(has_oversized_huffman_table(huffman_segment(0, 257)));
  EXPECT_TRUE(has_oversized_huffman_table(huffman_segment(0x13, 400)));
  EXPECT_FALSE(has_oversized_huffman_table(huffman_segment(0x20, 400)));  // refused by itself
  // The second table of a segment, cut off behind its counts.
  std::vector<std::byte> two = huffman_segment(0, 10);
  two[5] = std::byte{200};
  const std::vector<std::byte> second = huffman_segment(1, 300);
  two.insert(two.end(), second.begin() + 6, second.begin() + 23);
  EXPECT_TRUE(has_oversized_huffman_table(two));
  two.erase(two.end() - 2, two.end());  // what is missing counts as zero
  EXPECT_FALSE(has_oversized_huffman_table(two));
  EXPECT_FALSE(has_oversized_huffman_table({}));
}

TEST(Values, RealValuesAreDequantised) {
  const int8_t raw[] = {-1, 0, 3, 4};
  EXPECT_THAT(real_values(tensor(DType::kI8, {4}, {{0.5f}, {1}, 0}), std::as_bytes(std::span(raw))),
              ElementsAre(-1, -0.5, 1, 1.5));
  const Quantization channels{{1, 10}, {0, 1}, 1};
  EXPECT_THAT(real_values(tensor(DType::kI8, {2, 2}, channels), std::as_bytes(std::span(raw))),
              ElementsAre(-1, -10, 3, 30));
}

TEST(Values, OrderOfClasses) {
  const double nan = std::nan("");
  const double values[] = {nan, 2, 7, 7, -1};
  EXPECT_THAT(top_k(values, 9), ElementsAre(2, 3, 1, 4, 0));
  EXPECT_THAT(top_k(values, 2), ElementsAre(2, 3));
}

TEST(Values, NaNAndInfinityEncodeWithinTheRange) {
  const Tensor t = tensor(DType::kU8, {1}, {{0.5f}, {4}, 0});
  auto encode = [&](double real) {
    std::byte b{};
    encode_real(t, real, &b);
    return std::to_integer<int>(b);
  };
  EXPECT_EQ(encode(INFINITY), 255);
  EXPECT_EQ(encode(-INFINITY), 0);
  EXPECT_EQ(encode(std::nan("")), 0);
  EXPECT_EQ(encode(1.25), 6);  // 2.5 to the even 2, plus 4
}

TEST(Tables, AlignByCodePoints) {
  Table table({{"name", false}, {"n", true}});
  table.add({"µs", "1"});
  table.add({"longer", "10"});
  EXPECT_EQ(table.to_string(1), " name     n\n µs       1\n longer  10\n");
}

TEST(Tables, NumbersAndNames) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1234), "1.23 kB");
  EXPECT_EQ(bytes_text(999'999), "1.00 MB");
  EXPECT_EQ(count_text(300'800'000), "301 M");
  EXPECT_EQ(count_text(12), "12");
  EXPECT_EQ(shorten("abcdefgh", 5), "..fgh");
  EXPECT_EQ(shorten("abc", 5), "abc");
}

TEST(Messages, SuggestOnlyWhatIsClose) {
  const std::vector<std::string> names{"--threads", "--isa", "--runs"};
  EXPECT_EQ(did_you_mean("--thread", names), "; did you mean '--threads'?");
  EXPECT_EQ(did_you_mean("--rnus", names), "; did you mean '--runs'?");
  EXPECT_EQ(did_you_mean("--sia", names), "; did you mean '--isa'?");
  EXPECT_EQ(did_you_mean("--something", names), "");
  EXPECT_EQ(did_you_mean("", names), "");
}

TEST(Messages, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31m\n\x7f"), "a?[31m??");
  EXPECT_EQ(printable("\xc2\x9b\xc3\xa9"), "??\xc3\xa9");
}

}  // namespace
}  // namespace pj::cli
