// Windows that slide over images: what convolutions and pooling share.
#pragma once

#include "runtime/graph/op_checks.h"

namespace pj {

// Limits of attributes, far above any real model; they keep positions within 64 bits.
inline constexpr int32_t kMaxWindowStep = 1 << 16;  // stride, dilation, border
inline constexpr int64_t kMaxWindow = 1 << 24;      // extent of a window, dilation included

Status check_step(const char* attribute, int32_t value);
Status check_padding(const Padding& p);

// One dimension of a window; the kernel may be unknown.
struct WindowDim {
  const char* name;  // "height" or "width"
  int32_t in, kernel, stride, dilation, before, after;
};
// Number of positions, kUnknownDim if that is not known yet. Error: the window is larger than the
// padded input.
Result<int32_t> window_positions(PadMode mode, const WindowDim& d);

// The same quantisation, so that stored numbers may be taken over as they are. Scales may differ by
// the rounding of the program that wrote them.
Status require_same_quantization(const std::string& first, const Quantization& a,
                                 const std::string& second, const Quantization& b);

}  // namespace pj
