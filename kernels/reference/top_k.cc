// The k largest elements of each row (last dimension) and their indices, largest first; equal ones
// in the order of their indices, NaN last.
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

template <typename T>
bool goes_before(T a, T b) {
  return a > b || (a == a && b != b);
}

// Inserts each element into the sorted outputs behind its equals: no memory but the outputs, and
// fast where k is small or few elements get that far.
template <typename T>
void top_k(const T* x, int64_t n, T* values, int32_t* indices, int64_t k) {
  int64_t used = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (used == k && (k == 0 || !goes_before(x[i], values[k - 1]))) continue;
    int64_t place = used < k ? used++ : k - 1;
    for (; place > 0 && goes_before(x[i], values[place - 1]); --place) {
      values[place] = values[place - 1];
      indices[place] = indices[place - 1];
    }
    values[place] = x[i];
    indices[place] = static_cast<int32_t>(i);
  }
}

}  // namespace

void reference_TopK(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const Shape shape = p.input(0).shape;
  const int64_t n = shape.back(0), k = p.output(0).shape.back(0);
  if (n == 0 || k == 0) return;
  const int64_t rows = elements(shape) / n;
  visit_dtype(p.input(0).dtype, [&](auto value) {
    using T = decltype(value);
    if constexpr (std::is_arithmetic_v<T>) {
      for (int64_t r = 0; r < rows; ++r)
        top_k(input<T>(tile, 0) + r * n, n, output<T>(tile, 0) + r * k,
              output<int32_t>(tile, 1) + r * k, k);
    }
  });
}

}  // namespace pj
