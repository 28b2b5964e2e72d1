#include "runtime/base/isa.h"

namespace pj {
namespace {

using enum Feature;
constexpr IsaSet kLevelAvx2{kAvx2, kFma, kF16c};
constexpr IsaSet kLevelAvx512 = kLevelAvx2 | IsaSet{kAvx512};

constexpr IsaLevel kLevels[] = {
    {"scalar", {}},
    {"avx2", kLevelAvx2},
    {"avxvnni", kLevelAvx2 | IsaSet{kAvxVnni}},
    {"avx512", kLevelAvx512},
    {"avx512vnni", kLevelAvx512 | IsaSet{kAvx512Vnni}},
    {"neon", {kNeon}},
    {"neondot", {kNeon, kNeonDot}},
    {"neoni8mm", {kNeon, kNeonDot, kNeonI8mm}},
    {"neonfp16", {kNeon, kNeonDot, kNeonFp16}},
};

constexpr struct {
  Feature feature;
  const char* name;
} kFeatureNames[] = {
    {kAvx2, "avx2"},
    {kFma, "fma"},
    {kF16c, "f16c"},
    {kAvxVnni, "avxvnni"},
    {kAvx512, "avx512"},
    {kAvx512Vnni, "avx512vnni"},
    {kAvx512Vbmi, "avx512vbmi"},
    {kAvx512Bf16, "avx512bf16"},
    {kAvx512Fp16, "avx512fp16"},
    {kAmxInt8, "amxint8"},
    {kNeon, "neon"},
    {kNeonDot, "neondot"},
    {kNeonI8mm, "neoni8mm"},
    {kNeonFp16, "neonfp16"},
    {kNeonBf16, "neonbf16"},
    {kSve2, "sve2"},
};

}  // namespace

std::span<const IsaLevel> isa_levels() { return kLevels; }

std::optional<IsaSet> isa_by_name(std::string_view name) {
  for (const IsaLevel& level : kLevels)
    if (name == level.name) return level.features;
  return std::nullopt;
}

std::string to_string(IsaSet isa) {
  std::string s;
  for (const auto& f : kFeatureNames) {
    if (!isa.has(f.feature)) continue;
    if (!s.empty()) s += ' ';
    s += f.name;
  }
  return s.empty() ? "scalar" : s;
}

}  // namespace pj
