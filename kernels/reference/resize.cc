// Resizing images. Source coordinates are computed in f32, as TFLite and XNNPACK do, so that the
// same neighbour is chosen where the exact position lies on an edge.
//
// Bilinear on 8 bits interpolates the stored numbers (input and output have the same quantisation)
// with weights of 11 bits and rounds halves upwards, bit-identical to XNNPACK's: the sum of four
// products below 2^8 * 2^22 fits 32 bits.
#include <cmath>
#include <cstring>

#include "kernels/common/requantize.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// How output indices of one dimension map to the input.
struct Axis {
  int32_t in;
  float scale;
  bool align_corners, half_pixel;

  Axis(int32_t in_size, int32_t out_size, const ResizeParams& a)
      : in(in_size), align_corners(a.align_corners), half_pixel(a.half_pixel) {
    const bool corners = align_corners && out_size > 1;
    scale = static_cast<float>(in_size - corners) / static_cast<float>(out_size - corners);
  }

  int32_t nearest(int32_t o) const {
    const float position = (static_cast<float>(o) + (half_pixel ? 0.5f : 0.0f)) * scale;
    const float whole = align_corners ? std::round(position) : std::floor(position);
    return static_cast<int32_t>(std::min(whole, static_cast<float>(in - 1)));
  }

  // Between which two elements the output lies, and how far from the first.
  struct Between {
    int32_t first, second;
    float fraction;
  };
  Between between(int32_t o) const {
    const float offset = half_pixel ? 0.5f * scale - 0.5f : 0.0f;
    const float position = std::min(std::max(static_cast<float>(o) * scale + offset, 0.0f),
                                    static_cast<float>(in - 1));
    const auto first = static_cast<int32_t>(position);
    return {first, std::min(first + 1, in - 1), position - static_cast<float>(first)};
  }
};

struct FloatLerp {
  using T = float;
  float fx, fy;
  FloatLerp(float x, float y) : fx(x), fy(y) {}
  T operator()(T top_left, T top_right, T bottom_left, T bottom_right) const {
    const float top = top_left + (top_right - top_left) * fx;
    const float bottom = bottom_left + (bottom_right - bottom_left) * fx;
    return top + (bottom - top) * fy;
  }
};

template <typename Q>
struct IntLerp {
  using T = Q;
  int32_t fx, fy;
  IntLerp(float x, float y) : fx(round_to_int(x * 2048.0f)), fy(round_to_int(y * 2048.0f)) {}
  T operator()(T top_left, T top_right, T bottom_left, T bottom_right) const {
    const int32_t top = top_left * 2048 + (top_right - top_left) * fx;
    const int32_t bottom = bottom_left * 2048 + (bottom_right - bottom_left) * fx;
    return static_cast<T>((top * 2048 + (bottom - top) * fy + (1 << 21)) >> 22);
  }
};

template <typename Lerp>
void bilinear(const Tile& tile, const ReferenceParams& p) {
  using T = typename Lerp::T;
  const Shape in = p.input(0).shape, out = p.output(0).shape;
  const auto& a = p.as<ResizeParams>();
  const Axis rows(in[1], out[1], a), cols(in[2], out[2], a);
  const int64_t channels = in[3], row_size = int64_t{in[2]} * channels;
  T* y = output<T>(tile, 0);
  for (int64_t n = 0; n < out[0]; ++n) {
    const T* image = input<T>(tile, 0) + n * in[1] * row_size;
    for (int32_t oy = 0; oy < out[1]; ++oy) {
      const Axis::Between v = rows.between(oy);
      const T *top = image + v.first * row_size, *bottom = image + v.second * row_size;
      for (int32_t ox = 0; ox < out[2]; ++ox, y += channels) {
        const Axis::Between h = cols.between(ox);
        const Lerp lerp(h.fraction, v.fraction);
        const int64_t left = h.first * channels, right = h.second * channels;
        for (int64_t c = 0; c < channels; ++c)
          y[c] = lerp(top[left + c], top[right + c], bottom[left + c], bottom[right + c]);
      }
    }
  }
}

void nearest(const Tile& tile, const ReferenceParams& p) {
  const OperandDesc x = p.input(0);
  const Shape in = x.shape, out = p.output(0).shape;
  const auto& a = p.as<ResizeParams>();
  const Axis rows(in[1], out[1], a), cols(in[2], out[2], a);
  const int64_t pixel = in[3] * static_cast<int64_t>(size_of(x.dtype));
  std::byte* y = tile.out[0];
  for (int64_t n = 0; n < out[0]; ++n) {
    for (int32_t oy = 0; oy < out[1]; ++oy) {
      const std::byte* row = tile.in[0] + (n * in[1] + rows.nearest(oy)) * in[2] * pixel;
      for (int32_t ox = 0; ox < out[2]; ++ox, y += pixel)
        std::memcpy(y, row + cols.nearest(ox) * pixel, static_cast<size_t>(pixel));
    }
  }
}

}  // namespace

void reference_Resize(const Tile& tile) {
  const ReferenceParams p(tile.params);
  if (elements(p.output(0).shape) == 0) return;
  if (p.as<ResizeParams>().fn == ResizeFn::kNearest) return nearest(tile, p);
  switch (p.input(0).dtype) {
    case DType::kI8:
      return bilinear<IntLerp<int8_t>>(tile, p);
    case DType::kU8:
      return bilinear<IntLerp<uint8_t>>(tile, p);
    default:
      return bilinear<FloatLerp>(tile, p);
  }
}

}  // namespace pj
