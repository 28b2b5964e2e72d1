#include "runtime/graph/op_windows.h"

#include <cmath>

#include "runtime/base/aligned.h"

namespace pj {

Status check_step(const char* attribute, int32_t value) {
  if (value >= 1 && value <= kMaxWindowStep) return {};
  return error(ErrorCode::kModelInvalid, "{} {} is outside [1, {}]", attribute, value,
               kMaxWindowStep);
}

Status check_padding(const Padding& p) {
  if (p.mode != PadMode::kExplicit) return {};
  for (int32_t border : {p.top, p.bottom, p.left, p.right}) {
    if (border < 0 || border > kMaxWindowStep) {
      return error(ErrorCode::kModelInvalid, "padding {} is outside [0, {}]", border,
                   kMaxWindowStep);
    }
  }
  return {};
}

Result<int32_t> window_positions(PadMode mode, const WindowDim& d) {
  if (known(d.kernel) && d.kernel < 1) {
    return error(ErrorCode::kModelInvalid, "the window's {} is {}; it must be at least 1", d.name,
                 d.kernel);
  }
  const int64_t extent = known(d.kernel) ? int64_t{d.kernel - 1} * d.dilation + 1 : 1;
  if (extent > kMaxWindow) {
    return error(ErrorCode::kLimitExceeded, "the window's {} with its dilation is {}; at most {}",
                 d.name, extent, kMaxWindow);
  }
  if (!known(d.in)) return kUnknownDim;
  if (mode == PadMode::kSame) return to_dim(ceil_div(d.in, d.stride));
  if (!known(d.kernel)) return kUnknownDim;
  int64_t padded = d.in;
  if (mode == PadMode::kExplicit) padded += int64_t{d.before} + d.after;
  if (extent > padded) {
    return error(ErrorCode::kModelInvalid,
                 "the window's {} is {}, larger than the input of {} with its padding", d.name,
                 extent, padded);
  }
  return to_dim((padded - extent) / d.stride + 1);
}

Status require_same_quantization(const std::string& first, const Quantization& a,
                                 const std::string& second, const Quantization& b) {
  bool same = a.scale.size() == b.scale.size() && a.zero_point == b.zero_point;
  for (size_t i = 0; same && i < a.scale.size(); ++i)
    same = std::abs(a.scale[i] - b.scale[i]) <= 1e-6f * std::abs(a.scale[i]);
  if (same) return {};
  return error(ErrorCode::kModelUnsupported,
               "{} and {} are quantised differently; this operator needs the same scale and zero "
               "point, or a Quantize between them",
               first, second);
}

}  // namespace pj
