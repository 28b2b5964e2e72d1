#include "runtime/base/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/base/cpu.h"

namespace pj {
namespace {

TEST(Isa, LevelsHaveTheirNames) {
  for (const IsaLevel& level : isa_levels()) EXPECT_EQ(isa_by_name(level.name), level.features);
  EXPECT_EQ(isa_by_name("avx3"), std::nullopt);
  EXPECT_EQ(isa_by_name(""), std::nullopt);
  EXPECT_EQ(isa_by_name("scalar"), IsaSet{});
}

TEST(Isa, SetsIncludeTheirParts) {
  const IsaSet vnni = *isa_by_name("avx512vnni"), avx2 = *isa_by_name("avx2"),
               avxvnni = *isa_by_name("avxvnni");
  EXPECT_TRUE(vnni.includes(avx2));
  EXPECT_FALSE(avx2.includes(vnni));
  // No order between these two.
  EXPECT_FALSE(vnni.includes(avxvnni));
  EXPECT_FALSE(avxvnni.includes(vnni));
  EXPECT_EQ(vnni & avxvnni, avx2);
  EXPECT_TRUE(avx2.has(Feature::kFma));
  EXPECT_EQ(IsaSet::from_bits(avx2.bits()), avx2);
}

TEST(Isa, PrintsItsFeatures) {
  EXPECT_EQ(to_string(IsaSet{}), "scalar");
  EXPECT_EQ(to_string(*isa_by_name("avx2")), "avx2 fma f16c");
  EXPECT_EQ(to_string(IsaSet{Feature::kSve2, Feature::kNeon}), "neon sve2");
}

TEST(EffectiveIsa, LowersTheHost) {
  unsetenv("PJ_ISA");
  EXPECT_EQ(*effective_isa(), host_cpu().isa);
  EXPECT_EQ(*effective_isa("scalar"), IsaSet{});
  setenv("PJ_ISA", "scalar", 1);
  EXPECT_EQ(*effective_isa(), IsaSet{});
  unsetenv("PJ_ISA");
}

TEST(EffectiveIsa, NamesTheLevelsThatExist) {
  const auto r = effective_isa("avx9");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(r.error().message.find("'avx9'"), std::string::npos);
  EXPECT_NE(r.error().message.find("avx512vnni"), std::string::npos);
}

TEST(EffectiveIsa, RefusesWhatTheHostLacks) {
#if defined(__x86_64__)
  const auto r = effective_isa("neon");
#else
  const auto r = effective_isa("avx2");
#endif
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, ErrorCode::kPlatformUnsupported);
}

TEST(HostCpu, HasPlausibleFigures) {
  EXPECT_GE(host_cpu().cores, 1);
  EXPECT_GE(host_cpu().l1_bytes, 0);
  EXPECT_FALSE(host_cpu().name.empty());
}

}  // namespace
}  // namespace pj
