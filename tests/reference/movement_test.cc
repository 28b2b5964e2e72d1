// Operators that move data, against definitions written as loops over single indices, and against
// small cases by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <vector>

#include "kernels/reference/reference.h"

namespace pj {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

template <typename T>
struct Operand {
  Shape shape;
  std::vector<T> values;
  float scale = 0;
  int32_t zero_point = 0;
};

template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kF16;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kI8;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kU8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kI16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kI64;
}

template <typename T>
OperandDesc describe(const Operand<T>& o) {
  OperandDesc d;
  d.dtype = dtype_of<T>();
  d.shape = o.shape;
  d.scale = o.scale;
  d.zero_point = o.zero_point;
  return d;
}

// Collects operands of any types and runs the kernel. Buffers are as long as the shapes say, so
// that the address sanitizer sees any step outside.
class Call {
 public:
  Call(OpKind kind, OpParams params) : kind_(kind), params_(params) {}

  template <typename T>
  Call& in(const Operand<T>& o) {
    inputs_.push_back(describe(o));
    const auto bytes = std::as_bytes(std::span(o.values));
    storage_.emplace_back(bytes.begin(), bytes.end());
    return *this;
  }
  Call& absent() {
    inputs_.emplace_back();
    inputs_.back().present = false;
    storage_.emplace_back();
    return *this;
  }
  template <typename T>
  std::vector<std::vector<T>> run_all(const std::vector<Operand<T>>& outputs) {
    std::vector<OperandDesc> descs;
    std::vector<std::vector<T>> results;
    for (const Operand<T>& o : outputs) {
      descs.push_back(describe(o));
      results.emplace_back(static_cast<size_t>(elements(o.shape)), T(99));
    }
    std::vector<const std::byte*> in_data;
    for (const auto& s : storage_) in_data.push_back(s.empty() ? nullptr : s.data());
    std::vector<std::byte*> out_data;
    for (auto& r : results) out_data.push_back(reinterpret_cast<std::byte*>(r.data()));
    run_reference(kind_, params_, inputs_, in_data, descs, out_data);
    return results;
  }
  template <typename T>
  std::vector<T> run(const Shape& output, float scale = 0, int32_t zero_point = 0) {
    return run_all<T>(std::vector<Operand<T>>{{output, {}, scale, zero_point}})[0];
  }

 private:
  OpKind kind_;
  OpParams params_;
  std::vector<OperandDesc> inputs_;
  std::vector<std::vector<std::byte>> storage_;
};

// 0, 1, 2, ... in the given shape.
template <typename T>
Operand<T> counted(const Shape& shape) {
  std::vector<T> v(static_cast<size_t>(elements(shape)));
  std::iota(v.begin(), v.end(), T{});
  return {shape, v};
}

// Position of an element in C order, and its inverse.
int64_t place(const Shape& shape, const Dims& index) {
  int64_t p = 0;
  for (int32_t i = 0; i < shape.rank(); ++i) p = p * shape[i] + index[i];
  return p;
}
Dims index_of(const Shape& shape, int64_t p) {
  Dims index = shape;
  for (int32_t i = shape.rank() - 1; i >= 0; --i) {
    index[i] = static_cast<int32_t>(p % shape[i]);
    p /= shape[i];
  }
  return index;
}

// The output of an operator that copies: element i of the output is element source(index of i) of
// an input 0, 1, 2, ...; -1 where nothing is copied.
template <typename F>
std::vector<int32_t> expected(const Shape& out, F&& source) {
  std::vector<int32_t> v;
  for (int64_t p = 0; p < elements(out); ++p)
    v.push_back(static_cast<int32_t>(source(index_of(out, p))));
  return v;
}

TEST(Reshape, CopiesEveryType) {
  EXPECT_EQ(Call(OpKind::kReshape, ReshapeParams{{3, 2}})
                .in(counted<int64_t>({2, 3}))
                .run<int64_t>({3, 2}),
            counted<int64_t>({6}).values);
  EXPECT_EQ(Call(OpKind::kSqueeze, SqueezeParams{}).in(counted<int8_t>({1, 6})).run<int8_t>({6}),
            counted<int8_t>({6}).values);
  EXPECT_EQ(
      Call(OpKind::kExpandDims, ExpandDimsParams{}).in(counted<float>({6})).run<float>({1, 6}),
      counted<float>({6}).values);
  EXPECT_TRUE(
      Call(OpKind::kReshape, ReshapeParams{}).in(counted<float>({0, 6})).run<float>({0}).empty());
}

TEST(ShapeOf, WritesBothIntegerTypes) {
  const auto x = counted<float>({2, 3, 1});
  EXPECT_THAT(Call(OpKind::kShapeOf, NoParams{}).in(x).run<int32_t>({3}), ElementsAre(2, 3, 1));
  EXPECT_THAT(Call(OpKind::kShapeOf, NoParams{}).in(x).run<int64_t>({3}), ElementsAre(2, 3, 1));
}

TEST(Transpose, FollowsItsDefinition) {
  const Shape in = {2, 3, 4, 5};
  const Dims perms[] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 3, 1, 2}, {1, 0, 2, 3}, {2, -1, 0, 1}};
  for (const Dims& perm : perms) {
    Shape out = in;
    for (int32_t i = 0; i < 4; ++i) out[i] = in[normalize_axis(perm[i], 4)];
    const auto want = expected(out, [&](const Dims& o) {
      Dims i = in;
      for (int32_t d = 0; d < 4; ++d) i[normalize_axis(perm[d], 4)] = o[d];
      return place(in, i);
    });
    EXPECT_EQ(
        Call(OpKind::kTranspose, TransposeParams{perm}).in(counted<int32_t>(in)).run<int32_t>(out),
        want);
  }
}

TEST(Transpose, MovesElementsOfEverySize) {
  const TransposeParams p{{1, 0}};
  EXPECT_THAT(Call(OpKind::kTranspose, p).in(counted<uint8_t>({2, 3})).run<uint8_t>({3, 2}),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(Call(OpKind::kTranspose, p).in(counted<uint16_t>({2, 3})).run<uint16_t>({3, 2}),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(Call(OpKind::kTranspose, p).in(counted<float>({2, 3})).run<float>({3, 2}),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_THAT(Call(OpKind::kTranspose, p).in(counted<int64_t>({2, 3})).run<int64_t>({3, 2}),
              ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Transpose, OfRank8) {
  const Shape in = {2, 1, 2, 1, 2, 1, 2, 3};
  const Dims perm = {7, 6, 5, 4, 3, 2, 1, 0};
  const Shape out = {3, 2, 1, 2, 1, 2, 1, 2};
  const auto want = expected(out, [&](const Dims& o) {
    Dims i = in;
    for (int32_t d = 0; d < 8; ++d) i[7 - d] = o[d];
    return place(in, i);
  });
  EXPECT_EQ(
      Call(OpKind::kTranspose, TransposeParams{perm}).in(counted<int32_t>(in)).run<int32_t>(out),
      want);
}

TEST(BroadcastTo, RepeatsDimensionsOfOne) {
  EXPECT_THAT(Call(OpKind::kBroadcastTo, BroadcastToParams{{2, 2, 3}})
                  .in(Operand<int16_t>{{2, 1}, {5, 7}})
                  .run<int16_t>({2, 2, 3}),
              ElementsAre(5, 5, 5, 7, 7, 7, 5, 5, 5, 7, 7, 7));
  EXPECT_THAT(Call(OpKind::kBroadcastTo, BroadcastToParams{{3}})
                  .in(Operand<float>{{}, {4}})
                  .run<float>({3}),
              ElementsAre(4, 4, 4));
}

TEST(Concat, JoinsAlongAnyAxis) {
  const Operand<int32_t> a{{2, 2}, {1, 2, 3, 4}}, b{{2, 1}, {5, 6}}, empty{{2, 0}, {}};
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{-1}).in(a).in(empty).in(b).run<int32_t>({2, 3}),
              ElementsAre(1, 2, 5, 3, 4, 6));
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{0}).in(a).in(a).run<int32_t>({4, 2}),
              ElementsAre(1, 2, 3, 4, 1, 2, 3, 4));
}

// real = 0.5 * (q - 10) of the first input, 0.25 * q of the second; output: 0.5 * (q + 4).
TEST(Concat, RequantisesToTheOutput) {
  const Operand<int8_t> a{{3}, {10, 12, 127}, 0.5f, 10}, b{{4}, {8, -2, -127, 3}, 0.25f, 0};
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{0}).in(a).in(b).run<int8_t>({7}, 0.5f, -4),
              ElementsAre(-4, -2, 113, 0, -5, -68, -2));
  const Operand<uint8_t> c{{3}, {0, 128, 255}, 1.0f, 128};
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{0}).in(c).run<uint8_t>({3}, 0.5f, 128),
              ElementsAre(0, 128, 255));  // saturates on both sides
  const Operand<int16_t> d{{2}, {-300, 300}, 2.0f, 0};
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{0}).in(d).run<int16_t>({2}, 1.0f, 0),
              ElementsAre(-600, 600));
}

TEST(Concat, CopiesWhatHasTheOutputsScale) {
  const Operand<int8_t> a{{2}, {-128, 127}, 0.3f, 7};
  EXPECT_THAT(Call(OpKind::kConcat, ConcatParams{0}).in(a).run<int8_t>({2}, 0.3f, 7),
              ElementsAre(-128, 127));
}

TEST(Pack, StacksAlongANewAxis) {
  const Operand<int32_t> a{{2}, {1, 2}}, b{{2}, {3, 4}};
  EXPECT_THAT(Call(OpKind::kPack, PackParams{0}).in(a).in(b).run<int32_t>({2, 2}),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Call(OpKind::kPack, PackParams{-1}).in(a).in(b).run<int32_t>({2, 2}),
              ElementsAre(1, 3, 2, 4));
  const Operand<int32_t> s{{}, {9}};
  EXPECT_THAT(Call(OpKind::kPack, PackParams{0}).in(s).in(s).run<int32_t>({2}), ElementsAre(9, 9));
}

TEST(Unpack, IsTheInverse) {
  const auto parts = Call(OpKind::kUnpack, UnpackParams{1})
                         .in(counted<int32_t>({2, 3, 2}))
                         .run_all<int32_t>(std::vector<Operand<int32_t>>(3, {{2, 2}, {}}));
  EXPECT_THAT(parts[0], ElementsAre(0, 1, 6, 7));
  EXPECT_THAT(parts[1], ElementsAre(2, 3, 8, 9));
  EXPECT_THAT(parts[2], ElementsAre(4, 5, 10, 11));
}

TEST(Split, IntoUnevenParts) {
  const auto parts = Call(OpKind::kSplit, SplitParams{-1, {1, -1, 0}})
                         .in(counted<int32_t>({2, 4}))
                         .run_all<int32_t>({{{2, 1}, {}}, {{2, 3}, {}}, {{2, 0}, {}}});
  EXPECT_THAT(parts[0], ElementsAre(0, 4));
  EXPECT_THAT(parts[1], ElementsAre(1, 2, 3, 5, 6, 7));
  EXPECT_TRUE(parts[2].empty());
}

TEST(Slice, CutsABox) {
  EXPECT_THAT(Call(OpKind::kSlice, SliceParams{{0, 1, 1}, {2, 1, -1}})
                  .in(counted<int32_t>({2, 2, 3}))
                  .run<int32_t>({2, 1, 2}),
              ElementsAre(4, 5, 10, 11));
  EXPECT_TRUE(Call(OpKind::kSlice, SliceParams{{4}, {0}})
                  .in(counted<int32_t>({4}))
                  .run<int32_t>({0})
                  .empty());
}

StridedSliceParams strided(Dims begin, Dims end, Dims strides, int32_t begin_mask, int32_t end_mask,
                           int32_t ellipsis, int32_t shrink) {
  return {begin, end, strides, begin_mask, end_mask, ellipsis, shrink};
}

TEST(StridedSlice, StepsForwardsAndBackwards) {
  const auto x = counted<int32_t>({3, 4});
  // x[::-1, 1::2]
  EXPECT_THAT(Call(OpKind::kStridedSlice, strided({0, 1}, {0, 0}, {-1, 2}, 1, 3, 0, 0))
                  .in(x)
                  .run<int32_t>({3, 2}),
              ElementsAre(9, 11, 5, 7, 1, 3));
  // x[-2, 3:0:-2]
  EXPECT_THAT(Call(OpKind::kStridedSlice, strided({-2, 3}, {0, 0}, {1, -2}, 0, 0, 0, 1))
                  .in(x)
                  .run<int32_t>({2}),
              ElementsAre(7, 5));
  // x[..., 2]
  EXPECT_THAT(Call(OpKind::kStridedSlice, strided({0, 2}, {0, 3}, {1, 1}, 0, 0, 1, 2))
                  .in(x)
                  .run<int32_t>({3}),
              ElementsAre(2, 6, 10));
  // A stride that would overflow selects one element.
  EXPECT_THAT(Call(OpKind::kStridedSlice, strided({3}, {INT32_MIN}, {INT32_MIN}, 0, 0, 0, 0))
                  .in(counted<int32_t>({4}))
                  .run<int32_t>({1}),
              ElementsAre(3));
  // x[3:1] is empty, also where it begins behind the end.
  EXPECT_TRUE(Call(OpKind::kStridedSlice, strided({9}, {1}, {1}, 0, 0, 0, 0))
                  .in(x)
                  .run<int32_t>({0, 4})
                  .empty());
}

TEST(Pad, WithZeroPointOrValue) {
  const PadParams p{PadFn::kConstant, {1, 0}, {0, 2}};
  EXPECT_THAT(Call(OpKind::kPad, p).in(Operand<float>{{1, 2}, {1, 2}}).run<float>({2, 4}),
              ElementsAre(0, 0, 0, 0, 1, 2, 0, 0));
  EXPECT_THAT(Call(OpKind::kPad, p)
                  .in(Operand<int8_t>{{1, 2}, {1, 2}, 0.5f, -7})
                  .run<int8_t>({2, 4}, 0.5f, -7),
              ElementsAre(-7, -7, -7, -7, 1, 2, -7, -7));
  EXPECT_THAT(Call(OpKind::kPad, p)
                  .in(Operand<int16_t>{{1, 2}, {1, 2}})
                  .absent()
                  .in(Operand<int16_t>{{1}, {1234}})
                  .run<int16_t>({2, 4}),
              ElementsAre(1234, 1234, 1234, 1234, 1, 2, 1234, 1234));
}

TEST(Pad, Mirrors) {
  const Operand<int32_t> x{{2, 3}, {1, 2, 3, 4, 5, 6}};
  // The example of TensorFlow's documentation of pad().
  EXPECT_THAT(
      Call(OpKind::kPad, PadParams{PadFn::kReflect, {1, 2}, {1, 2}}).in(x).run<int32_t>({4, 7}),
      ElementsAreArray(
          {6, 5, 4, 5, 6, 5, 4, 3, 2, 1, 2, 3, 2, 1, 6, 5, 4, 5, 6, 5, 4, 3, 2, 1, 2, 3, 2, 1}));
  EXPECT_THAT(
      Call(OpKind::kPad, PadParams{PadFn::kSymmetric, {1, 2}, {1, 2}}).in(x).run<int32_t>({4, 7}),
      ElementsAreArray(
          {2, 1, 1, 2, 3, 3, 2, 2, 1, 1, 2, 3, 3, 2, 5, 4, 4, 5, 6, 6, 5, 5, 4, 4, 5, 6, 6, 5}));
}

TEST(Gather, PicksAlongAnAxis) {
  const Operand<int64_t> indices{{2}, {2, 0}};
  EXPECT_THAT(Call(OpKind::kGather, GatherParams{1, 0})
                  .in(counted<int32_t>({2, 3, 2}))
                  .in(indices)
                  .run<int32_t>({2, 2, 2}),
              ElementsAre(4, 5, 0, 1, 10, 11, 6, 7));
  EXPECT_THAT(Call(OpKind::kGather, GatherParams{0, 0})
                  .in(counted<int32_t>({3, 2}))
                  .in(Operand<int32_t>{{}, {1}})
                  .run<int32_t>({2}),
              ElementsAre(2, 3));
}

// out[b, p, i] = x[b, p, indices[b, i]]
TEST(Gather, WithBatchDimensions) {
  EXPECT_THAT(Call(OpKind::kGather, GatherParams{-1, 1})
                  .in(counted<int32_t>({2, 2, 3}))
                  .in(Operand<int32_t>{{2, 2}, {0, 2, 1, 1}})
                  .run<int32_t>({2, 2, 2}),
              ElementsAre(0, 2, 3, 5, 7, 7, 10, 10));
}

TEST(Gather, ClampsIndices) {
  const Operand<int32_t> wild{{4}, {-1, INT32_MIN, 3, INT32_MAX}};
  EXPECT_THAT(Call(OpKind::kGather, GatherParams{0, 0})
                  .in(counted<uint8_t>({3}))
                  .in(wild)
                  .run<uint8_t>({4}),
              ElementsAre(0, 0, 2, 2));
  const Operand<int64_t> wilder{{2, 2}, {INT64_MIN, INT64_MAX, INT64_MAX, -5}};
  EXPECT_THAT(
      Call(OpKind::kGatherNd, NoParams{}).in(counted<uint8_t>({2, 3})).in(wilder).run<uint8_t>({2}),
      ElementsAre(2, 3));
}

TEST(GatherNd, PicksRowsAndElements) {
  EXPECT_THAT(Call(OpKind::kGatherNd, NoParams{})
                  .in(counted<int32_t>({2, 2, 2}))
                  .in(Operand<int32_t>{{2, 2}, {1, 0, 0, 1}})
                  .run<int32_t>({2, 2}),
              ElementsAre(4, 5, 2, 3));
}

TEST(Tile, RepeatsInEveryDimension) {
  const Shape in = {2, 1, 3}, out = {4, 2, 6};
  const auto want = expected(out, [&](const Dims& o) {
    return place(in, {o[0] % 2, 0, o[2] % 3});
  });
  EXPECT_EQ(Call(OpKind::kTile, TileParams{{2, 2, 2}}).in(counted<int32_t>(in)).run<int32_t>(out),
            want);
  EXPECT_TRUE(
      Call(OpKind::kTile, TileParams{{0}}).in(counted<int32_t>({2})).run<int32_t>({0}).empty());
  EXPECT_THAT(Call(OpKind::kTile, TileParams{}).in(Operand<float>{{}, {3}}).run<float>({}),
              ElementsAre(3));
}

TEST(DepthToSpace, FollowsItsDefinitionAndItsInverse) {
  const Shape deep = {2, 2, 3, 8}, large = {2, 4, 6, 2};
  const auto to_large = expected(large, [&](const Dims& o) {
    return place(deep, {o[0], o[1] / 2, o[2] / 2, (o[1] % 2 * 2 + o[2] % 2) * 2 + o[3]});
  });
  const auto result =
      Call(OpKind::kDepthToSpace, BlockParams{2}).in(counted<int32_t>(deep)).run<int32_t>(large);
  EXPECT_EQ(result, to_large);
  EXPECT_EQ(Call(OpKind::kSpaceToDepth, BlockParams{2})
                .in(Operand<int32_t>{large, result})
                .run<int32_t>(deep),
            counted<int32_t>(deep).values);
}

// Definition: pad, split each spatial dimension into [dim / block, block], move the blocks to the
// front of the batch.
TEST(SpaceToBatch, FollowsItsDefinition) {
  const Shape in = {2, 3, 4, 2}, out = {12, 2, 2, 2};
  const SpaceBatchParams p{{2, 3}, {0, 1}, {1, 1}};
  const auto want = expected(out, [&](const Dims& o) -> int64_t {
    const int32_t n = o[0] % 2, q = o[0] / 2;
    const int32_t y = o[1] * 2 + q / 3 - 0, x = o[2] * 3 + q % 3 - 1;
    if (y < 0 || y >= 3 || x < 0 || x >= 4) return 0;
    return place(in, {n, y, x, o[3]}) + 1;
  });
  Operand<int32_t> x = counted<int32_t>(in);
  for (int32_t& v : x.values) ++v;
  EXPECT_EQ(Call(OpKind::kSpaceToBatch, p).in(x).run<int32_t>(out), want);
}

TEST(SpaceToBatch, PadsWithTheZeroPoint) {
  EXPECT_THAT(Call(OpKind::kSpaceToBatch, SpaceBatchParams{{2}, {1}, {0}})
                  .in(Operand<int8_t>{{1, 3}, {1, 2, 3}, 0.5f, -9})
                  .run<int8_t>({2, 2}, 0.5f, -9),
              ElementsAre(-9, 2, 1, 3));
}

TEST(BatchToSpace, IsTheInverse) {
  const Shape large = {2, 3, 4, 2}, small = {12, 2, 2, 2};
  const SpaceBatchParams p{{2, 3}, {0, 1}, {1, 1}};
  const Operand<int32_t> x = counted<int32_t>(large);
  const auto batches = Call(OpKind::kSpaceToBatch, p).in(x).run<int32_t>(small);
  EXPECT_EQ(Call(OpKind::kBatchToSpace, p).in(Operand<int32_t>{small, batches}).run<int32_t>(large),
            x.values);
}

}  // namespace
}  // namespace pj
