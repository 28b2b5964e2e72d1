// ISA: a set of CPU features. A kernel runs where its features are a subset of the CPU's; there is
// no ranking, since no order exists between, say, AVX-VNNI and AVX512.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pj {

// One bit a feature. The values are part of the .pj format: append, never renumber.
enum class Feature : uint8_t {
  kAvx2 = 0,
  kFma = 1,
  kF16c = 2,
  kAvxVnni = 3,  // VEX-encoded VNNI
  kAvx512 = 4,   // F, BW, DQ, VL, CD: the set of Skylake-X
  kAvx512Vnni = 5,
  kAvx512Vbmi = 6,
  kAvx512Bf16 = 7,
  kAvx512Fp16 = 8,
  kAmxInt8 = 9,
  kNeon = 16,
  kNeonDot = 17,
  kNeonI8mm = 18,
  kNeonFp16 = 19,
  kSve2 = 20,
  kNeonBf16 = 21,
};

class IsaSet {
 public:
  constexpr IsaSet() = default;
  constexpr IsaSet(std::initializer_list<Feature> features) {
    for (Feature f : features) bits_ |= bit(f);
  }
  static constexpr IsaSet from_bits(uint64_t bits) {
    IsaSet s;
    s.bits_ = bits;
    return s;
  }
  constexpr uint64_t bits() const { return bits_; }
  constexpr bool has(Feature f) const { return (bits_ & bit(f)) != 0; }
  // True if this set contains every feature of `needed`.
  constexpr bool includes(IsaSet needed) const { return (needed.bits_ & ~bits_) == 0; }
  constexpr IsaSet operator&(IsaSet o) const { return from_bits(bits_ & o.bits_); }
  constexpr IsaSet operator|(IsaSet o) const { return from_bits(bits_ | o.bits_); }
  constexpr bool operator==(const IsaSet&) const = default;

 private:
  static constexpr uint64_t bit(Feature f) { return uint64_t{1} << static_cast<int>(f); }
  uint64_t bits_ = 0;
};

// A named set of features that kernels are written for and that users choose: "scalar", "avx2",
// "avxvnni", "avx512", "avx512vnni", "neon", "neondot", "neoni8mm", "neonfp16".
struct IsaLevel {
  const char* name;
  IsaSet features;
};
std::span<const IsaLevel> isa_levels();
// Nothing if no level has that name.
std::optional<IsaSet> isa_by_name(std::string_view name);
// Names of the features, separated by spaces; "scalar" for none.
std::string to_string(IsaSet isa);

}  // namespace pj
