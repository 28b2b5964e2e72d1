// Calm sums: int32 sums of which packing has proven that they, and they times their scale, are
// small. They turn into results with three additions and multiplications of floats instead of two
// conversions, which on many ARM cores have half the throughput or less:
//
//   bits of the float 1.5 * 2^23, plus sum   = 1.5 * 2^23 + sum as a float, if |sum| < 2^22
//   minus 1.5 * 2^23                         = float(sum), exact
//   times the scale, plus 1.5 * 2^23         rounded to nearest even (requantize.h), and its lowest
//                                            bits are the result as an integer
//
// The bits are part of the bias, so that the first addition costs nothing. Portable.
#pragma once

#include <cstdint>

namespace pj {

inline constexpr int32_t kCalmBits = 0x4B400000;
inline constexpr float kCalmFloat = 12582912.0f;

// Whether sums of at most this magnitude are calm: with any zero point added, results fit 16 bits.
constexpr bool is_calm(int64_t magnitude, float scale) {
  return magnitude < (1 << 22) && static_cast<float>(magnitude) * scale < 32000.0f;
}

}  // namespace pj
