#include <arm_neon.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 24;  // of 32 registers

void int8(int64_t repeats) {
  accumulate<kChains, int32x4_t, int8x16_t>(
      repeats, [](int32x4_t sum, int8x16_t& a, int8x16_t& b) { return vmmlaq_s32(sum, a, b); });
}

constexpr ArithmeticLoop kLoops[] = {{DType::kI8, "smmla", kChains, 32, int8}};

}  // namespace

constinit const LevelLoops neoni8mm_loops = {"neoni8mm", kLoops, {}};

}  // namespace pj::peak
