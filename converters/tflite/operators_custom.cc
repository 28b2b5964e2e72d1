// Operators outside the standard, known by their names.
#include <algorithm>
#include <cmath>
#include <limits>

#include "converters/tflite/flex_map.h"
#include "converters/tflite/operators.h"

namespace pj {
namespace {

// Reads one attribute after the other; the first defect stays.
class Attributes {
 public:
  explicit Attributes(const FlexMap& map) : map_(map) {}

  void read(const char* key, int32_t& value) {
    const std::optional<double> number = find(key);
    if (!number) return;
    const double limit = std::numeric_limits<int32_t>::max();
    if (!(*number >= -limit && *number <= limit) || *number != std::trunc(*number)) {
      fail("option '{}' is {}, not a 32-bit integer", key, *number);
      return;
    }
    value = static_cast<int32_t>(*number);
  }
  void read(const char* key, float& value) {
    const std::optional<double> number = find(key);
    if (!number) return;
    // Beyond the range of float a conversion is undefined; NaN fails the comparison, too.
    const double limit = std::numeric_limits<float>::max();
    if (!(*number >= -limit && *number <= limit)) {
      fail("option '{}' is {}, not a finite number", key, *number);
      return;
    }
    value = static_cast<float>(*number);
  }
  template <typename T>
  void read_optional(const char* key, T& value) {
    if (map_.find(key)) read(key, value);
  }
  const Status& status() const { return status_; }

 private:
  std::optional<double> find(const char* key) {
    const std::optional<double> number = map_.find(key);
    if (!number) fail("option '{}' is missing or not a number", key);
    return number;
  }
  template <typename... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (status_) status_ = error(ErrorCode::kModelInvalid, format, std::forward<Args>(args)...);
  }
  const FlexMap& map_;
  Status status_;
};

Status map_detection_post_process(const Node& node, Op& op) {
  PJ_ASSIGN(const FlexMap map, FlexMap::parse(node.custom_options));
  Attributes attributes(map);
  DetectionParams p;
  attributes.read("max_detections", p.max_detections);
  attributes.read("max_classes_per_detection", p.max_classes_per_detection);
  attributes.read("num_classes", p.num_classes);
  attributes.read("nms_score_threshold", p.score_threshold);
  attributes.read("nms_iou_threshold", p.iou_threshold);
  attributes.read("y_scale", p.y_scale);
  attributes.read("x_scale", p.x_scale);
  attributes.read("h_scale", p.h_scale);
  attributes.read("w_scale", p.w_scale);
  attributes.read_optional("detections_per_class", p.detections_per_class);
  int32_t regular = 0;
  attributes.read_optional("use_regular_nms", regular);
  p.use_regular_nms = regular != 0;
  PJ_TRY(attributes.status());
  return set<OpKind::kDetectionPostProcess>(op, p);
}

// MediaPipe's transposed convolution with bias. Its options are the bytes of a C struct, little-
// endian: padding (1 SAME, 2 VALID), stride_width, stride_height, and more in later versions.
struct TransposeBiasOptions {
  int32_t padding, stride_w, stride_h;
};

Result<TransposeBiasOptions> read_transpose_bias_options(std::span<const std::byte> bytes) {
  TransposeBiasOptions o{};
  if (bytes.size() < sizeof(o)) {
    return error(ErrorCode::kModelInvalid,
                 "its custom options have {} bytes, fewer than {}; convert the model again",
                 bytes.size(), sizeof(o));
  }
  std::memcpy(&o, bytes.data(), sizeof(o));
  constexpr int32_t kMaxStride = 1 << 16;
  const bool strides_ok =
      o.stride_w >= 1 && o.stride_h >= 1 && o.stride_w <= kMaxStride && o.stride_h <= kMaxStride;
  if (strides_ok && (o.padding == 1 || o.padding == 2)) return o;
  return error(ErrorCode::kModelInvalid,
               "padding {} and stride {}x{} in its custom options; padding must be 1 (SAME) or 2 "
               "(VALID), strides positive",
               o.padding, o.stride_h, o.stride_w);
}

struct TransposeAxis {
  int32_t out, before, after;
};

// One spatial axis. What a strided window leaves uncovered at the end of a convolution's input is
// cut off here with SAME; half of it, rounded down, before.
Result<TransposeAxis> transpose_axis(int64_t in, int64_t kernel, int64_t stride, bool same) {
  const int64_t cut = same ? std::max<int64_t>(0, kernel - (in - 1) % stride - 1) : 0;
  const int64_t out = (in - 1) * stride + kernel - cut;
  if (out > std::numeric_limits<int32_t>::max())
    return error(ErrorCode::kLimitExceeded, "an output of {} rows or columns", out);
  return TransposeAxis{static_cast<int32_t>(out), static_cast<int32_t>(cut / 2),
                       static_cast<int32_t>(cut - cut / 2)};
}

Status map_transpose_conv_bias(const Node& node, Op& op) {
  PJ_ASSIGN(const TransposeBiasOptions o, read_transpose_bias_options(node.custom_options));
  PJ_TRY(require_input(op, 0, "x"));
  PJ_TRY(require_input(op, 1, "weights"));
  const Shape& x = node.graph.tensor(op.inputs[0]).shape;
  const Shape& weights = node.graph.tensor(op.inputs[1]).shape;
  auto sized = [](const Shape& s) { return s.rank() == 4 && s[1] > 0 && s[2] > 0; };
  if (!sized(x) || !sized(weights)) {
    return error(ErrorCode::kModelUnsupported,
                 "x of {} and weights of {}; both need 4 dimensions and known rows and columns",
                 to_string(x), to_string(weights));
  }
  PJ_ASSIGN(const TransposeAxis h, transpose_axis(x[1], weights[1], o.stride_h, o.padding == 1));
  PJ_ASSIGN(const TransposeAxis w, transpose_axis(x[2], weights[2], o.stride_w, o.padding == 1));
  TransposeConv2DParams p;
  p.stride_h = o.stride_h;
  p.stride_w = o.stride_w;
  p.out_h = h.out;
  p.out_w = w.out;
  p.padding = {PadMode::kExplicit, h.before, h.after, w.before, w.after};
  return set<OpKind::kTransposeConv2D>(op, p);
}

constexpr CustomRow kRows[] = {
    {"TFLite_Detection_PostProcess", map_detection_post_process},
    {"Convolution2DTransposeBias", map_transpose_conv_bias},
};

}  // namespace

std::span<const CustomRow> custom_operators() { return kRows; }

}  // namespace pj
