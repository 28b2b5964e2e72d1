// The first bytes of a panel of PackingId::kConvDots, kConvMulls and kDepthwiseWide. Portable.
#pragma once

#include <cstdint>
#include <cstring>

namespace pj {

struct PanelFlags {
  int32_t calm;    // sums are calm (kernels/common/calm_sums.h), and the bias has their bits
  int32_t paired;  // kConvMulls: two products that are 8 k's apart always fit 16 bits together
  int32_t centered;  // kConvMulls: weights have no zero point, which is subtracted already
  int32_t shared;    // kConvMulls: so do four products, of two turns that are two apart
};
inline constexpr int64_t kPanelFlagBytes = 16;
static_assert(sizeof(PanelFlags) == kPanelFlagBytes);

inline PanelFlags flags_of(const void* panel) {
  PanelFlags flags;
  std::memcpy(&flags, panel, sizeof(flags));
  return flags;
}

}  // namespace pj
