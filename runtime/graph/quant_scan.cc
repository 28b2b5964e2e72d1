#include "runtime/graph/quant_scan.h"

namespace pj {

// Without exits, so that compilers make vectors of the loops.
bool all_within(std::span<const float> numbers, float low, float high) {
  unsigned outside = 0;
  for (float x : numbers) outside |= unsigned{!(x >= low)} | unsigned{!(x <= high)};
  return outside == 0;
}

namespace {

int32_t g_zeros[4096];  // never written, so that they take no memory

}  // namespace

std::span<const int32_t> shared_zeros(size_t count) {
  return count <= std::size(g_zeros) ? std::span<const int32_t>(g_zeros, count)
                                     : std::span<const int32_t>();
}

bool all_zero(std::span<const int32_t> numbers) {
  if (numbers.data() == g_zeros) return true;
  int32_t any = 0;
  for (int32_t x : numbers) any |= x;
  return any == 0;
}

}  // namespace pj
