#include <arm_neon.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 24;  // of 32 registers

void int8(int64_t repeats) {
  accumulate<kChains, int32x4_t, int8x16_t>(
      repeats, [](int32x4_t sum, int8x16_t& a, int8x16_t& b) { return vdotq_s32(sum, a, b); });
}

constexpr ArithmeticLoop kLoops[] = {{DType::kI8, "sdot", kChains, 16, int8}};

}  // namespace

constinit const LevelLoops neondot_loops = {"neondot", kLoops, {}};

}  // namespace pj::peak
