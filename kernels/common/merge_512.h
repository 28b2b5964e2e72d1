// Several short runs of bytes in one register of AVX512.
#pragma once

#include <immintrin.h>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// The dwords of `to` that `mask` names become those of the bytes at p: a run of `bytes`, 16 or 32,
// which is repeated. Nothing else is read. One instruction, in assembly because compilers could
// load the whole run first.
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

}  // namespace
}  // namespace pj
