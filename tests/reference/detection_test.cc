#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/reference/operands.h"

namespace pj::math_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

DetectionParams detection(int32_t max_detections, int32_t classes) {
  DetectionParams p;
  p.max_detections = max_detections;
  p.num_classes = classes;
  p.score_threshold = 0.3f;
  p.iou_threshold = 0.5f;
  return p;
}

// Three anchors of 2x2 around (y, x): the second overlaps the first by 3/5, the third stands alone.
const std::vector<float> kAnchors = {1, 1, 2, 2, 1, 1.5f, 2, 2, 1, 9, 2, 2};
const std::vector<float> kNoOffsets(12, 0.0f);

struct Result {
  std::vector<float> boxes, classes, scores;
  float count;
};
Result detect(const DetectionParams& p, Operand scores, Operand boxes, Operand anchors) {
  const int32_t rows = p.max_detections * p.max_classes_per_detection;
  const auto y = run(OpKind::kDetectionPostProcess, p,
                     {std::move(boxes), std::move(scores), std::move(anchors)},
                     {out(DType::kF32, {1, rows, 4}), out(DType::kF32, {1, rows}),
                      out(DType::kF32, {1, rows}), out(DType::kF32, {1})});
  return {y[0].as<float>(), y[1].as<float>(), y[2].as<float>(), y[3].as<float>()[0]};
}
Result detect(const DetectionParams& p, std::vector<float> scores, Operand boxes, Operand anchors) {
  const auto columns = static_cast<int32_t>(scores.size() / 3);
  return detect(p, in<float>({1, 3, columns}, scores), std::move(boxes), std::move(anchors));
}
Result detect(const DetectionParams& p, std::vector<float> scores) {
  return detect(p, std::move(scores), in<float>({1, 3, 4}, kNoOffsets),
                in<float>({3, 4}, kAnchors));
}

TEST(Detection, SuppressesTheWeakerOfTwoOverlapping) {
  const Result r = detect(detection(3, 1), {0.8f, 0.9f, 0.5f});
  EXPECT_EQ(r.count, 2);
  EXPECT_THAT(r.scores, ElementsAre(0.9f, 0.5f, 0));
  EXPECT_THAT(r.boxes, ElementsAre(0, 0.5f, 2, 2.5f, 0, 8, 2, 10, 0, 0, 0, 0));
}

TEST(Detection, KeepsBothBelowTheThreshold) {
  DetectionParams p = detection(3, 1);
  p.iou_threshold = 0.61f;
  EXPECT_THAT(detect(p, {0.8f, 0.9f, 0.2f}).scores, ElementsAre(0.9f, 0.8f, 0));
}

TEST(Detection, DecodesOffsetsAndSizes) {
  // Anchor 0: centre + offset / scale * size, size * exp(offset / scale) with exp(ln 2) = 2.
  std::vector<float> offsets = kNoOffsets;
  offsets[0] = 5;
  offsets[3] = 0.6931472f * 5;
  DetectionParams p = detection(1, 1);
  p.y_scale = p.x_scale = 10;
  p.h_scale = p.w_scale = 5;
  const Result r =
      detect(p, {0.9f, 0, 0}, in<float>({1, 3, 4}, offsets), in<float>({3, 4}, kAnchors));
  EXPECT_THAT(r.boxes,
              ElementsAre(1, testing::FloatNear(-1, 1e-6f), 3, testing::FloatNear(3, 1e-6f)));
}

TEST(Detection, BackgroundColumnIsSkipped) {
  const Result r = detect(detection(1, 2), {1, 0.4f, 0.6f, 1, 0, 0, 1, 0, 0});
  EXPECT_THAT(r.classes, ElementsAre(1));
  EXPECT_THAT(r.scores, ElementsAre(0.6f));
}

TEST(Detection, ReportsSeveralClassesOfABox) {
  DetectionParams p = detection(2, 3);
  p.max_classes_per_detection = 2;
  const Result r = detect(p, {0.4f, 0.9f, 0.4f, 0, 0, 0, 0, 0, 0.5f});
  EXPECT_EQ(r.count, 2);
  EXPECT_THAT(r.classes, ElementsAre(1, 0, 2, 0));
  EXPECT_THAT(r.scores, ElementsAre(0.9f, 0.4f, 0.5f, 0));
}

TEST(Detection, RegularSuppressionIsPerClass) {
  DetectionParams p = detection(3, 2);
  p.use_regular_nms = true;
  // Anchors 0 and 1 overlap but win in different classes.
  const Result r = detect(p, {0.9f, 0.1f, 0.4f, 0.8f, 0.35f, 0.8f});
  EXPECT_EQ(r.count, 3);
  EXPECT_THAT(r.scores, ElementsAre(0.9f, 0.8f, 0.8f));
  EXPECT_THAT(r.classes, ElementsAre(0, 1, 1));
  EXPECT_EQ(r.boxes[5], 0.5f);  // equal scores: the lower anchor first
  EXPECT_EQ(r.boxes[9], 8);
  p.detections_per_class = 1;
  EXPECT_THAT(detect(p, {0.9f, 0.1f, 0.4f, 0.8f, 0.35f, 0.8f}).scores, ElementsAre(0.9f, 0.8f, 0));
}

TEST(Detection, QuantisedOperands) {
  const Operand boxes = in<uint8_t>({1, 3, 4}, std::vector<uint8_t>(12, 128), {0.05f, 128});
  const Operand anchors = in<uint8_t>({3, 4}, {2, 2, 4, 4, 2, 3, 4, 4, 2, 18, 4, 4}, {0.5f, 0});
  const Result r = detect(detection(2, 1), {0.8f, 0.9f, 0.5f}, boxes, anchors);
  EXPECT_THAT(r.boxes, ElementsAre(0, 0.5f, 2, 2.5f, 0, 8, 2, 10));
}

// Whatever the number of classes, and wherever the best one is.
template <typename T>
void expect_best_class(T low, T high, Q quant) {
  for (int32_t classes = 1; classes <= 50; ++classes) {
    for (int32_t best = 0; best < classes; ++best) {
      std::vector<T> scores(3 * static_cast<size_t>(classes), low);
      scores[static_cast<size_t>(2 * classes + best)] = high;
      const Result r = detect(detection(1, classes), in<T>({1, 3, classes}, scores, quant),
                              in<float>({1, 3, 4}, kNoOffsets), in<float>({3, 4}, kAnchors));
      ASSERT_THAT(r.classes, ElementsAre(best)) << "of " << classes;
      ASSERT_EQ(r.boxes[1], 8);
    }
  }
}
TEST(Detection, BestOfQuantisedScores) {
  expect_best_class<uint8_t>(120, 130, {0.005f, 0});
  expect_best_class<int8_t>(-10, 2, {0.01f, -128});
}

TEST(Detection, SurvivesHostileValues) {
  for (bool regular : {false, true}) {
    DetectionParams p = detection(50, 2);
    p.use_regular_nms = regular;
    p.max_classes_per_detection = 5;
    const Result none = detect(p, {kNan, kNan, kNan, kNan, kNan, kNan});
    EXPECT_EQ(none.count, 0);
    EXPECT_THAT(none.scores, Each(0));
    const Result wild = detect(p, {kInfinity, kNan, 1, 1, kNan, 0.5f},
                               in<float>({1, 3, 4}, {kNan, kInfinity, 1e30f, 1e30f, kInfinity,
                                                     -kInfinity, kNan, 1, 0, 0, 0, 0}),
                               in<float>({3, 4}, kAnchors));
    EXPECT_GE(wild.count, 3);
    EXPECT_EQ(wild.scores[0], kInfinity);
  }
}

}  // namespace
}  // namespace pj::math_test
