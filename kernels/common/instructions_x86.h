// Instructions of x86 that kernels name themselves where compilers do worse with intrinsics. Of
// gcc 12: it loads an operand again wherever it is used, copies accumulators to other registers
// (through memory, where there are many) and moves instructions until it runs out of registers.
//
// This is all the assembly of the kernels for AVX-VNNI and AVX512, so that what stands in for it on
// a CPU that has neither is one file as well: tests/emulated/kernels/common/instructions_x86.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// 32 bytes, loaded once and here.
PJ_INLINE void load_now(__m256i& v, const void* p) {
  asm("vmovdqu %1, %0" : "=x"(v) : "m"(*static_cast<const __m256i_u*>(p)));
}

// Separates what a loop leaves from what it works with: gcc would have sums in other registers
// inside, and copy all of them in each turn.
PJ_INLINE void settle(__m256i& x) { asm volatile("" : "+x"(x)); }

// sum += the two products of each lane, 16 bits each: collected first, products take registers.
PJ_INLINE void add_pairs(__m256i& sum, __m256i x, __m256i w) {
  asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(_mm256_madd_epi16(x, w)));
}
// x from memory, at a multiple of 32 bytes.
PJ_INLINE void add_pairs(__m256i& sum, const std::byte* x, __m256i w) {
  __m256i products;
  asm("vpmaddwd %2, %1, %0" : "=x"(products) : "x"(w), "m"(*reinterpret_cast<const __m256i*>(x)));
  asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(products));
}

// sum += the four products of each lane: unsigned bytes x, signed bytes w. With VEX encoding: CPUs
// with AVX-VNNI need not have AVX512.
PJ_INLINE void add_quads(__m256i& sum, __m256i x, __m256i w) {
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(w));
}

// acc = a * b + acc, rounded once.
PJ_INLINE void add_product(__m256& acc, __m256 a, __m256 b) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}

struct FourBytes {
  uint8_t bytes[4];
};

// Four bytes in all lanes, flipped. One piece, so that no compiler loads the next ones before these
// are used.
PJ_INLINE __m256i flipped_quad(const uint8_t* p, __m256i flip) {
  __m256i x;
  asm("vpbroadcastd %1, %0\n\tvpxor %2, %0, %0"
      : "=&x"(x)
      : "m"(*reinterpret_cast<const FourBytes*>(p)), "x"(flip));
  return x;
}

#if defined(__AVX512F__)

PJ_INLINE void load_now(__m512i& v, const void* p) {
  asm("vmovdqu64 %1, %0" : "=v"(v) : "m"(*static_cast<const __m512i_u*>(p)));
}

PJ_INLINE void settle(__m512i& x) { asm volatile("" : "+v"(x)); }

PJ_INLINE void add_quads(__m512i& sum, __m512i x, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(w));
}
// w from memory.
PJ_INLINE void add_quads(__m512i& sum, __m512i x, const void* w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "m"(*static_cast<const __m512i_u*>(w)));
}

// Four bytes in all lanes, flipped.
PJ_INLINE __m512i flipped_quad(const uint8_t* p, __m512i flip) {
  __m512i x;
  asm("vpxord %1%{1to16%}, %2, %0"
      : "=v"(x)
      : "m"(*reinterpret_cast<const FourBytes*>(p)), "v"(flip));
  return x;
}

// The dwords of `to` that `mask` names become those of the bytes at p: a run of `bytes`, 16 or 32,
// which is repeated. Nothing else is read: compilers could load the whole run first.
template <int bytes>
PJ_INLINE __m512i merge_run(__m512i to, __mmask16 mask, const void* p) {
  static_assert(bytes == 16 || bytes == 32);
  if constexpr (bytes == 16) {
    asm("vbroadcasti32x4 %2, %0%{%1%}"
        : "+v"(to)
        : "Yk"(mask), "m"(*static_cast<const __m128i_u*>(p)));
  } else {
    asm("vbroadcasti32x8 %2, %0%{%1%}"
        : "+v"(to)
        : "Yk"(mask), "m"(*static_cast<const __m256i_u*>(p)));
  }
  return to;
}

// The dwords of `to` that `mask` names become those at p, flipped. No others are read.
PJ_INLINE void merge_flipped(__m512i& to, __mmask16 mask, const void* p, __m512i flip) {
  asm("vpxord %3, %2, %0%{%1%}"
      : "+v"(to)
      : "Yk"(mask), "v"(flip), "m"(*static_cast<const __m512i_u*>(p)));
}
// The same with zeros elsewhere.
PJ_INLINE __m512i load_flipped(__mmask16 mask, const void* p, __m512i flip) {
  __m512i v;
  asm("vpxord %3, %2, %0%{%1%}%{z%}"
      : "=v"(v)
      : "Yk"(mask), "v"(flip), "m"(*static_cast<const __m512i_u*>(p)));
  return v;
}

PJ_INLINE void add_product(__m512& acc, __m512 a, __m512 b) {
  asm("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
}
// With *b in all lanes.
PJ_INLINE void add_product(__m512& acc, __m512 a, const float* b) {
  asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(a), "m"(*b));
}

#endif  // defined(__AVX512F__)

}  // namespace
}  // namespace pj
