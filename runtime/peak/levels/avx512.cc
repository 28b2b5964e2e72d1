#include <immintrin.h>

#include "runtime/peak/levels/registers.h"

namespace pj::peak {
namespace {

constexpr int kChains = 24;  // of 32 registers

void f32(int64_t repeats) {
  accumulate<kChains, __m512, __m512>(
      repeats, [](__m512 sum, __m512& a, __m512& b) { return _mm512_fmadd_ps(a, b, sum); });
}

void int8(int64_t repeats) {
  accumulate<kChains, __m512i, __m512i>(repeats, [](__m512i sum, __m512i& a, __m512i& b) {
    obscure(a);
    return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
  });
}

constexpr ArithmeticLoop kLoops[] = {
    {DType::kI8, "vpmaddwd+vpaddd zmm", kChains, 32, int8},
    {DType::kF32, "vfmadd231ps zmm", kChains, 16, f32},
};

}  // namespace

constinit const LevelLoops avx512_loops = {"avx512", kLoops, kMoves<64>};

}  // namespace pj::peak
