// Sums of the activations under each window: what the zero point of the weights is multiplied with
// (kernels/packing/packing.h). One pass over the tile's input for all its output channels.
//
// The bytes of a segment are added where they lie, by a dot product with ones. Four pixels share
// the addition across lanes.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/vnni_block.h"

namespace pj {
namespace {

// Adds one segment to the lanes of acc.
PJ_INLINE void add_segment(const uint8_t* x, int32_t bytes, const Vnni::Rest& rest, Vnni::Ints flip,
                           Vnni::Ints& acc) {
  int32_t i = 0;
  for (; i + Vnni::kBytes <= bytes; i += Vnni::kBytes)
    acc = Vnni::dot(acc, Vnni::flipped(Vnni::load(x + i), flip), Vnni::set8(1));
  if (i < bytes) acc = Vnni::dot(acc, Vnni::flipped(rest.load(x + i), flip), rest.ones);
}

// -zero point of the weights * sum of a pixel's window, for `cols` pixels of a row and up to three
// more numbers. `rows` is that of VnniRow.
PJ_INLINE void find_corrections(const VnniTile& t, int32_t segment_bytes, const Vnni::Rest& rest,
                                const uint8_t* const* rows, int32_t cols, int32_t* corrections) {
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  const __m128i factor = _mm_set1_epi32(-t.weights_zero_point);
  for (int32_t col = 0; col < cols; col += 4) {
    int64_t at[4];
    for (int32_t i = 0; i < 4; ++i) at[i] = (col + i < cols ? col + i : cols - 1) * t.pixel_step;
    Vnni::Ints sums[4] = {};
    const uint8_t* const* row = rows;
    for (int32_t ky = 0; ky < t.kernel_h; ++ky, row += t.row_step) {
      const uint8_t* segment = *row;
      for (int32_t s = 0; s < t.segments; ++s, segment += t.segment_step) {
        unrolled<4>([&](auto i) __attribute__((always_inline)) {
          add_segment(segment + at[i], segment_bytes, rest, flip, sums[i]);
        });
      }
    }
    const __m128i lanes = Vnni::across(sums[0], sums[1], sums[2], sums[3]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(corrections + col), _mm_mullo_epi32(lanes, factor));
  }
}

}  // namespace
}  // namespace pj
