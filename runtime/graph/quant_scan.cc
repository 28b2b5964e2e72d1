#include "runtime/graph/quant_scan.h"

namespace pj {

// Without exits, so that compilers make vectors of the loops.
bool all_within(std::span<const float> numbers, float low, float high) {
  unsigned outside = 0;
  for (float x : numbers) outside |= unsigned{!(x >= low)} | unsigned{!(x <= high)};
  return outside == 0;
}

bool all_zero(std::span<const int32_t> numbers) {
  int32_t any = 0;
  for (int32_t x : numbers) any |= x;
  return any == 0;
}

}  // namespace pj
