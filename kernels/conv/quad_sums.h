// The sums of kernels/conv/quads.h: a block of pixels times a panel, in assembly. gcc 12 has no
// plan for sums that live through four loops: it keeps them in other registers in each, moves them
// around inside, and puts some of them in memory.
//
// ymm0 .. ymm11 are sums: of pixel i at 2 * i, and at 2 * i + 1 of the second 8 channels. The loops
// are those of the kinds of quads, in the order of the lists.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/requantize.h"
#include "kernels/common/unrolled.h"
#include "kernels/conv/quad_rows.h"

namespace pj {
namespace {

alignas(32) constexpr int16_t kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
alignas(32) constexpr int16_t kLowBytes[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                               255, 255, 255, 255, 255, 255, 255, 255};

// clang-format off
#define PJ_QUAD_PIXELS_1(X, ...) X(row0, ymm0, ymm1, __VA_ARGS__)
#define PJ_QUAD_PIXELS_2(X, ...) PJ_QUAD_PIXELS_1(X, __VA_ARGS__) X(row1, ymm2, ymm3, __VA_ARGS__)
#define PJ_QUAD_PIXELS_4(X, ...) PJ_QUAD_PIXELS_2(X, __VA_ARGS__) \
  X(row2, ymm4, ymm5, __VA_ARGS__) X(row3, ymm6, ymm7, __VA_ARGS__)
#define PJ_QUAD_PIXELS_6(X, ...) PJ_QUAD_PIXELS_4(X, __VA_ARGS__) \
  X(row4, ymm8, ymm9, __VA_ARGS__) X(row5, ymm10, ymm11, __VA_ARGS__)

// Two quads at positions i and j. The ones are in ymm11, for which the sum that has its place there
// waits in memory: a load and a store instead of a load for each product.
#define PJ_QUAD_STRONG(row, sum0, sum1, SECOND)        \
  "vpbroadcastd (%[" #row "], %[i], 4), %%ymm12\n\t"   \
  "vpbroadcastd (%[" #row "], %[j], 4), %%ymm14\n\t"   \
  "vpmaddubsw (%[w]), %%ymm12, %%ymm13\n\t"            \
  "vpmaddubsw 64(%[w]), %%ymm14, %%ymm15\n\t"          \
  "vpaddw %%ymm15, %%ymm13, %%ymm13\n\t"               \
  "vpmaddwd %%ymm11, %%ymm13, %%ymm13\n\t"             \
  "vpaddd %%ymm13, %%" #sum0 ", %%" #sum0 "\n\t"       \
  SECOND(                                              \
    "vpmaddubsw 32(%[w]), %%ymm12, %%ymm12\n\t"        \
    "vpmaddubsw 96(%[w]), %%ymm14, %%ymm14\n\t"        \
    "vpaddw %%ymm14, %%ymm12, %%ymm12\n\t"             \
    "vpmaddwd %%ymm11, %%ymm12, %%ymm12\n\t"           \
    PJ_QUAD_ADD_##sum1)
#define PJ_QUAD_ADD(sum) "vpaddd %%ymm12, %%" #sum ", %%" #sum "\n\t"
#define PJ_QUAD_ADD_ymm1 PJ_QUAD_ADD(ymm1)
#define PJ_QUAD_ADD_ymm3 PJ_QUAD_ADD(ymm3)
#define PJ_QUAD_ADD_ymm5 PJ_QUAD_ADD(ymm5)
#define PJ_QUAD_ADD_ymm7 PJ_QUAD_ADD(ymm7)
#define PJ_QUAD_ADD_ymm9 PJ_QUAD_ADD(ymm9)
#define PJ_QUAD_ADD_ymm11                              \
  "vpaddd %[aside], %%ymm12, %%ymm12\n\t"              \
  "vmovdqa %%ymm12, %[aside]\n\t"

// The quad in ymm12 times the weights at an offset.
#define PJ_QUAD_PRODUCTS(sum0, sum1, SECOND, at)       \
  "vpmaddubsw " #at "(%[w]), %%ymm12, %%ymm13\n\t"     \
  "vpmaddwd %%ymm15, %%ymm13, %%ymm13\n\t"             \
  "vpaddd %%ymm13, %%" #sum0 ", %%" #sum0 "\n\t"       \
  SECOND(                                              \
    "vpmaddubsw 32+" #at "(%[w]), %%ymm12, %%ymm13\n\t" \
    "vpmaddwd %%ymm15, %%ymm13, %%ymm13\n\t"           \
    "vpaddd %%ymm13, %%" #sum1 ", %%" #sum1 "\n\t")

#define PJ_QUAD_PLAIN(row, sum0, sum1, SECOND, at)     \
  "vpbroadcastd (%[" #row "], %[i], 4), %%ymm12\n\t"   \
  PJ_QUAD_PRODUCTS(sum0, sum1, SECOND, at)

// The shuffle is in ymm14.
#define PJ_QUAD_SHUFFLED(row, sum0, sum1, SECOND, at)  \
  "vbroadcasti128 (%[" #row "], %[i], 4), %%ymm12\n\t" \
  "vpshufb %%ymm14, %%ymm12, %%ymm12\n\t"              \
  PJ_QUAD_PRODUCTS(sum0, sum1, SECOND, at)

// Two k's of each quad, which `TO_WORDS` makes of it, times weights in ymm12 and ymm13.
#define PJ_QUAD_WIDE(row, sum0, sum1, SECOND, TO_WORDS) \
  "vpbroadcastd (%[" #row "], %[i], 4), %%ymm14\n\t"   \
  TO_WORDS                                             \
  "vpmaddwd %%ymm12, %%ymm14, %%ymm15\n\t"             \
  "vpaddd %%ymm15, %%" #sum0 ", %%" #sum0 "\n\t"       \
  SECOND(                                              \
    "vpmaddwd %%ymm13, %%ymm14, %%ymm15\n\t"           \
    "vpaddd %%ymm15, %%" #sum1 ", %%" #sum1 "\n\t")
#define PJ_QUAD_EVEN "vpand %[low_bytes], %%ymm14, %%ymm14\n\t"
#define PJ_QUAD_ODD "vpsrlw $8, %%ymm14, %%ymm14\n\t"

#define PJ_QUAD_START(row, sum0, sum1, SECOND)         \
  "vmovdqu 64(%[panel]), %%" #sum0 "\n\t"              \
  SECOND("vmovdqu 96(%[panel]), %%" #sum1 "\n\t")

// X(..., SECOND, 0) once or, in a loop, for two quads a turn; `count` is where in the panel their
// number is, PREPARE(n) what precedes quad n of a turn.
#define PJ_QUAD_LOOP(PIXELS, X, SECOND, count, PREPARE, NEXT) \
  "mov " #count "(%[panel]), %k[n]\n\t"                \
  "sub $2, %k[n]\n\t"                                  \
  "jl 2f\n"                                            \
  "1:\n\t"                                             \
  PREPARE(0) PIXELS(X, SECOND, 0)                      \
  PREPARE(1) PIXELS(X, SECOND, 64)                     \
  NEXT(2)                                              \
  "sub $2, %k[n]\n\t"                                  \
  "jge 1b\n"                                           \
  "2:\n\t"                                             \
  "inc %k[n]\n\t"                                      \
  "jnz 3f\n\t"                                         \
  PREPARE(0) PIXELS(X, SECOND, 0)                      \
  NEXT(1)                                              \
  "3:\n\t"
#define PJ_QUAD_POSITION(quad) "movzwl 2*" #quad "(%[position]), %k[i]\n\t"
#define PJ_QUAD_CHOICE(quad) PJ_QUAD_POSITION(quad) "vpbroadcastd 4*" #quad "(%[j]), %%ymm14\n\t"
#define PJ_QUAD_NEXT(quads) "add $64*" #quads ", %[w]\n\tadd $2*" #quads ", %[position]\n\t"
#define PJ_QUAD_NEXT_CHOICE(quads) PJ_QUAD_NEXT(quads) "add $4*" #quads ", %[j]\n\t"

#define PJ_QUAD_SUMS(PIXELS, SECOND)                   \
  PIXELS(PJ_QUAD_START, SECOND)                        \
  "mov (%[panel]), %k[n]\n\t"                          \
  "test %k[n], %k[n]\n\t"                              \
  "jz 2f\n\t"                                          \
  "vmovdqa %%ymm11, %[aside]\n\t"                      \
  "vmovdqa %[ones], %%ymm11\n"                         \
  "1:\n\t"                                             \
  "movzwl (%[position]), %k[i]\n\t"                    \
  "movzwl 2(%[position]), %k[j]\n\t"                   \
  PIXELS(PJ_QUAD_STRONG, SECOND)                       \
  PJ_QUAD_NEXT(2)                                      \
  "sub $2, %k[n]\n\t"                                  \
  "jnz 1b\n\t"                                         \
  "vmovdqa %[aside], %%ymm11\n"                        \
  "2:\n\t"                                             \
  "vmovdqa %[ones], %%ymm15\n\t"                       \
  PJ_QUAD_LOOP(PIXELS, PJ_QUAD_PLAIN, SECOND, 4, PJ_QUAD_POSITION, PJ_QUAD_NEXT) \
  "mov %[choices], %[j]\n\t"                           \
  PJ_QUAD_LOOP(PIXELS, PJ_QUAD_SHUFFLED, SECOND, 8, PJ_QUAD_CHOICE, PJ_QUAD_NEXT_CHOICE) \
  "mov 12(%[panel]), %k[n]\n\t"                        \
  "test %k[n], %k[n]\n\t"                              \
  "jz 2f\n"                                            \
  "1:\n\t"                                             \
  "movzwl (%[position]), %k[i]\n\t"                    \
  "vpmovsxbw (%[w]), %%ymm12\n\t"                      \
  SECOND("vpmovsxbw 16(%[w]), %%ymm13\n\t")            \
  PIXELS(PJ_QUAD_WIDE, SECOND, PJ_QUAD_EVEN)           \
  "vpmovsxbw 32(%[w]), %%ymm12\n\t"                    \
  SECOND("vpmovsxbw 48(%[w]), %%ymm13\n\t")            \
  PIXELS(PJ_QUAD_WIDE, SECOND, PJ_QUAD_ODD)            \
  PJ_QUAD_NEXT(1)                                      \
  "dec %k[n]\n\t"                                      \
  "jnz 1b\n"                                           \
  "2:\n\t"

#define PJ_QUAD_NO(...)
#define PJ_QUAD_YES(...) __VA_ARGS__
#define PJ_QUAD_ASM(mr, SECOND)                                                                   \
  asm volatile(PJ_QUAD_SUMS(PJ_QUAD_PIXELS_##mr, SECOND)                                          \
               : [w] "+r"(w), [position] "+r"(position), [n] "=&r"(n), [i] "=&r"(i), [j] "=&r"(j), [aside] "=&m"(aside), \
                 "=&x"(s0), "=&x"(s1), "=&x"(s2), "=&x"(s3), "=&x"(s4), "=&x"(s5), "=&x"(s6), "=&x"(s7), \
                 "=&x"(s8), "=&x"(s9), "=&x"(s10), "=&x"(s11)                                     \
               : [panel] "r"(panel), [choices] "m"(choices), [row0] "r"(x[0]),                    \
                 [row1] "r"(x[1]), [row2] "r"(x[2]), [row3] "r"(x[3]), [row4] "r"(x[4]),          \
                 [row5] "r"(x[5]), [ones] "m"(kOnes), [low_bytes] "m"(kLowBytes)                  \
               : "cc", "memory", "ymm12", "ymm13", "ymm14", "ymm15")
// clang-format on

// Sums of a block: sums[2 * pixel] of 8 channels, the next one of the other 8.
using QuadSums = __m256i[12];

// Sums of mr pixels, at x and then `pitch` apart, and 8 * vectors channels.
template <int mr, int vectors>
PJ_INLINE void sum_quads(const std::byte* panel, const QuadLists& lists, const std::byte* first,
                         int64_t pitch, QuadSums& sums) {
  const std::byte* x[6];
  for (int i = 0; i < 6; ++i) x[i] = i < mr ? first + i * pitch : first;
  const auto* counts = reinterpret_cast<const int32_t*>(panel);
  const std::byte* w = panel + lists.weights_at();
  const std::byte* position = panel + lists.positions_at();
  const std::byte* choices = panel + lists.choices_at() + (counts[0] + counts[1]) * int64_t{4};
  int64_t n, i, j;
  __m256i aside;
  register __m256i s0 asm("ymm0"), s1 asm("ymm1"), s2 asm("ymm2"), s3 asm("ymm3"), s4 asm("ymm4"),
      s5 asm("ymm5"), s6 asm("ymm6"), s7 asm("ymm7"), s8 asm("ymm8"), s9 asm("ymm9"),
      s10 asm("ymm10"), s11 asm("ymm11");
  if constexpr (mr == 6 && vectors == 2) PJ_QUAD_ASM(6, PJ_QUAD_YES);
  if constexpr (mr == 4 && vectors == 2) PJ_QUAD_ASM(4, PJ_QUAD_YES);
  if constexpr (mr == 2 && vectors == 2) PJ_QUAD_ASM(2, PJ_QUAD_YES);
  if constexpr (mr == 1 && vectors == 2) PJ_QUAD_ASM(1, PJ_QUAD_YES);
  if constexpr (mr == 6 && vectors == 1) PJ_QUAD_ASM(6, PJ_QUAD_NO);
  if constexpr (mr == 4 && vectors == 1) PJ_QUAD_ASM(4, PJ_QUAD_NO);
  if constexpr (mr == 2 && vectors == 1) PJ_QUAD_ASM(2, PJ_QUAD_NO);
  if constexpr (mr == 1 && vectors == 1) PJ_QUAD_ASM(1, PJ_QUAD_NO);
  const QuadSums all = {s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11};
  unrolled<mr>([&](auto pixel) PJ_INLINE_LAMBDA {
    unrolled<vectors>([&](auto v) PJ_INLINE_LAMBDA { sums[2 * pixel + v] = all[2 * pixel + v]; });
  });
}

}  // namespace
}  // namespace pj
