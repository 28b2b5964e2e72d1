// TFLite_Detection_PostProcess: decodes boxes against anchors and suppresses those that overlap a
// better one. Equal scores keep the order of anchors (and of classes).
//
// Safe for any values: a NaN score never passes the threshold, NaN and infinite boxes overlap
// nothing, and all indices come from loops, never from data.
#include <algorithm>
#include <cmath>
#include <cstring>
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

// A register of bytes, on every ISA level.
typedef uint8_t Bytes __attribute__((vector_size(16)));

// The largest of n bytes, each xor `flip` (0x80 of signed ones: their order is then that of
// unsigned ones). Scores are 9 of 10 bytes that this operator reads; one by one they were 4 % of a
// detector.
uint8_t largest_byte(const uint8_t* q, int64_t n, uint8_t flip) {
  uint8_t best = q[0] ^ flip;
  constexpr int64_t kBytes = sizeof(Bytes);
  if (n >= kBytes) {
    Bytes all{};
    for (int64_t k = 0; k < n; k += kBytes) {
      Bytes some;
      std::memcpy(&some, q + std::min(k, n - kBytes), kBytes);  // the last ones overlap
      some ^= flip;
      all = all > some ? all : some;
    }
    for (int i = 0; i < kBytes; ++i) best = std::max(best, all[i]);
  } else {
    for (int64_t k = 1; k < n; ++k) best = std::max<uint8_t>(best, q[k] ^ flip);
  }
  return best;
}

// A tensor of reals that may be stored as 8 bits.
class Reals {
 public:
  Reals(const Tile& tile, const ReferenceParams& p, int32_t i)
      : data_(tile.in[i]), desc_(p.input(i)) {}
  const Shape& shape() const { return desc_.shape; }
  // The largest of n reals from element i on; NaN does not count. Scales are positive, so that the
  // largest stored number is the one.
  float largest(int64_t i, int64_t n) const {
    switch (desc_.dtype) {
      case DType::kI8:
        return dequantized(static_cast<int8_t>(largest_byte(bytes(i), n, 0x80) ^ 0x80), desc_.scale,
                           desc_.zero_point);
      case DType::kU8:
        return dequantized(largest_byte(bytes(i), n, 0), desc_.scale, desc_.zero_point);
      default: {
        float best = -std::numeric_limits<float>::infinity();
        for (int64_t k = i; k < i + n; ++k) best = std::max(best, (*this)[k]);
        return best;
      }
    }
  }
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
  const uint8_t* bytes(int64_t i) const { return reinterpret_cast<const uint8_t*>(data_) + i; }

  const std::byte* data_;
  OperandDesc desc_;
};

// Intersection over union; 0 for boxes without area.
float overlap(const Box& a, const Box& b) {
  const float area_a = (a.ymax - a.ymin) * (a.xmax - a.xmin);
  const float area_b = (b.ymax - b.ymin) * (b.xmax - b.xmin);
  if (!(area_a > 0 && area_b > 0)) return 0;
  const float height = std::max<float>(std::min(a.ymax, b.ymax) - std::max(a.ymin, b.ymin), 0.0f);
  const float width = std::max<float>(std::min(a.xmax, b.xmax) - std::max(a.xmin, b.xmin), 0.0f);
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
    // Most anchors are never looked at: boxes are decoded when they are.
    for (int32_t a = 0; a < anchor_count_; ++a)
      boxes_[a].ymin = std::numeric_limits<float>::quiet_NaN();
    if (params_.use_regular_nms) {
      regular();
    } else {
      fast();
    }
  }

 private:
  // The score columns may begin with a background class.
  int64_t score_place(int64_t anchor, int32_t label) const {
    return anchor * score_columns_ + score_columns_ - params_.num_classes + label;
  }
  float score(int64_t anchor, int32_t label) const { return scores_[score_place(anchor, label)]; }

  const Box& box(int32_t a) {
    if (std::isnan(boxes_[a].ymin)) boxes_[a] = decode(a);
    return boxes_[a];
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

  // Calls f(anchor, score), best first, for those of the first `count` candidates that no better
  // one suppresses, at most `limit` times. A heap: only as many are sorted as are looked at.
  template <typename F>
  void suppress(int32_t count, int32_t limit, F&& f) {
    auto worse = [](const Candidate& a, const Candidate& b) {
      return a.score < b.score || (a.score == b.score && a.anchor > b.anchor);
    };
    std::make_heap(candidates_, candidates_ + count, worse);
    // What leaves the heap goes behind it; what is kept is collected at the very end.
    Candidate* const end = candidates_ + count;
    Candidate* kept = end;
    for (Candidate* top = end; top > candidates_ && end - kept < limit;) {
      std::pop_heap(candidates_, top, worse);
      const Candidate c = *--top;
      const Box& own = box(c.anchor);
      const bool suppressed = std::any_of(kept, end, [&](const Candidate& k) {
        return overlap(boxes_[k.anchor], own) > params_.iou_threshold;
      });
      if (suppressed) continue;
      *--kept = c;
      f(c.anchor, c.score);
    }
  }

  // Boxes compete across classes by their best score; each that remains reports its best classes.
  void fast() {
    int32_t count = 0;
    for (int32_t a = 0; a < anchor_count_; ++a) {
      const float best = scores_.largest(score_place(a, 0), params_.num_classes);
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
    std::fill_n(out_boxes_ + row, labels, box(anchor));
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
      out_boxes_[row] = box(detections_[row].anchor);
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
  Box* boxes_;             // one an anchor; ymin is NaN until it is decoded
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
