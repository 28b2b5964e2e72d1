// Permutations of blocks as boxes: the rule of DepthToSpace, SpaceToDepth, SpaceToBatch and
// BatchToSpace.
#pragma once

#include <algorithm>

#include "kernels/reference/copy.h"

namespace pj::ref {

// The pixels [n, h*b + i, w*b + j, c] of the large image are the channels [n, h, w, (i*b + j)*C +
// c] of the deep one. Both are walked in the order n, h, i, w, j, c.
struct BlockWalk {
  Shape shape;
  Box large, deep;
};

inline BlockWalk block_walk(const Shape& deep, int32_t b) {
  const int32_t channels = deep[3] / b / b;
  const int64_t c = channels, w = deep[2], h = deep[1];
  return {{deep[0], deep[1], b, deep[2], b, channels},
          {0, {h * b * w * b * c, b * w * b * c, w * b * c, b * c, c, 1}},
          {0, {h * w * b * b * c, w * b * b * c, b * c, b * b * c, c, 1}}};
}

// Batch q*N + n of the small images holds every block-th pixel of image n, beginning at the q-th
// position within a block. `copy(shape, small, large)` gets, for each q, the box of pixels that lie
// inside the large image (which the borders extend) and its places in both.
template <typename F>
void for_each_phase(const SpaceBatchParams& p, const Shape& small, const Shape& large, F&& copy) {
  const Strides small_strides = contiguous_strides(small),
                large_strides = contiguous_strides(large);
  const int32_t phases = small[0] / large[0];
  for (int32_t q = 0; q < phases; ++q) {
    Shape box = small;
    box[0] = large[0];
    Box from{int64_t{q} * large[0] * small_strides[0], small_strides};
    Box to{0, large_strides};
    int32_t rest = q;
    for (int32_t i = p.block.count - 1; i >= 0; --i) {
      const int32_t block = p.block[i], dim = i + 1;
      const auto d = static_cast<size_t>(dim);
      // Pixel s of the small image is pixel first + s * block of the large one.
      const int64_t first = int64_t{rest % block} - p.before[i];
      rest /= block;
      const int64_t low = first < 0 ? (-first + block - 1) / block : 0;
      const int64_t inside = large[dim] > first ? (large[dim] - first + block - 1) / block : 0;
      const int64_t high = std::min<int64_t>(inside, small[dim]);
      box[dim] = static_cast<int32_t>(std::max<int64_t>(0, high - low));
      from.offset += low * small_strides[d];
      to.offset += (first + low * block) * large_strides[d];
      to.strides[d] = block * large_strides[d];
    }
    if (elements(box) > 0) copy(box, from, to);
  }
}

}  // namespace pj::ref
