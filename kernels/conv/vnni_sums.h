// Sums of the activations under each window: what the zero point of the weights is multiplied with
// (kernels/packing/packing.h). One pass over the tile's input for all its output channels.
//
// The bytes of a segment are added where they lie, by a dot product with ones. kSumPixels pixels
// share the addition across lanes.
//
// Compiled once for each ISA level, hence the anonymous namespace.
#pragma once

#include "kernels/conv/vnni_block.h"

namespace pj {
namespace {

// -zero point of the weights * sum of a pixel's window, for `cols` pixels of a row, and more
// numbers up to kSumPixels. `rows` is that of VnniRow. `rest` is for the bytes of a segment after
// whole registers; `small` says that there are no whole ones.
template <bool small>
[[gnu::noinline]] void find_corrections(const VnniTile& t, int32_t segment_bytes,
                                        const Vnni::Rest& rest, const uint8_t* const* rows,
                                        int32_t cols, int32_t* corrections) {
  constexpr int kPixels = Vnni::kSumPixels;
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  int64_t at[kPixels];
  for (int32_t i = 0; i < kPixels; ++i) at[i] = (i < cols ? i : cols - 1) * t.pixel_step;
  for (int32_t done = 0; done < cols; done += kPixels) {
    // The last pixels overlap those before them.
    const int32_t last = cols > kPixels ? cols - kPixels : 0, col = done < last ? done : last;
    Vnni::Ints sums[kPixels] = {};
    const uint8_t* const* row = rows;
    for (int32_t ky = 0; ky < t.kernel_h; ++ky, row += t.row_step) {
      const uint8_t* segment = *row + col * t.pixel_step;
      for (int32_t s = 0; s < t.segments; ++s, segment += t.segment_step) {
        unrolled<kPixels>([&](auto i) __attribute__((always_inline)) {
          const uint8_t* x = segment + at[i];
          int32_t left = segment_bytes;
          if constexpr (!small) {
            for (; left >= Vnni::kBytes; left -= Vnni::kBytes, x += Vnni::kBytes)
              sums[i] = Vnni::dot(sums[i], Vnni::flipped(Vnni::load(x), flip), Vnni::set8(1));
            if (left == 0) return;
          }
          sums[i] = Vnni::dot(sums[i], Vnni::flipped(rest.load(x), flip), rest.ones);
        });
      }
    }
    Vnni::store_sums(corrections + col, sums, -t.weights_zero_point);
  }
}

}  // namespace
}  // namespace pj
