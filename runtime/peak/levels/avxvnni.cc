#include <immintrin.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 12;  // of 16 registers

void int8(int64_t repeats) {
  accumulate<kChains, __m256i, __m256i>(repeats, [](__m256i sum, __m256i& a, __m256i& b) {
    return _mm256_dpbusd_avx_epi32(sum, a, b);
  });
}

constexpr ArithmeticLoop kLoops[] = {{DType::kI8, "vpdpbusd ymm", kChains, 32, int8}};

}  // namespace

constinit const LevelLoops avxvnni_loops = {"avxvnni", kLoops, {}};

}  // namespace pj::peak
