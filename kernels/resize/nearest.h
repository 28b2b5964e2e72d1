// Nearest neighbour: pixels copied, and whole rows where the source row stays the same.
#pragma once

#include <cstring>

#include "kernels/common/requantize.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

// Copies n bytes with few instructions of fixed size; the last piece overlaps the one before it.
template <int64_t N>
PJ_INLINE void copy_pieces(std::byte* to, const std::byte* from, int64_t n) {
  for (int64_t i = 0; i + N <= n; i += N) std::memcpy(to + i, from + i, N);
  std::memcpy(to + n - N, from + n - N, N);
}
PJ_INLINE void copy_pixel(std::byte* to, const std::byte* from, int64_t n) {
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

template <typename, typename>
void run_nearest(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  const int64_t row_bytes = p.cols * p.pixel_bytes;
  std::byte* y = t.out[0];
  for (int32_t r = 0; r < t.size[kRow]; ++r, y += row_bytes) {
    const ResizeSource* source = p.row(t.begin[kRow] + r);
    if (r > 0 && source->first == source[-1].first) {
      std::memcpy(y, y - row_bytes, static_cast<size_t>(row_bytes));
      continue;
    }
    const std::byte* x = t.in[0] + source->first;
    const ResizeSource* col = p.col(0);
    for (int32_t c = 0; c < p.cols; ++c)
      copy_pixel(y + c * p.pixel_bytes, x + col[c].first, p.pixel_bytes);
  }
}

}  // namespace
}  // namespace pj
