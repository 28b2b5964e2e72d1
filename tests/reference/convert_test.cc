// Operators between types and sizes: Quantize, Dequantize, Cast, Resize; and the frame itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "kernels/common/resize_axis.h"
#include "tests/reference/operands.h"

namespace pj::math_test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

TEST(Quantize, RoundsToEvenAndSaturates) {
  const Operand x = in<float>({8}, {0.25f, 0.75f, 1.25f, -0.25f, 1e9f, -kInfinity, kNan, 0.3f});
  EXPECT_THAT(compute<int8_t>(OpKind::kQuantize, NoParams{}, {x}, {8}, {0.5f, 1}),
              ElementsAre(1, 3, 3, 1, 127, -128, -128, 2));
  EXPECT_THAT(compute<uint8_t>(OpKind::kQuantize, NoParams{}, {x}, {8}, {0.5f, 128}),
              ElementsAre(128, 130, 130, 128, 255, 0, 0, 129));
  EXPECT_THAT(compute<int16_t>(OpKind::kQuantize, NoParams{}, {x}, {8}, {0.5f, 0}),
              ElementsAre(0, 2, 2, 0, 32767, -32768, -32768, 1));
}

TEST(Quantize, SameScaleFlipsTheTopBitExactly) {
  std::vector<int8_t> x;
  std::vector<uint8_t> expected;
  for (int i = -128; i < 128; ++i) {
    x.push_back(static_cast<int8_t>(i));
    expected.push_back(static_cast<uint8_t>(i + 128));
  }
  const Operand stored = in<int8_t>({256}, x, {0.0123f, -5});
  EXPECT_EQ(compute<uint8_t>(OpKind::kQuantize, NoParams{}, {stored}, {256}, {0.0123f, 123}),
            expected);
}

TEST(Quantize, RequantisesInFixedPoint) {
  // Ratio 0.5: halves upwards. Ratio 0.3: multiplier round(76.8) = 77: 100 * 77 / 256 = 30.08.
  EXPECT_THAT(compute<int8_t>(OpKind::kQuantize, NoParams{},
                              {in<int8_t>({4}, {1, -1, 3, -3}, {0.5f, 0})}, {4}, {1, 0}),
              ElementsAre(1, 0, 2, -1));
  EXPECT_THAT(compute<int8_t>(OpKind::kQuantize, NoParams{},
                              {in<int8_t>({2}, {100, -100}, {0.3f, 0})}, {2}, {1, 5}),
              ElementsAre(35, -25));
}

TEST(Quantize, BetweenTypesAndExtremeRatios) {
  EXPECT_THAT(compute<int8_t>(OpKind::kQuantize, NoParams{},
                              {in<int16_t>({3}, {32767, 300, -32768}, {0.01f, 0})}, {3}, {1, 0}),
              ElementsAre(127, 3, -128));
  EXPECT_THAT(compute<int8_t>(OpKind::kQuantize, NoParams{},
                              {in<int8_t>({3}, {1, 0, -1}, {1e20f, 0})}, {3}, {1e-20f, 0}),
              ElementsAre(127, 0, -128));
}

TEST(Dequantize, PerTensorAndPerChannel) {
  EXPECT_THAT(compute<float>(OpKind::kDequantize, NoParams{},
                             {in<uint8_t>({2}, {0, 255}, {0.5f, 128})}, {2}),
              ElementsAre(-64, 63.5f));
  Operand x = in<int8_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  x.per_channel({1, 10}, 1);
  EXPECT_THAT(compute<float>(OpKind::kDequantize, NoParams{}, {x}, {2, 2, 2}),
              ElementsAre(1, 2, 30, 40, 5, 6, 70, 80));
  EXPECT_THAT(compute<float>(OpKind::kDequantize, NoParams{},
                             {in<Half>({2}, {to_half(0.5f), to_half(-65504.0f)})}, {2}),
              ElementsAre(0.5f, -65504));
  EXPECT_THAT(compute<float>(OpKind::kDequantize, NoParams{},
                             {in<int32_t>({1}, {std::numeric_limits<int32_t>::min()},
                                          {1, std::numeric_limits<int32_t>::max()})},
                             {1}),
              ElementsAre(-0x1p32f));
}

TEST(Cast, FloatsToIntegersTruncateAndSaturate) {
  const Operand x = in<float>({6}, {1.9f, -1.9f, 300, -300, kNan, kInfinity});
  EXPECT_THAT(compute<int8_t>(OpKind::kCast, NoParams{}, {x}, {6}),
              ElementsAre(1, -1, 127, -128, 0, 127));
  EXPECT_THAT(compute<uint8_t>(OpKind::kCast, NoParams{}, {x}, {6}),
              ElementsAre(1, 0, 255, 0, 0, 255));
  EXPECT_THAT(
      compute<int64_t>(OpKind::kCast, NoParams{}, {in<float>({2}, {1e30f, -1e30f})}, {2}),
      ElementsAre(std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()));
  EXPECT_THAT(compute<int32_t>(OpKind::kCast, NoParams{},
                               {in<float>({2}, {2147483648.0f, 2147483520.0f})}, {2}),
              ElementsAre(std::numeric_limits<int32_t>::max(), 2147483520));
}

TEST(Cast, IntegersWrapAndWiden) {
  const Operand x = in<int32_t>({3}, {300, -1, 65536 + 7});
  EXPECT_THAT(compute<uint8_t>(OpKind::kCast, NoParams{}, {x}, {3}), ElementsAre(44, 255, 7));
  EXPECT_THAT(compute<int16_t>(OpKind::kCast, NoParams{}, {x}, {3}), ElementsAre(300, -1, 7));
  EXPECT_THAT(compute<int64_t>(OpKind::kCast, NoParams{}, {x}, {3}), ElementsAre(300, -1, 65543));
  EXPECT_THAT(compute<float>(OpKind::kCast, NoParams{}, {x}, {3}), ElementsAre(300, -1, 65543));
}

TEST(Cast, HalvesAndBools) {
  const auto half = compute<Half>(OpKind::kCast, NoParams{}, {in<float>({2}, {0.5f, 1e6f})}, {2});
  EXPECT_EQ(half[0].bits, 0x3800);
  EXPECT_EQ(half[1].bits, 0x7c00);
  EXPECT_THAT(compute<int32_t>(OpKind::kCast, NoParams{}, {in<Half>({1}, {to_half(-7.5f)})}, {1}),
              ElementsAre(-7));
  EXPECT_THAT(compute_bools(OpKind::kCast, NoParams{}, {in<float>({3}, {0, 0.1f, kNan})}, {3}),
              ElementsAre(0, 1, 1));
  EXPECT_THAT(compute<float>(OpKind::kCast, NoParams{}, {bools({2}, {0, 200})}, {2}),
              ElementsAre(0, 1));
}

ResizeParams resize(ResizeFn fn, bool align_corners = false, bool half_pixel = false) {
  ResizeParams p;
  p.fn = fn;
  p.align_corners = align_corners;
  p.half_pixel = half_pixel;
  return p;
}
std::vector<float> resize_row(const ResizeParams& p, std::vector<float> row, int32_t width) {
  const auto in_width = static_cast<int32_t>(row.size());
  return compute<float>(OpKind::kResize, p, {in<float>({1, 1, in_width, 1}, row)},
                        {1, 1, width, 1});
}

TEST(Resize, BilinearCoordinates) {
  EXPECT_THAT(resize_row(resize(ResizeFn::kBilinear), {0, 10}, 4), ElementsAre(0, 5, 10, 10));
  EXPECT_THAT(resize_row(resize(ResizeFn::kBilinear, true), {0, 10}, 3), ElementsAre(0, 5, 10));
  EXPECT_THAT(resize_row(resize(ResizeFn::kBilinear, false, true), {0, 10}, 4),
              ElementsAre(0, 2.5f, 7.5f, 10));
  EXPECT_THAT(resize_row(resize(ResizeFn::kBilinear, true), {4, 10}, 1), ElementsAre(4));
}

TEST(Resize, BilinearInBothDirectionsAndChannels) {
  const auto y = compute<float>(OpKind::kResize, resize(ResizeFn::kBilinear, true),
                                {in<float>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})}, {1, 3, 3, 2});
  EXPECT_THAT(y, ElementsAre(0, 1, 1, 2, 2, 3, 2, 3, 3, 4, 4, 5, 4, 5, 5, 6, 6, 7));
}

TEST(Resize, BilinearOn8BitsRounds) {
  const Q q{0.1f, 7};
  EXPECT_THAT(compute<int8_t>(OpKind::kResize, resize(ResizeFn::kBilinear, false, true),
                              {in<int8_t>({1, 1, 2, 1}, {0, 5}, q)}, {1, 1, 4, 1}, q),
              ElementsAre(0, 1, 4, 5));
  EXPECT_THAT(compute<int8_t>(OpKind::kResize, resize(ResizeFn::kBilinear, true),
                              {in<int8_t>({1, 1, 2, 1}, {-128, 127}, q)}, {1, 1, 3, 1}, q),
              ElementsAre(-128, 0, 127));  // -0.5 rounds up
  EXPECT_THAT(compute<uint8_t>(OpKind::kResize, resize(ResizeFn::kBilinear),
                               {in<uint8_t>({1, 2, 1, 1}, {255, 255}, q)}, {1, 3, 1, 1}, q),
              ElementsAre(255, 255, 255));
}

TEST(Resize, NearestCoordinates) {
  EXPECT_THAT(resize_row(resize(ResizeFn::kNearest), {1, 2, 3}, 2), ElementsAre(1, 2));
  EXPECT_THAT(resize_row(resize(ResizeFn::kNearest, false, true), {1, 2, 3}, 2), ElementsAre(1, 3));
  EXPECT_THAT(resize_row(resize(ResizeFn::kNearest, true), {1, 2, 3}, 4), ElementsAre(1, 2, 2, 3));
  EXPECT_THAT(resize_row(resize(ResizeFn::kNearest), {1, 2}, 4), ElementsAre(1, 1, 2, 2));
}

// Behind 2^24 not every index is a float.
TEST(Resize, IndicesStayInsideLongDimensions) {
  for (const int32_t in : {(1 << 24) + 4, (1 << 30) + 65, INT32_MAX}) {
    for (const int32_t out : {1, 3, in}) {
      for (const auto& a : {resize(ResizeFn::kNearest), resize(ResizeFn::kNearest, true),
                            resize(ResizeFn::kNearest, false, true)}) {
        const ResizeAxis axis(in, out, a);
        for (const int32_t o : {0, out / 2, out - 1}) {
          SCOPED_TRACE(::testing::Message() << o << " of " << out << " from " << in);
          const ResizeAxis::Between b = axis.between(o);
          for (const int32_t i : {axis.nearest(o), b.first, b.second}) {
            EXPECT_GE(i, 0);
            EXPECT_LT(i, in);
          }
        }
      }
    }
  }
}
TEST(Resize, NearestCopiesAnyType) {
  EXPECT_THAT(compute<int64_t>(OpKind::kResize, resize(ResizeFn::kNearest),
                               {in<int64_t>({1, 1, 1, 2}, {7, -9})}, {1, 2, 1, 2}),
              ElementsAre(7, -9, 7, -9));
}

TEST(Reference, EveryOperatorHasAKernel) {
  for (int i = 0; i < kOpKindCount; ++i)
    EXPECT_NE(reference_kernel(static_cast<OpKind>(i)), nullptr) << i;
}

TEST(Reference, ParamsSurviveTheBlock) {
  const std::vector<float> scales = {1, 2, 3};
  OperandDesc x, w, y;
  x.dtype = DType::kI8;
  x.shape = {1, 2, 3};
  x.scale = 0.5f;
  x.zero_point = -7;
  w.channel_scales = scales;
  w.channel_axis = 2;
  y.present = false;
  Conv2DParams conv;
  conv.stride_w = 9;
  const OperandDesc inputs[] = {x, w}, outputs[] = {y};
  const std::vector<std::byte> block = make_reference_params(conv, inputs, outputs);
  const ReferenceParams p(block.data());
  EXPECT_EQ(p.as<Conv2DParams>().stride_w, 9);
  EXPECT_EQ(p.input_count(), 2);
  EXPECT_EQ(p.output_count(), 1);
  EXPECT_EQ(p.input(0).shape, x.shape);
  EXPECT_EQ(p.input(0).scale, 0.5f);
  EXPECT_EQ(p.input(0).zero_point, -7);
  EXPECT_TRUE(p.input(0).channel_scales.empty());
  EXPECT_THAT(
      std::vector<float>(p.input(1).channel_scales.begin(), p.input(1).channel_scales.end()),
      ElementsAre(1, 2, 3));
  EXPECT_EQ(p.input(1).channel_axis, 2);
  EXPECT_FALSE(p.output(0).present);
}

}  // namespace
}  // namespace pj::math_test
