// Words of 32 bits in vectors of four, portably.
//
// Compiled for several ISA levels, hence the anonymous namespace.
#pragma once

#include <cstdint>

namespace pj {
namespace {

// A register where there are registers of 128 bits.
typedef uint32_t Quad __attribute__((vector_size(16)));

// The 4 x 4 matrix of words in `rows`, transposed in place.
inline void transpose_quads(Quad (&rows)[4]) {
  const Quad low01 = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
  const Quad low23 = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
  const Quad high01 = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
  const Quad high23 = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
  rows[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  rows[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  rows[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  rows[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

}  // namespace
}  // namespace pj
