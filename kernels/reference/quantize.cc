// Between reals and quantised numbers, and between quantisations.
//
// Quantize from f32: x * (1 / scale) rounded to nearest even; infinities saturate, NaN gives the
// lowest number. From a quantised type: quantized_convert(). Dequantize: scale * (q - zero_point),
// also per channel; f16 is converted exactly.
#include "kernels/common/quantized_convert.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

template <typename X, typename Q>
void quantize(const Tile& tile, const ReferenceParams& p) {
  const OperandDesc dx = p.input(0), dy = p.output(0);
  const X* x = input<X>(tile, 0);
  Q* y = output<Q>(tile, 0);
  const int64_t count = elements(dy.shape);
  if constexpr (std::is_same_v<X, float>) {
    const float inverse = 1.0f / dy.scale;
    const IntRange range = range_of(dy.dtype);
    for (int64_t i = 0; i < count; ++i)
      y[i] = static_cast<Q>(quantize_value(x[i], inverse, dy.zero_point, range.min, range.max));
  } else {
    const QuantizedConvert rule = prepare_quantized_convert(dx.dtype, dx.scale, dx.zero_point,
                                                            dy.dtype, dy.scale, dy.zero_point);
    for (int64_t i = 0; i < count; ++i) y[i] = static_cast<Q>(quantized_convert(rule, x[i]));
  }
}

template <typename Q>
void quantize_from(const Tile& tile, const ReferenceParams& p) {
  switch (p.input(0).dtype) {
    case DType::kF32:
      return quantize<float, Q>(tile, p);
    case DType::kI8:
      return quantize<int8_t, Q>(tile, p);
    case DType::kU8:
      return quantize<uint8_t, Q>(tile, p);
    case DType::kI16:
      return quantize<int16_t, Q>(tile, p);
    default:
      return;
  }
}

// For f(first, last, scale) runs of elements that share a scale, in order.
template <typename F>
void for_each_scale(const OperandDesc& x, F&& f) {
  const int64_t count = elements(x.shape);
  if (x.channel_scales.empty()) return f(int64_t{0}, count, x.scale);
  const auto channels = static_cast<int64_t>(x.channel_scales.size());
  const int64_t run = elements(x.shape, x.channel_axis + 1, x.shape.rank());
  for (int64_t first = 0; first < count; first += run)
    f(first, first + run, x.channel_scales[static_cast<size_t>(first / run % channels)]);
}

template <typename Q>
void dequantize(const Tile& tile, const ReferenceParams& p) {
  const OperandDesc dx = p.input(0);
  const Q* x = input<Q>(tile, 0);
  float* y = output<float>(tile, 0);
  for_each_scale(dx, [&](int64_t first, int64_t last, float scale) {
    for (int64_t i = first; i < last; ++i) {
      // In 64 bits: an int32 minus its zero point may not fit 32.
      y[i] = static_cast<float>(int64_t{x[i]} - dx.zero_point) * scale;
    }
  });
}

}  // namespace

void reference_Quantize(const Tile& tile) {
  const ReferenceParams p(tile.params);
  switch (p.output(0).dtype) {
    case DType::kI8:
      return quantize_from<int8_t>(tile, p);
    case DType::kU8:
      return quantize_from<uint8_t>(tile, p);
    case DType::kI16:
      return quantize_from<int16_t>(tile, p);
    default:
      return;
  }
}

void reference_Dequantize(const Tile& tile) {
  const ReferenceParams p(tile.params);
  switch (p.input(0).dtype) {
    case DType::kF16: {
      const Half* x = input<Half>(tile, 0);
      float* y = output<float>(tile, 0);
      const int64_t count = elements(p.output(0).shape);
      for (int64_t i = 0; i < count; ++i) y[i] = to_float(x[i]);
      return;
    }
    case DType::kI8:
      return dequantize<int8_t>(tile, p);
    case DType::kU8:
      return dequantize<uint8_t>(tile, p);
    case DType::kI16:
      return dequantize<int16_t>(tile, p);
    case DType::kI32:
      return dequantize<int32_t>(tile, p);
    default:
      return;
  }
}

}  // namespace pj
