#include <arm_neon.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 24;      // of 32 registers
constexpr int kPairChains = 16;  // where a step needs registers of its own

void f32(int64_t repeats) {
  accumulate<kChains, float32x4_t, float32x4_t>(
      repeats,
      [](float32x4_t sum, float32x4_t& a, float32x4_t& b) { return vfmaq_f32(sum, a, b); });
}

// Bytes widened to 16 bits.
void int8_by_words(int64_t repeats) {
  accumulate<kChains, int32x4_t, int16x4_t>(
      repeats, [](int32x4_t sum, int16x4_t& a, int16x4_t& b) { return vmlal_s16(sum, a, b); });
}

// Two products of bytes fit 16 bits, but for -128 * -128 twice; then their pairs widen.
void int8_by_pairs(int64_t repeats) {
  accumulate<kPairChains, int32x4_t, int8x8_t>(
      repeats, [](int32x4_t sum, int8x8_t& a, int8x8_t& b) {
        obscure(a);
        return vpadalq_s16(sum, vmlal_s8(vmull_s8(a, b), b, a));
      });
}

constexpr ArithmeticLoop kLoops[] = {
    {DType::kI8, "smlal", kChains, 4, int8_by_words},
    {DType::kI8, "smull+smlal+sadalp", kPairChains, 16, int8_by_pairs},
    {DType::kF32, "fmla", kChains, 4, f32},
};

}  // namespace

constinit const LevelLoops neon_loops = {"neon", kLoops, kMoves<16>};

}  // namespace pj::peak
