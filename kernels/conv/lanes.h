// Addresses of several pixels in few registers. For files that are compiled once for each ISA
// level.
#pragma once

#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// Makes the compiler forget what it knows of p. Otherwise it keeps a pointer a pixel, on the stack
// where registers run out, instead of using address arithmetic of instructions.
template <typename T>
PJ_INLINE void forget(T*& p) {
  asm volatile("" : "+r"(p));
}

// `count` rows of bytes at equal distances, read at the same place: a pointer for each three,
// since an address has the form pointer + {0, 1, 2} * distance.
template <int count>
struct Lanes {
  const uint8_t* at[(count + 2) / 3];
  int64_t distance;

  PJ_INLINE Lanes(const uint8_t* first, int64_t between) : distance(between) {
    for (int i = 0; i < (count + 2) / 3; ++i) at[i] = first + 3 * i * between;
  }
  PJ_INLINE const uint8_t* operator[](int i) const { return at[i / 3] + i % 3 * distance; }
  PJ_INLINE void advance(int64_t bytes) {
    for (const uint8_t*& p : at) {
      p += bytes;
      forget(p);
    }
  }
};

}  // namespace
}  // namespace pj
