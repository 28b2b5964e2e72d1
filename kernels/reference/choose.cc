// Operators that choose between values: PRelu and Select.
#include "kernels/common/requantize.h"
#include "kernels/reference/arithmetic.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

template <typename X, typename Alpha, typename F>
void map_prelu(const Tile& tile, const ReferenceParams& p, F&& f) {
  const X* x = input<X>(tile, 0);
  const Alpha* alpha = input<Alpha>(tile, 1);
  X* y = output<X>(tile, 0);
  const Shape shape = p.output(0).shape;
  for_each_row<2>(shape, {contiguous_strides(shape), broadcast_strides(p.input(1).shape, shape)},
                  [&](const auto& at, int64_t count, const auto& step) {
                    for (int64_t i = 0; i < count; ++i)
                      y[at[0] + i * step[0]] =
                          f(x[at[0] + i * step[0]], alpha[at[1] + i * step[1]]);
                  });
}

// Below the zero point the product with alpha is requantised, above it x alone.
template <typename Q>
void quantized_prelu(const Tile& tile, const ReferenceParams& p) {
  const OperandDesc x = p.input(0), alpha = p.input(1), y = p.output(0);
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, Activation::kNone);
  const float positive = finite_ratio(x.scale, y.scale);
  const float negative = requantization_scale(x.scale, alpha.scale, y.scale);
  map_prelu<Q, Q>(tile, p, [&](Q qx, Q qa) {
    const int32_t d = qx - x.zero_point;
    return static_cast<Q>(d >= 0 ? requantize(d, positive, stage)
                                 : requantize(d * (qa - alpha.zero_point), negative, stage));
  });
}

// `T` stands for any type of that size: values are copied as they are.
template <typename T>
void select(const Tile& tile, const ReferenceParams& p) {
  const Bool* condition = input<Bool>(tile, 0);
  const T *a = input<T>(tile, 1), *b = input<T>(tile, 2);
  T* y = output<T>(tile, 0);
  const Shape shape = p.output(0).shape;
  for_each_row<3>(
      shape,
      {broadcast_strides(p.input(0).shape, shape), broadcast_strides(p.input(1).shape, shape),
       broadcast_strides(p.input(2).shape, shape)},
      [&](const auto& at, int64_t count, const auto& step) {
        for (int64_t i = 0; i < count; ++i)
          *y++ = condition[at[0] + i * step[0]].byte != 0 ? a[at[1] + i * step[1]]
                                                          : b[at[2] + i * step[2]];
      });
}

}  // namespace

// y = x where x >= 0, alpha * x below. NaN stays NaN.
void reference_PRelu(const Tile& tile) {
  const ReferenceParams p(tile.params);
  auto floats = [](float x, auto alpha) { return x < 0 ? x * to_real(alpha) : x; };
  switch (p.input(0).dtype) {
    case DType::kF32:
      if (p.input(1).dtype == DType::kF16) return map_prelu<float, Half>(tile, p, floats);
      return map_prelu<float, float>(tile, p, floats);
    case DType::kI8:
      return quantized_prelu<int8_t>(tile, p);
    case DType::kU8:
      return quantized_prelu<uint8_t>(tile, p);
    default:
      return;
  }
}

void reference_Select(const Tile& tile) {
  const ReferenceParams p(tile.params);
  switch (size_of(p.output(0).dtype)) {
    case 1:
      return select<uint8_t>(tile, p);
    case 2:
      return select<uint16_t>(tile, p);
    case 4:
      return select<uint32_t>(tile, p);
    default:
      return select<uint64_t>(tile, p);
  }
}

}  // namespace pj
