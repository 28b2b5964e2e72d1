// How a row of pixels is cut into blocks of the sizes that a kernel has code for.
#pragma once

#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {
namespace {

// Fn computes a number of blocks of `pixels` each.
template <typename Fn>
struct BlockSize {
  int32_t pixels;
  Fn blocks;
};

// Sizes from the largest on, the last one 1.
template <typename Fn>
struct BlockSizes {
  const BlockSize<Fn>* sizes;
  int32_t count;

  // The smallest size of at least `pixels`; the largest if there is none.
  const BlockSize<Fn>& at_least(int32_t pixels) const {
    int32_t i = count - 1;
    while (i > 0 && sizes[i].pixels < pixels) --i;
    return sizes[i];
  }
  const BlockSize<Fn>& at_most(int32_t pixels) const {
    int32_t i = 0;
    while (sizes[i].pixels > pixels) ++i;
    return sizes[i];
  }
};

template <typename Fn>
struct RowCut {
  struct Run {
    Fn blocks;
    int32_t col, count;
    int32_t pixels;  // of a block
  };
  Run runs[8];
  int32_t count = 0;
};

// Appends the runs of columns [done, cols).
template <typename Fn>
PJ_INLINE void cut_row(int32_t done, int32_t cols, const BlockSizes<Fn>& sizes, RowCut<Fn>& cut) {
  const int32_t largest = sizes.sizes[0].pixels;
  while (done < cols) {
    // Into the fewest blocks, as equal as the sizes allow: some of n pixels, the others of n - 1.
    const int32_t left = cols - done;
    const int32_t blocks = (left + largest - 1) / largest;
    const int32_t n = (left + blocks - 1) / blocks;
    const BlockSize<Fn>* size = &sizes.at_least(n);
    if (size->pixels > cols) size = &sizes.at_most(left);
    const bool exact = size->pixels == n && &sizes.at_least(n - 1) != size;
    const int32_t count = exact ? left - (n - 1) * blocks : left / size->pixels;
    if (count > 0) {
      cut.runs[cut.count++] = {size->blocks, done, count, size->pixels};
      done += count * size->pixels;
    } else {
      // One block that computes pixels again which the one before it has.
      cut.runs[cut.count++] = {size->blocks, cols - size->pixels, 1, size->pixels};
      done = cols;
    }
  }
}

}  // namespace
}  // namespace pj
