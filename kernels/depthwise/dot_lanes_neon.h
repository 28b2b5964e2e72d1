// What dot.h needs of NEON beside dot_neon.h: parts of 16 channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/neon_requantize.h"

namespace pj {
namespace {

using DotLane = uint8x16_t;

// Indices from 128 on give 0.
PJ_INLINE DotLane shuffled(DotLane x, DotLane order) { return vqtbl1q_u8(x, order); }

PJ_INLINE DotLane load_lane(const std::byte* p) {
  return vld1q_u8(reinterpret_cast<const uint8_t*>(p));
}

// The first `count` bytes, 1 to 16, and nothing beyond.
PJ_INLINE DotLane load_part(const std::byte* p, int32_t count) {
  if (count == 16) return load_lane(p);
  uint8_t bytes[16] = {};
  for (int32_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(p[i]);
  return vld1q_u8(bytes);
}

}  // namespace
}  // namespace pj
