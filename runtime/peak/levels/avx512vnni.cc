#include <immintrin.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 24;  // of 32 registers

void int8(int64_t repeats) {
  accumulate<kChains, __m512i, __m512i>(
      repeats, [](__m512i sum, __m512i& a, __m512i& b) { return _mm512_dpbusd_epi32(sum, a, b); });
}

constexpr ArithmeticLoop kLoops[] = {{DType::kI8, "vpdpbusd zmm", kChains, 64, int8}};

}  // namespace

constinit const LevelLoops avx512vnni_loops = {"avx512vnni", kLoops, {}};

}  // namespace pj::peak
