// Winograd's F(2 x 2, 3 x 3), as planner, packing and kernel see it: an output block of 2 x 2
// pixels takes 16 products a pair of channels instead of 36 (Lavin and Gray, Fast Algorithms for
// Convolutional Neural Networks, 2015).
//
//   y = A' [ (G g G') * (B' d B) ] A      g: 3 x 3 weights, d: 4 x 4 inputs, *: element by element
//
// Over all channels, each of the 16 elements ("places") is a matrix product of blocks by channels.
//
// Error: at most (in_channels + 10) * 2^-24 times what the formula gives with the magnitudes of all
// its numbers: sums of in_channels products, one rounding of U = G g G', two of each element of
// B' d B, four of A' m A, one of the bias (Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1, to first order). An infinity may become NaN in outputs that see it, never in others.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv/conv.h"

namespace pj {

inline constexpr int32_t kWinogradPlaces = 16;

// A panel of packed weights is, for each place, like a panel of a 1 x 1 convolution: bias[nr], zero
// but where one place counts in all four outputs, then weights [in_channels][nr].
inline constexpr int32_t kWinogradBiasPlace = 5;

constexpr int64_t winograd_place_bytes(int32_t in_channels, int32_t nr) {
  return (int64_t{in_channels} + 1) * nr * static_cast<int64_t>(sizeof(float));
}

// Blocks that are computed together: what is computed of them stays in L2.
constexpr int32_t winograd_blocks(int32_t in_channels) {
  constexpr int32_t kBytes = 128 << 10, kMost = 24;
  return std::clamp(kBytes / (kWinogradPlaces * in_channels * 4), 6, kMost);
}

// Where scratch has the transformed inputs of so many blocks, place by place, the products of two
// panels likewise, and copies of the inputs of one block. Places are an odd number of cache lines
// apart, so that L1 has room for a line of each.
struct WinogradScratch {
  int64_t inputs, products;  // bytes of a place
  int64_t products_at, block_at, total;

  constexpr WinogradScratch(int32_t blocks, int32_t in_channels, int32_t nr)
      : inputs(odd_lines(int64_t{blocks} * in_channels * 4)),
        products(odd_lines(int64_t{blocks} * 2 * nr * 4)),
        products_at(kWinogradPlaces * inputs),
        block_at(products_at + kWinogradPlaces * products),
        total(block_at + int64_t{kWinogradPlaces} * in_channels * 4) {}

  static constexpr int64_t odd_lines(int64_t bytes) { return ((bytes + 63) / 64 | 1) * 64; }
};

}  // namespace pj
