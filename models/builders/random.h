// Made-up numbers, the same on every machine, about as fast as memory takes them.
#pragma once

#include <cstdint>
#include <span>

namespace pj {

// Deviation of fill_bytes()'s numbers.
inline constexpr float kByteDeviation = 73.9f;

// Evenly distributed in [-127, 127]: what int8 weights with symmetric scales look like.
void fill_bytes(uint64_t seed, std::span<int8_t> out);
// Evenly distributed in [-1, 1).
void fill_units(uint64_t seed, std::span<float> out);

}  // namespace pj
