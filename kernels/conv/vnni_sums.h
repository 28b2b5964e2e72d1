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
// numbers up to kSumPixels. `rows` is that of VnniRow. `add(x, at, sums)` adds the segments at x +
// at[i] of pixels i to vectors of sums, of `parts` pixels each.
template <int parts, typename Add>
PJ_INLINE void for_sums(const VnniTile& t, const uint8_t* const* rows, int32_t cols,
                        int32_t* corrections, Add&& add) {
  constexpr int kPixels = Vnni::kSumPixels;
  int64_t at[kPixels];
  for (int32_t i = 0; i < kPixels; ++i) at[i] = (i < cols ? i : cols - 1) * t.pixel_step;
  for (int32_t done = 0; done < cols; done += kPixels) {
    // The last pixels overlap those before them.
    const int32_t last = cols > kPixels ? cols - kPixels : 0, col = done < last ? done : last;
    Vnni::Ints sums[kPixels / parts] = {};
    const uint8_t* const* row = rows;
    for (int32_t ky = 0; ky < t.kernel_h; ++ky, row += t.row_step) {
      const uint8_t* segment = *row + col * t.pixel_step;
      for (int32_t s = 0; s < t.segments; ++s, segment += t.segment_step) {
        // clang would step 16 pointers instead of one.
        const int64_t* offsets = at;
        forget(offsets);
        add(segment, offsets, sums);
      }
    }
    Vnni::store_sums<parts>(corrections + col, sums, -t.weights_zero_point);
  }
}

// For segments of any length.
[[maybe_unused, gnu::noinline]] void find_corrections(const VnniTile& t, int32_t segment_bytes,
                                                      const uint8_t* const* rows, int32_t cols,
                                                      int32_t* corrections) {
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  const Vnni::Rest all(Vnni::kBytes), rest((segment_bytes - 1) % Vnni::kBytes + 1);
  for_sums<1>(
      t, rows, cols, corrections,
      [&](const uint8_t* segment, const int64_t* at, auto& sums) __attribute__((always_inline)) {
        // Pixels inside: the additions to one sum would wait for each other.
        for (int32_t offset = 0; offset < segment_bytes; offset += Vnni::kBytes) {
          const Vnni::Rest& part = segment_bytes - offset > Vnni::kBytes ? all : rest;
          unrolled<Vnni::kSumPixels>([&](auto i) __attribute__((always_inline)) {
            const auto bytes = part.load(segment + at[i] + offset);
            sums[i] = Vnni::dot(sums[i], Vnni::flipped(bytes, flip), part.ones);
          });
        }
      });
}

// For segments of at most kBytes / parts bytes: loads of whole registers would cross lines.
template <typename Isa, int parts>
[[gnu::noinline]] void find_short_corrections(const VnniTile& t, int32_t segment_bytes,
                                              const uint8_t* const* rows, int32_t cols,
                                              int32_t* corrections) {
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  const typename Isa::template Parts<parts> segments(segment_bytes);
  for_sums<parts>(
      t, rows, cols, corrections,
      [&](const uint8_t* segment, const int64_t* at, auto& sums) __attribute__((always_inline)) {
        unrolled<Isa::kSumPixels / parts>([&](auto j) __attribute__((always_inline)) {
          const auto x = segments.load(segment, at + Isa::template first_pixel<parts>(j));
          sums[j] = Vnni::dot(sums[j], Vnni::flipped(x, flip), segments.ones);
        });
      });
}

// For windows of 16 bytes a row that follow each other in memory, at least 16 of them: four to a
// load, where the function above loads each by itself.
template <typename Isa>
[[gnu::noinline]] void find_dense_corrections(const VnniTile& t, int32_t,
                                              const uint8_t* const* rows, int32_t cols,
                                              int32_t* corrections) {
  const Vnni::Ints flip = Vnni::set32(t.in_flip);
  for (int32_t done = 0; done < cols; done += Isa::kSumPixels) {
    const int32_t last = cols - Isa::kSumPixels, col = done < last ? done : last;
    Vnni::Ints sums[4] = {};
    const uint8_t* const* row = rows;
    for (int32_t ky = 0; ky < t.kernel_h; ++ky, row += t.row_step) {
      unrolled<4>([&](auto j) __attribute__((always_inline)) {
        const auto x = Vnni::load(*row + col * 16 + j * Vnni::kBytes);
        sums[j] = Vnni::dot(sums[j], Vnni::flipped(x, flip), Vnni::set8(1));
      });
    }
    Isa::store_dense_sums(corrections + col, sums, -t.weights_zero_point);
  }
}

using VnniCorrectionsFn = void (*)(const VnniTile&, int32_t segment_bytes,
                                   const uint8_t* const* rows, int32_t cols, int32_t* corrections);
template <typename Isa>
PJ_INLINE VnniCorrectionsFn corrections_for(const VnniTile& t, int32_t segment_bytes,
                                            int32_t cols) {
  if constexpr (Isa::kMaxPanels == 4) {
    if (segment_bytes == 16 && t.pixel_step == 16 && cols >= Isa::kSumPixels)
      return find_dense_corrections<Isa>;
    if (segment_bytes <= 16) return find_short_corrections<Isa, 4>;
    if (segment_bytes <= 32) return find_short_corrections<Isa, 2>;
  }
  return find_corrections;
}

}  // namespace
}  // namespace pj
