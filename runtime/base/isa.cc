#include "runtime/base/isa.h"

#include "runtime/base/isa_levels.h"

namespace pj {
namespace {

using enum Feature;
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

std::span<const IsaLevel> isa_levels() { return kIsaLevels; }

std::optional<IsaSet> isa_by_name(std::string_view name) { return find_isa_level(name); }

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
