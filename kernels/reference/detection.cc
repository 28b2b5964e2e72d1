// TFLite_Detection_PostProcess: decodes boxes against anchors and suppresses those that overlap a
// better one. Equal scores keep the order of anchors (and of classes).
//
// Safe for any values: a NaN score never passes the threshold, NaN and infinite boxes overlap
// nothing, and all indices come from loops, never from data.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

struct Box {
  float ymin, xmin, ymax, xmax;
};
struct Candidate {
  float score;
  int32_t anchor;
};
struct Detection {
  float score;
  int32_t anchor, label;
};

// The order of scores; NaN comes last.
bool better(float a, float b) { return a > b || (a == a && b != b); }

// A tensor of reals that may be stored as 8 bits.
class Reals {
 public:
  Reals(const Tile& tile, const ReferenceParams& p, int32_t i)
      : data_(tile.in[i]), desc_(p.input(i)) {}
  const Shape& shape() const { return desc_.shape; }
  float operator[](int64_t i) const {
    switch (desc_.dtype) {
      case DType::kI8:
        return dequantized(reinterpret_cast<const int8_t*>(data_)[i], desc_.scale,
                           desc_.zero_point);
      case DType::kU8:
        return dequantized(reinterpret_cast<const uint8_t*>(data_)[i], desc_.scale,
                           desc_.zero_point);
      default:
        return reinterpret_cast<const float*>(data_)[i];
    }
  }

 private:
  const std::byte* data_;
  OperandDesc desc_;
};

// Intersection over union; 0 for boxes without area.
float overlap(const Box& a, const Box& b) {
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin);
  const float area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  if (!(area_a > 0 && area_b > 0)) return 0;
  const float height = std::max(std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin), 0.0f);
  const float width = std::max(std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin), 0.0f);
  const float common = height * width;
  return common / (area_a + area_b - common);
}

// The operator's operands, and its scratch memory cut up.
class PostProcess {
 public:
  PostProcess(const Tile& tile, const ReferenceParams& p)
      : params_(p.as<DetectionParams>()),
        encodings_(tile, p, 0),
        scores_(tile, p, 1),
        anchors_(tile, p, 2),
        anchor_count_(scores_.shape()[1]),
        score_columns_(scores_.shape()[2]),
        row_count_(p.output(1).shape[1]),
        out_boxes_(output<Box>(tile, 0)),
        out_classes_(output<float>(tile, 1)),
        out_scores_(output<float>(tile, 2)),
        out_count_(output<float>(tile, 3)) {
    boxes_ = reinterpret_cast<Box*>(tile.scratch);
    candidates_ = reinterpret_cast<Candidate*>(boxes_ + anchor_count_);
    detections_ = reinterpret_cast<Detection*>(candidates_ + anchor_count_);
    std::fill_n(out_boxes_, row_count_, Box{});
    std::fill_n(out_classes_, row_count_, 0.0f);
    std::fill_n(out_scores_, row_count_, 0.0f);
  }

  static int64_t scratch_bytes(int64_t anchors, int64_t max_detections) {
    return anchors * static_cast<int64_t>(sizeof(Box) + sizeof(Candidate)) +
           max_detections * static_cast<int64_t>(sizeof(Detection));
  }

  void run() {
    for (int32_t a = 0; a < anchor_count_; ++a) boxes_[a] = decode(a);
    if (params_.use_regular_nms) {
      regular();
    } else {
      fast();
    }
  }

 private:
  // The score columns may begin with a background class.
  float score(int64_t anchor, int32_t label) const {
    return scores_[anchor * score_columns_ + score_columns_ - params_.num_classes + label];
  }

  Box decode(int64_t a) const {
    const int64_t e = a * encodings_.shape()[2];
    const double y = anchors_[4 * a], x = anchors_[4 * a + 1];
    const double h = anchors_[4 * a + 2], w = anchors_[4 * a + 3];
    const auto cy = static_cast<float>(encodings_[e] / double{params_.y_scale} * h + y);
    const auto cx = static_cast<float>(encodings_[e + 1] / double{params_.x_scale} * w + x);
    const auto half_h =
        static_cast<float>(0.5 * std::exp(encodings_[e + 2] / double{params_.h_scale}) * h);
    const auto half_w =
        static_cast<float>(0.5 * std::exp(encodings_[e + 3] / double{params_.w_scale}) * w);
    return {cy - half_h, cx - half_w, cy + half_h, cx + half_w};
  }

  // Sorts the first `count` candidates and calls f(anchor, score), best first, for those that no
  // better one suppresses, at most `limit` times.
  template <typename F>
  void suppress(int32_t count, int32_t limit, F&& f) {
    std::sort(candidates_, candidates_ + count, [](const Candidate& a, const Candidate& b) {
      return a.score > b.score || (a.score == b.score && a.anchor < b.anchor);
    });
    for (int32_t i = 0; i < count && limit > 0; ++i) {
      const Candidate c = candidates_[i];
      if (c.anchor < 0) continue;
      f(c.anchor, c.score);
      --limit;
      for (int32_t j = i + 1; j < count; ++j) {
        int32_t& other = candidates_[j].anchor;
        if (other >= 0 && overlap(boxes_[c.anchor], boxes_[other]) > params_.iou_threshold)
          other = -1;
      }
    }
  }

  // Boxes compete across classes by their best score; each that remains reports its best classes.
  void fast() {
    int32_t count = 0;
    for (int32_t a = 0; a < anchor_count_; ++a) {
      float best = -std::numeric_limits<float>::infinity();
      for (int32_t c = 0; c < params_.num_classes; ++c) best = std::max(best, score(a, c));
      if (best >= params_.score_threshold) candidates_[count++] = {best, a};
    }
    const int32_t labels = std::min(params_.max_classes_per_detection, params_.num_classes);
    int32_t row = 0;
    suppress(count, params_.max_detections, [&](int32_t anchor, float) {
      best_classes(anchor, row, labels);
      row += labels;
    });
    *out_count_ = static_cast<float>(row / labels);
  }

  // Writes rows [row, row + labels): the classes of an anchor, best first.
  void best_classes(int32_t anchor, int32_t row, int32_t labels) {
    int32_t used = 0;
    for (int32_t c = 0; c < params_.num_classes; ++c) {
      const float value = score(anchor, c);
      int32_t place = row + used;
      if (used == labels) {
        if (!better(value, out_scores_[place - 1])) continue;
        --place;
      } else {
        ++used;
      }
      for (; place > row && better(value, out_scores_[place - 1]); --place) {
        out_scores_[place] = out_scores_[place - 1];
        out_classes_[place] = out_classes_[place - 1];
      }
      out_scores_[place] = value;
      out_classes_[place] = static_cast<float>(c);
    }
    std::fill_n(out_boxes_ + row, labels, boxes_[anchor]);
  }

  // Each class on its own; the best detections of all classes together.
  void regular() {
    int32_t used = 0;
    for (int32_t label = 0; label < params_.num_classes; ++label) {
      int32_t count = 0;
      for (int32_t a = 0; a < anchor_count_; ++a) {
        const float value = score(a, label);
        if (value >= params_.score_threshold) candidates_[count++] = {value, a};
      }
      suppress(count, params_.detections_per_class, [&](int32_t anchor, float value) {
        insert({value, anchor, label}, used);
      });
    }
    for (int32_t row = 0; row < used; ++row) {
      out_boxes_[row] = boxes_[detections_[row].anchor];
      out_classes_[row] = static_cast<float>(detections_[row].label);
      out_scores_[row] = detections_[row].score;
    }
    *out_count_ = static_cast<float>(used);
  }

  // Keeps detections_ sorted, behind equals, and at most max_detections long.
  void insert(const Detection& d, int32_t& used) {
    int32_t place = used;
    if (used == params_.max_detections) {
      if (!(d.score > detections_[used - 1].score)) return;
      --place;
    } else {
      ++used;
    }
    for (; place > 0 && d.score > detections_[place - 1].score; --place)
      detections_[place] = detections_[place - 1];
    detections_[place] = d;
  }

  const DetectionParams& params_;
  Reals encodings_, scores_, anchors_;
  int32_t anchor_count_;
  int64_t score_columns_;
  int32_t row_count_;
  Box* out_boxes_;
  float *out_classes_, *out_scores_, *out_count_;
  Box* boxes_;             // decoded, one an anchor
  Candidate* candidates_;  // as many
  Detection* detections_;  // max_detections
};

}  // namespace

int64_t detection_scratch_bytes(const ReferenceParams& p) {
  return PostProcess::scratch_bytes(p.input(1).shape[1], p.as<DetectionParams>().max_detections);
}

void reference_DetectionPostProcess(const Tile& tile) {
  const ReferenceParams p(tile.params);
  PostProcess(tile, p).run();
}

}  // namespace pj
