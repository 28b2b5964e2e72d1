// Made-up numbers, the same on every machine, about as fast as memory takes them.
#pragma once

#include <cstdint>
#include <span>

#include "runtime/base/half.h"

namespace pj {

// Deviation of fill_bytes()'s numbers.
inline constexpr float kByteDeviation = 73.9f;

// Evenly distributed in [-127, 127]: what int8 weights with symmetric scales look like.
void fill_bytes(uint64_t seed, std::span<int8_t> out);
// Evenly distributed in [-1, 1).
void fill_units(uint64_t seed, std::span<float> out);

// out[i] = bytes[i] * the scale of i's channel. Channels follow each other `inner` elements apart,
// and again from the first after the last.
void scale_bytes(std::span<const int8_t> bytes, std::span<const float> scales, size_t inner,
                 float* out);
void scale_bytes(std::span<const int8_t> bytes, std::span<const float> scales, size_t inner,
                 Half* out);

}  // namespace pj
