// Copies of short runs of bytes. A call of memcpy costs more than these move.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// n >= N bytes with instructions for N bytes; the last piece overlaps the one before it.
template <int64_t N>
PJ_INLINE void copy_pieces(std::byte* to, const std::byte* from, int64_t n) {
  for (int64_t i = 0; i + N <= n; i += N) std::memcpy(to + i, from + i, N);
  std::memcpy(to + n - N, from + n - N, N);
}

PJ_INLINE void copy_run(std::byte* to, const std::byte* from, int64_t n) {
  if (n >= 256) {
    std::memcpy(to, from, static_cast<size_t>(n));
  } else if (n >= 16) {
    copy_pieces<16>(to, from, n);
  } else if (n >= 4) {
    copy_pieces<4>(to, from, n);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

}  // namespace
}  // namespace pj
