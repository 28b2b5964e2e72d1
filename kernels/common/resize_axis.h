// Where the elements of a resized dimension come from: the one home of the rule. Source coordinates
// are computed in f32, as TFLite and XNNPACK do, so that the same neighbour is chosen where the
// exact position lies on an edge.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/common/requantize.h"

namespace pj {

// How output indices of one dimension map to the input.
struct ResizeAxis {
  int32_t in;
  float scale;
  bool align_corners, half_pixel;

  ResizeAxis(int32_t in_size, int32_t out_size, const ResizeParams& a)
      : in(in_size), align_corners(a.align_corners), half_pixel(a.half_pixel) {
    const bool corners = align_corners && out_size > 1;
    scale = static_cast<float>(in_size - corners) / static_cast<float>(out_size - corners);
  }

  int32_t nearest(int32_t o) const {
    const float position = (static_cast<float>(o) + (half_pixel ? 0.5f : 0.0f)) * scale;
    return inside(align_corners ? std::round(position) : std::floor(position));
  }

  // Between which two elements the output lies, and how far from the first.
  struct Between {
    int32_t first, second;
    float fraction;
  };
  Between between(int32_t o) const {
    const float offset = half_pixel ? 0.5f * scale - 0.5f : 0.0f;
    const float position = std::min(std::max<float>(static_cast<float>(o) * scale + offset, 0.0f),
                                    static_cast<float>(in - 1));
    const int32_t first = inside(position);
    return {first, std::min(first + 1, in - 1), position - static_cast<float>(first)};
  }

 private:
  // As an index. Of more than 2^24 elements, the last one as a float may be one that is not there.
  int32_t inside(float position) const {
    return static_cast<int32_t>(std::min<int64_t>(static_cast<int64_t>(position), in - 1));
  }
};

// Weights of 8-bit interpolation have 11 bits.
inline constexpr int kResizeBits = 11;
inline int32_t resize_weight(float fraction) {
  return round_to_int(fraction * static_cast<float>(1 << kResizeBits));
}

}  // namespace pj
