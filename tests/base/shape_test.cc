#include "runtime/base/shape.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/base/op_params.h"
#include "runtime/base/strided_slice.h"

namespace pj {
namespace {

TEST(Dims, AreListsOfTheirEntries) {
  Dims d = {1, 2, 3};
  EXPECT_EQ(d.rank(), 3);
  EXPECT_EQ(d.back(0), 3);
  EXPECT_EQ(d.back(2), 1);
  d.push_back(4);
  EXPECT_EQ(d, (Dims{1, 2, 3, 4}));
  EXPECT_FALSE(d == (Dims{1, 2, 3}));
  // What stands behind the entries does not matter.
  d.count = 3;
  EXPECT_EQ(d, (Dims{1, 2, 3}));
  EXPECT_EQ(Dims::filled(2, 7), (Dims{7, 7}));
  EXPECT_TRUE(Dims{}.empty());
}

TEST(ElementCount, OfStaticShapes) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({2, 0, 4}), 0);
  EXPECT_EQ(element_count({2, -1}), std::nullopt);
}

TEST(ElementCount, StopsAt2To40) {
  EXPECT_EQ(element_count({1 << 20, 1 << 20}), int64_t{1} << 40);
  EXPECT_EQ(element_count({1 << 20, 1 << 20, 2}), std::nullopt);
  EXPECT_EQ(element_count(Dims::filled(8, INT32_MAX)), std::nullopt);
  // A factor of 0 does not hide an overflow before it or after it.
  EXPECT_EQ(element_count({0, INT32_MAX, INT32_MAX, INT32_MAX}), std::nullopt);
  EXPECT_EQ(element_count({INT32_MAX, INT32_MAX, INT32_MAX, 0}), std::nullopt);
}

TEST(Elements, OfPartsOfAShape) {
  EXPECT_EQ(elements({2, 3, 4}), 24);
  EXPECT_EQ(elements({2, 3, 4}, 1, 3), 12);
  EXPECT_EQ(elements({2, 3, 4}, 1, 1), 1);
}

TEST(Shape, PrintsItself) {
  EXPECT_EQ(to_string(Shape{}), "scalar");
  EXPECT_EQ(to_string(Shape{1, 224, 3}), "1x224x3");
  EXPECT_EQ(to_string(Shape{-1, 0}), "?x0");
}

TEST(Shape, IsStaticWithoutUnknownDimensions) {
  EXPECT_TRUE(is_static({}));
  EXPECT_TRUE(is_static({1, 0}));
  EXPECT_FALSE(is_static({1, kUnknownDim}));
}

Padding same(int32_t in, int32_t kernel, int32_t stride, int32_t dilation) {
  Padding p;
  p.mode = PadMode::kSame;
  return resolve_padding(p, in, 1, kernel, 1, stride, 1, dilation, 1);
}

// SAME: ceil(in / stride) outputs; the total is what the last window lacks, the odd one at the end.
TEST(ResolvePadding, Same) {
  EXPECT_EQ(same(224, 3, 2, 1).top, 0);
  EXPECT_EQ(same(224, 3, 2, 1).bottom, 1);
  EXPECT_EQ(same(225, 3, 2, 1).top, 1);
  EXPECT_EQ(same(225, 3, 2, 1).bottom, 1);
  EXPECT_EQ(same(7, 5, 1, 1).top, 2);
  EXPECT_EQ(same(7, 3, 1, 4).top, 4);
  EXPECT_EQ(same(7, 4, 1, 1).top, 1);
  EXPECT_EQ(same(7, 4, 1, 1).bottom, 2);
  // The stride is larger than the window: nothing is lacking.
  EXPECT_EQ(same(8, 1, 2, 1).top, 0);
  EXPECT_EQ(same(8, 1, 2, 1).bottom, 0);
}

TEST(ResolvePadding, OtherModes) {
  const Padding p{PadMode::kExplicit, 1, 2, 3, 4};
  const Padding r = resolve_padding(p, 8, 8, 3, 3, 1, 1);
  EXPECT_EQ(r.top, 1);
  EXPECT_EQ(r.bottom, 2);
  EXPECT_EQ(r.left, 3);
  EXPECT_EQ(r.right, 4);
  Padding valid = p;
  valid.mode = PadMode::kValid;
  const Padding none = resolve_padding(valid, 8, 8, 3, 3, 1, 1);
  EXPECT_EQ(none.mode, PadMode::kExplicit);
  EXPECT_EQ(none.top + none.bottom + none.left + none.right, 0);
}

// Against Python's rule for every begin, end and stride around a list of 4.
TEST(StridedSlice, SelectsWhatPythonSelects) {
  constexpr int32_t n = 4;
  auto wrapped = [](int32_t i, int32_t low, int32_t high) {
    if (i < 0) i += n;
    return std::min(std::max(i, low), high);
  };
  for (int32_t begin = -6; begin <= 6; ++begin) {
    for (int32_t end = -6; end <= 6; ++end) {
      for (int32_t stride : {-3, -2, -1, 1, 2, 3}) {
        const int32_t low = stride > 0 ? 0 : -1, high = stride > 0 ? n : n - 1;
        const int32_t first = wrapped(begin, low, high), last = wrapped(end, low, high);
        int32_t count = 0;
        for (int32_t i = first; stride > 0 ? i < last : i > last; i += stride) ++count;
        const auto plan = resolve_strided_slice({n}, {{begin}, {end}, {stride}, 0, 0, 0, 0});
        ASSERT_TRUE(plan);
        EXPECT_EQ(plan->ranges[0].size, count) << begin << ":" << end << ":" << stride;
        if (count > 0) {
          EXPECT_EQ(plan->ranges[0].begin, first);
        }
        EXPECT_EQ(plan->ranges[0].stride, stride);
      }
    }
  }
}

}  // namespace
}  // namespace pj
