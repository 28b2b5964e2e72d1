// What the compiler's baseline has: SSE2 on x86, NEON on 64-bit ARM.
#include "runtime/peak/levels/registers.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pj::peak {
namespace {

using Floats [[gnu::vector_size(16)]] = float;

constexpr int kChains = 10;

void f32(int64_t repeats) {
  accumulate<kChains, Floats, Floats>(repeats, [](Floats sum, Floats& a, Floats& b) {
    obscure(a);
    return sum + a * b;
  });
}

#ifdef __SSE2__
void int8(int64_t repeats) {
  accumulate<kChains, __m128i, __m128i>(repeats, [](__m128i sum, __m128i& a, __m128i& b) {
    obscure(a);
    return _mm_add_epi32(sum, _mm_madd_epi16(a, b));
  });
}
constexpr const char* kInt8Instructions = "pmaddwd+paddd";
constexpr int kInt8Macs = 8;
#else
using Ints [[gnu::vector_size(16)]] = int32_t;
void int8(int64_t repeats) {
  accumulate<kChains, Ints, Ints>(repeats, [](Ints sum, Ints& a, Ints& b) {
    obscure(a);
    return sum + a * b;
  });
}
constexpr const char* kInt8Instructions = "int32 multiply+add";
constexpr int kInt8Macs = 4;
#endif

constexpr ArithmeticLoop kLoops[] = {
    {DType::kI8, kInt8Instructions, kChains, kInt8Macs, int8},
    {DType::kF32, "multiply+add", kChains, 4, f32},
};

}  // namespace

constinit const LevelLoops scalar_loops = {"scalar", kLoops, kMoves<16>};

void dependent_additions(int64_t count) {
  uint64_t x = 0, y = 1;
  asm volatile("" : "+r"(y));
  for (; count > 0; count -= 256) {
#pragma GCC unroll 256
    for (int i = 0; i < 256; ++i) {
      x += y;
      asm volatile("" : "+r"(x));
    }
  }
}

}  // namespace pj::peak
