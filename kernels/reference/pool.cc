// Pooling windows. Elements of the padding do not take part.
//
// f32: NaN propagates through the average, whose sum is the sum of the sums of the window's rows:
// of a whole image, one running sum would lose digits. The maximum ignores NaN (-infinity if there
// is nothing else). 8 bits: input and output have the same quantisation; the average of the stored
// numbers is rounded to nearest, halves away from zero.
#include <limits>

#include "kernels/common/requantize.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// Where a window meets one dimension of the image: [begin, end).
struct Extent {
  int64_t begin, end;
};
Extent window(int64_t o, int64_t stride, int64_t pad, int64_t kernel, int64_t size) {
  const int64_t begin = o * stride - pad;
  return {std::max<int64_t>(0, begin), std::min(begin + kernel, size)};
}

// Reductions of a window: start and step for each row, the join of its rows, and the end with the
// number of elements.
struct FloatAverage {
  using T = float;
  using Sum = float;
  ActivationLimits limits;
  Sum start() const { return 0; }
  Sum step(Sum sum, T x) const { return sum + x; }
  Sum join(Sum sum, Sum row) const { return sum + row; }
  T finish(Sum sum, int64_t count) const {
    return ref::clamp(sum / static_cast<float>(count), limits);
  }
};
struct FloatMax {
  using T = float;
  using Sum = float;
  ActivationLimits limits;
  Sum start() const { return -std::numeric_limits<float>::infinity(); }
  Sum step(Sum sum, T x) const { return x > sum ? x : sum; }
  Sum join(Sum sum, Sum row) const { return row > sum ? row : sum; }
  T finish(Sum sum, int64_t) const { return ref::clamp(sum, limits); }
};
template <typename Q>
struct IntAverage {
  using T = Q;
  using Sum = int64_t;
  int32_t low, high;
  Sum start() const { return 0; }
  Sum step(Sum sum, T x) const { return sum + x; }
  Sum join(Sum sum, Sum row) const { return sum + row; }
  T finish(Sum sum, int64_t count) const {
    const int64_t half = sum >= 0 ? count / 2 : -(count / 2);
    const int64_t average = count > 0 ? (sum + half) / count : 0;
    return static_cast<T>(std::min<int64_t>(std::max<int64_t>(average, low), high));
  }
};
template <typename Q>
struct IntMax {
  using T = Q;
  using Sum = int32_t;
  int32_t low, high;
  Sum start() const { return low; }
  Sum step(Sum sum, T x) const { return std::max<int32_t>(sum, x); }
  Sum join(Sum sum, Sum row) const { return std::max(sum, row); }
  T finish(Sum sum, int64_t) const { return static_cast<T>(std::min(sum, high)); }
};

template <typename R>
void pool(const Tile& tile, const ReferenceParams& p, const R& reduction) {
  using T = typename R::T;
  const auto& a = p.as<Pool2DParams>();
  const Shape in = p.input(0).shape, out = p.output(0).shape;
  const Padding pad =
      resolve_padding(a.padding, in[1], in[2], a.kernel_h, a.kernel_w, a.stride_h, a.stride_w);
  T* y = output<T>(tile, 0);
  auto pixel = [&](const T* image, const Extent& rows, const Extent& cols) {
    for (int32_t begin = 0; begin < in[3]; begin += kBlock) {
      const int32_t count = std::min(kBlock, in[3] - begin);
      typename R::Sum sums[kBlock], row[kBlock];
      std::fill_n(sums, count, reduction.start());
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        std::fill_n(row, count, reduction.start());
        for (int64_t ix = cols.begin; ix < cols.end; ++ix) {
          const T* x = image + (iy * in[2] + ix) * in[3] + begin;
          for (int32_t c = 0; c < count; ++c) row[c] = reduction.step(row[c], x[c]);
        }
        for (int32_t c = 0; c < count; ++c) sums[c] = reduction.join(sums[c], row[c]);
      }
      const int64_t area = (rows.end - rows.begin) * (cols.end - cols.begin);
      for (int32_t c = 0; c < count; ++c) *y++ = reduction.finish(sums[c], area);
    }
  };
  for (int64_t n = 0; n < out[0]; ++n) {
    const T* image = input<T>(tile, 0) + n * in[1] * in[2] * in[3];
    for (int32_t oy = 0; oy < out[1]; ++oy) {
      const Extent rows = window(oy, a.stride_h, pad.top, a.kernel_h, in[1]);
      for (int32_t ox = 0; ox < out[2]; ++ox)
        pixel(image, rows, window(ox, a.stride_w, pad.left, a.kernel_w, in[2]));
    }
  }
}

template <typename Q>
void quantized_pool(const Tile& tile, const ReferenceParams& p) {
  const auto& a = p.as<Pool2DParams>();
  const OperandDesc y = p.output(0);
  const OutputStage stage = make_output_stage(y.dtype, y.scale, y.zero_point, a.activation);
  const int32_t low = static_cast<int32_t>(stage.low) + y.zero_point;
  const int32_t high = static_cast<int32_t>(stage.high) + y.zero_point;
  if (a.fn == PoolFn::kAverage) return pool(tile, p, IntAverage<Q>{low, high});
  pool(tile, p, IntMax<Q>{low, high});
}

}  // namespace

void reference_Pool2D(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const auto& a = p.as<Pool2DParams>();
  switch (p.input(0).dtype) {
    case DType::kI8:
      return quantized_pool<int8_t>(tile, p);
    case DType::kU8:
      return quantized_pool<uint8_t>(tile, p);
    default:
      if (a.fn == PoolFn::kAverage) return pool(tile, p, FloatAverage{limits_of(a.activation)});
      return pool(tile, p, FloatMax{limits_of(a.activation)});
  }
}

}  // namespace pj
