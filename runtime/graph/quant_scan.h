// Loops over the quantisation of all channels of all tensors, tens of thousands of numbers at every
// load. They are compiled for speed, unlike what is around them.
#pragma once

#include <cstdint>
#include <span>

namespace pj {

// True if every number is in [low, high]; false if there is a NaN.
bool all_within(std::span<const float> numbers, float low, float high);
bool all_zero(std::span<const int32_t> numbers);
// `count` zeros that live forever, which all_zero() knows without reading them; none if they would
// be more than most tensors have channels.
std::span<const int32_t> shared_zeros(size_t count);

}  // namespace pj
