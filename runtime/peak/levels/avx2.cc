#include <immintrin.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 12;  // of 16 registers

void f32(int64_t repeats) {
  accumulate<kChains, __m256, __m256>(
      repeats, [](__m256 sum, __m256& a, __m256& b) { return _mm256_fmadd_ps(a, b, sum); });
}

// Bytes widened to 16 bits: no weights saturate these sums. Kernels that pair weights by their size
// (kernels/conv/quads.h) need fewer instructions and may exceed this.
void int8(int64_t repeats) {
  accumulate<kChains, __m256i, __m256i>(repeats, [](__m256i sum, __m256i& a, __m256i& b) {
    obscure(a);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
  });
}

constexpr ArithmeticLoop kLoops[] = {
    {DType::kI8, "vpmaddwd+vpaddd", kChains, 16, int8},
    {DType::kF32, "vfmadd231ps", kChains, 8, f32},
};

}  // namespace

constinit const LevelLoops avx2_loops = {"avx2", kLoops, kMoves<32>};

}  // namespace pj::peak
