// IEEE 754 binary16 <-> binary32, in portable C++ that compilers vectorise.
//
// Always inlined: kernels use them in files compiled for different ISA levels
// (kernels/common/requantize.h says why).
#pragma once

#include <bit>
#include <cstdint>

namespace pj {

struct Half {
  uint16_t bits;
};

// Exact. The 10-bit fraction moves to the top of the 23-bit one; multiplying by 2^112 repairs the
// exponent bias and normalises denormals on the way; infinities and NaNs get their exponent back.
[[gnu::always_inline]] inline float to_float(Half h) {
  const uint32_t magnitude = static_cast<uint32_t>(h.bits & 0x7fffu) << 13;
  const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
  const uint32_t special = (h.bits & 0x7c00u) == 0x7c00u ? 0x7f800000u : 0u;
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(scaled) | special | sign);
}

// Rounds to nearest even; overflow becomes infinity, NaN stays NaN (quieted).
[[gnu::always_inline]] inline Half to_half(float f) {
  const uint32_t x = std::bit_cast<uint32_t>(f);
  const uint32_t sign = (x >> 16) & 0x8000u;
  const uint32_t magnitude = x & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return {static_cast<uint16_t>(sign | 0x7e00u)};
  if (magnitude >= 0x477ff000u) return {static_cast<uint16_t>(sign | 0x7c00u)};
  if (magnitude < 0x38800000u) {
    // Below the smallest normal half: adding 0.5 makes the FPU round at bit 2^-24.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u))};
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return {static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13))};
}

}  // namespace pj
