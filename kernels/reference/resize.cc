// Resizing images; source coordinates are those of resize_axis.h.
//
// Bilinear on 8 bits interpolates the stored numbers (input and output have the same quantisation)
// with weights of 11 bits and rounds halves upwards, bit-identical to XNNPACK's: the sum of four
// products below 2^8 * 2^22 fits 32 bits.
#include <cstring>

#include "kernels/common/resize_axis.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

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
  IntLerp(float x, float y) : fx(resize_weight(x)), fy(resize_weight(y)) {}
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
  const ResizeAxis rows(in[1], out[1], a), cols(in[2], out[2], a);
  const int64_t channels = in[3], row_size = int64_t{in[2]} * channels;
  T* y = output<T>(tile, 0);
  for (int64_t n = 0; n < out[0]; ++n) {
    const T* image = input<T>(tile, 0) + n * in[1] * row_size;
    for (int32_t oy = 0; oy < out[1]; ++oy) {
      const ResizeAxis::Between v = rows.between(oy);
      const T *top = image + v.first * row_size, *bottom = image + v.second * row_size;
      for (int32_t ox = 0; ox < out[2]; ++ox, y += channels) {
        const ResizeAxis::Between h = cols.between(ox);
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
  const ResizeAxis rows(in[1], out[1], a), cols(in[2], out[2], a);
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
