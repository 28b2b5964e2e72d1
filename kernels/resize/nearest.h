// Nearest neighbour: pixels copied, and whole rows where the source row stays the same.
#pragma once

#include "kernels/move/copy_run.h"
#include "kernels/resize/resize.h"

namespace pj {
namespace {

template <typename, typename>
void run_nearest(const Tile& t) {
  const auto& p = *static_cast<const ResizeKernelParams*>(t.params);
  const int64_t row_bytes = p.cols * p.pixel_bytes;
  std::byte* y = t.out[0];
  const std::byte* const* rows = t.rows;
  for (int32_t r = 0; r < t.size[kRow]; ++r, y += row_bytes) {
    const ResizeSource* source = p.row(t.begin[kRow] + r);
    if (r > 0 && source->first == source[-1].first) {
      std::memcpy(y, y - row_bytes, static_cast<size_t>(row_bytes));
      continue;
    }
    const std::byte* x = t.in[0] != nullptr ? t.in[0] + source->first : *rows++;
    const ResizeSource* col = p.col(0);
    for (int32_t c = 0; c < p.cols; ++c)
      copy_run(y + c * p.pixel_bytes, x + col[c].first, p.pixel_bytes);
  }
}

}  // namespace
}  // namespace pj
