// What the two forms of dot.h with vectors of 256 bits share: AVX2 and AVX-VNNI.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/instructions_x86.h"
#include "kernels/depthwise/dot_lanes.h"
#include "kernels/depthwise/dot_shape.h"

namespace pj {
namespace {

struct Dot256 {
  using Stage = DotStage;
  static constexpr bool kUnsigned = true;  // inputs, as products see them
  static constexpr bool kPlainStores = false;
  static constexpr bool kMasks = false;
  using Bytes = __m256i;
  using Sums = __m256i;
  static constexpr int kBytes = 32;

  PJ_INLINE static void store(std::byte* p, Bytes v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  PJ_INLINE static Sums load_sums(const std::byte* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  PJ_INLINE static void settle(Sums& x) { pj::settle(x); }
  PJ_INLINE static Bytes load_quads(const std::byte* p) {
    Bytes v;
    load_now(v, p);
    return v;
  }
};

// From sums to results in memory: what all of them need.
struct Finish256 {
  LaneStage stage;
  const std::byte* scale;
  int32_t channels;

  PJ_INLINE Finish256(const DotStage& s, const std::byte* scales, const DotPanelHeader& header,
                      int32_t count)
      : stage(s, header.limited != 0), scale(scales), channels(count) {}
};

}  // namespace
}  // namespace pj
