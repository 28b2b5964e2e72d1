#include "runtime/base/op_params.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

namespace pj {
namespace {

TEST(OpParams, FollowFromTheKind) {
#define X(kind, name, type)                                               \
  EXPECT_TRUE(std::holds_alternative<type>(params_for(OpKind::k##kind))); \
  EXPECT_STREQ(name_of(OpKind::k##kind), name);                           \
  static_assert(std::is_same_v<ParamsOf<OpKind::k##kind>, type>);
  PJ_OPERATORS(X)
#undef X
}

TEST(OpParams, NamesAreUnique) {
  std::set<std::string> names;
  for (int i = 0; i < kOpKindCount; ++i) names.insert(name_of(static_cast<OpKind>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kOpKindCount));
}

// Names of fields identify them in files.
TEST(OpParams, VisitListsEachFieldOnce) {
  for (int i = 0; i < kOpKindCount; ++i) {
    std::set<std::string> seen;
    OpParams params = params_for(static_cast<OpKind>(i));
    visit_fields(params, [&](const char* name, auto& field) {
      EXPECT_TRUE(seen.insert(name).second) << name;
      EXPECT_GE(sizeof(field), 1u);
    });
  }
}

TEST(OpParams, EnumeratorsHaveNames) {
  for (int i = 0; i < enum_count(Activation{}); ++i)
    EXPECT_GT(std::strlen(name_of(static_cast<Activation>(i))), 0u);
  for (int i = 0; i < enum_count(BinaryFn{}); ++i)
    EXPECT_GT(std::strlen(name_of(static_cast<BinaryFn>(i))), 0u);
  for (int i = 0; i < enum_count(UnaryFn{}); ++i)
    EXPECT_GT(std::strlen(name_of(static_cast<UnaryFn>(i))), 0u);
  EXPECT_STREQ(name_of(BinaryFn::kLogicalOr), "logical_or");
  EXPECT_STREQ(name_of(UnaryFn::kLogicalNot), "logical_not");
  EXPECT_STREQ(name_of(ReduceFn::kProd), "reduce_prod");
}

TEST(OpParams, DisplayNamesSayWhatIsComputed) {
  Pool2DParams max_pool;
  max_pool.fn = PoolFn::kMax;
  EXPECT_STREQ(display_name(OpKind::kBinary, BinaryParams{.fn = BinaryFn::kMul}), "mul");
  EXPECT_STREQ(display_name(OpKind::kPool2D, max_pool), "max_pool");
  EXPECT_STREQ(display_name(OpKind::kArgReduce, ArgReduceParams{.maximum = false}), "arg_min");
  EXPECT_STREQ(display_name(OpKind::kConv2D, Conv2DParams{}), "conv_2d");
}

TEST(NormalizeAxis, CountsFromTheEnd) {
  EXPECT_EQ(normalize_axis(-1, 4), 3);
  EXPECT_EQ(normalize_axis(-4, 4), 0);
  EXPECT_EQ(normalize_axis(2, 4), 2);
}

}  // namespace
}  // namespace pj
