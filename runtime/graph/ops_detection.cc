// DetectionPostProcess.
#include <cmath>

#include "runtime/graph/op_checks.h"
#include "runtime/graph/op_rows.h"

namespace pj {
namespace {

constexpr int32_t kMaxDetections = 10000;

Status check_range(const char* attribute, int32_t value, int32_t max) {
  if (value >= 1 && value <= max) return {};
  return error(ErrorCode::kModelInvalid, "{} {} is outside [1, {}]", attribute, value, max);
}

Status check_box_scale(const char* attribute, float value) {
  if (std::isfinite(value) && value != 0) return {};
  return error(ErrorCode::kModelInvalid, "{} {} cannot divide box encodings", attribute, value);
}

Status check_attributes(const DetectionParams& p) {
  PJ_TRY(check_range("max_detections", p.max_detections, kMaxDetections));
  PJ_TRY(check_range("max_classes_per_detection", p.max_classes_per_detection, 1000));
  PJ_TRY(check_range("num_classes", p.num_classes, 1 << 20));
  if (p.use_regular_nms)
    PJ_TRY(check_range("detections_per_class", p.detections_per_class, 1 << 20));
  PJ_TRY(check_box_scale("y_scale", p.y_scale));
  PJ_TRY(check_box_scale("x_scale", p.x_scale));
  PJ_TRY(check_box_scale("h_scale", p.h_scale));
  PJ_TRY(check_box_scale("w_scale", p.w_scale));
  if (std::isnan(p.score_threshold) || !(p.iou_threshold > 0 && p.iou_threshold <= 1)) {
    return error(ErrorCode::kModelInvalid,
                 "thresholds {} (score) and {} (overlap): the score's must be a number, the "
                 "overlap's in (0, 1]",
                 p.score_threshold, p.iou_threshold);
  }
  return {};
}

tl::unexpected<Error> shapes_disagree(const InferContext& ctx, const char* expected) {
  return error(ErrorCode::kModelInvalid,
               "boxes of shape {}, scores of shape {} and anchors of "
               "shape {}; expected {}",
               to_string(input_shape(ctx, 0)), to_string(input_shape(ctx, 1)),
               to_string(input_shape(ctx, 2)), expected);
}

}  // namespace

Status validate_DetectionPostProcess(const InferContext& ctx) {
  PJ_TRY(check_attributes(ctx.op.as<DetectionParams>()));
  for (size_t i = 0; i < 3; ++i) {
    PJ_TRY(require_input_dtype(ctx, i, {DType::kF32, DType::kU8, DType::kI8}));
    if (ctx.input(i).dtype != DType::kF32) PJ_TRY(require_input_quantized(ctx, i));
  }
  for (size_t i = 0; i < ctx.op.outputs.size(); ++i)
    PJ_TRY(require_output_dtype(ctx, i, {DType::kF32}));
  return {};
}

Status infer_DetectionPostProcess(const InferContext& ctx, std::vector<Shape>& outputs) {
  const auto& p = ctx.op.as<DetectionParams>();
  PJ_TRY(require_input_rank(ctx, 0, 3));
  PJ_TRY(require_input_rank(ctx, 1, 3));
  PJ_TRY(require_input_rank(ctx, 2, 2));
  const Shape &boxes = input_shape(ctx, 0), &scores = input_shape(ctx, 1);
  const Shape& anchors = input_shape(ctx, 2);
  if (!dims_agree(boxes[0], 1) || !dims_agree(scores[0], 1))
    return shapes_disagree(ctx, "a batch of 1");
  if (!dims_agree(boxes[1], scores[1]) || !dims_agree(boxes[1], anchors[0]) ||
      !dims_agree(scores[1], anchors[0]))
    return shapes_disagree(ctx, "as many boxes as scores and anchors");
  if ((known(boxes[2]) && boxes[2] < 4) || !dims_agree(anchors[1], 4))
    return shapes_disagree(ctx, "4 numbers for each box and anchor");
  if (known(scores[2]) && scores[2] != p.num_classes && scores[2] != p.num_classes + 1) {
    return error(ErrorCode::kModelInvalid,
                 "{} has {} columns; num_classes {} needs as many, or one more for the background",
                 input_name(ctx, 1), scores[2], p.num_classes);
  }
  const int32_t rows = p.max_detections * p.max_classes_per_detection;
  outputs.push_back({1, rows, 4});
  outputs.push_back({1, rows});
  outputs.push_back({1, rows});
  outputs.push_back({1});
  return {};
}

}  // namespace pj
