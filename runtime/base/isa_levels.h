// The levels of isa.h, for what is computed at compile time.
#pragma once

#include "runtime/base/isa.h"

namespace pj {

inline constexpr IsaSet kLevelAvx2{Feature::kAvx2, Feature::kFma, Feature::kF16c};
inline constexpr IsaSet kLevelAvx512 = kLevelAvx2 | IsaSet{Feature::kAvx512};

inline constexpr IsaLevel kIsaLevels[] = {
    {"scalar", {}},
    {"avx2", kLevelAvx2},
    {"avxvnni", kLevelAvx2 | IsaSet{Feature::kAvxVnni}},
    {"avx512", kLevelAvx512},
    {"avx512vnni", kLevelAvx512 | IsaSet{Feature::kAvx512Vnni}},
    {"neon", {Feature::kNeon}},
    {"neondot", {Feature::kNeon, Feature::kNeonDot}},
    {"neoni8mm", {Feature::kNeon, Feature::kNeonDot, Feature::kNeonI8mm}},
    {"neonfp16", {Feature::kNeon, Feature::kNeonDot, Feature::kNeonFp16}},
};

constexpr std::optional<IsaSet> find_isa_level(std::string_view name) {
  for (const IsaLevel& level : kIsaLevels)
    if (name == level.name) return level.features;
  return std::nullopt;
}

}  // namespace pj
