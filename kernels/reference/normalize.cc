// Softmax, its logarithm, L2 and layer normalisation, all over the last dimension.
//
// A row with a NaN or with nothing but -infinity becomes NaN.
#include <cmath>
#include <utility>

#include "kernels/common/layer_norm_scale.h"
#include "kernels/common/quantized_normalize.h"
#include "kernels/common/requantize.h"
#include "kernels/reference/reference_rows.h"
#include "kernels/reference/view.h"

namespace pj {
namespace {

using namespace ref;

// Calls f(offset, length) for each row.
template <typename F>
void rows(const Shape& shape, F&& f) {
  const int64_t length = shape.empty() ? 1 : shape.back(0);
  const int64_t count = elements(shape);
  for (int64_t offset = 0; offset < count; offset += length) f(offset, length);
}

template <typename T>
T largest(const T* x, int64_t n) {
  return *std::max_element(x, x + n);
}

void softmax_row(const float* x, float* y, int64_t n, float beta) {
  const float top = largest(x, n);
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    y[i] = std::exp((x[i] - top) * beta);
    sum += y[i];
  }
  for (int64_t i = 0; i < n; ++i) y[i] /= sum;
}

// exp() of every possible distance from the row's maximum comes from a table; the sum runs in f32
// in the order of the row, and halves round upwards. These are TFLite's steps, bit by bit.
template <typename Q>
void quantized_softmax(const Tile& tile, const ReferenceParams& p) {
  const OperandDesc x = p.input(0), y = p.output(0);
  float table[256];
  const float slope = -x.scale * p.as<SoftmaxParams>().beta;
  for (int d = 0; d < 256; ++d) table[d] = std::exp(slope * static_cast<float>(d));
  const IntRange range = range_of(y.dtype);
  const auto high = static_cast<float>(range.max - y.zero_point);
  rows(x.shape, [&](int64_t offset, int64_t n) {
    const Q* in = input<Q>(tile, 0) + offset;
    Q* out = output<Q>(tile, 0) + offset;
    const Q top = largest(in, n);
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += table[top - in[i]];
    const float inverse = 1.0f / (sum * y.scale);
    for (int64_t i = 0; i < n; ++i) {
      const float q = clamp_to(table[top - in[i]] * inverse + 0.5f, 0.0f, high);
      out[i] = static_cast<Q>(std::max(static_cast<int32_t>(q) + y.zero_point, range.min));
    }
  });
}

// Log-softmax and L2 norm of 8 bits, by the rule of quantized_normalize.h. f(in, n) gives a row's
// rule and the distance of each number as a function.
template <typename Q, typename F>
void quantized_rows(const Tile& tile, const ReferenceParams& p, F&& f) {
  const OperandDesc y = p.output(0);
  rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
    const Q* in = input<Q>(tile, 0) + offset;
    Q* out = output<Q>(tile, 0) + offset;
    const auto [row, distance] = f(in, n);
    for (int64_t i = 0; i < n; ++i)
      out[i] = static_cast<Q>(
          normalized(row, distance(in[i]), 1.0f / y.scale, y.zero_point, range_of(y.dtype)));
  });
}

template <typename Q>
void quantized_log_softmax(const Tile& tile, const ReferenceParams& p) {
  const float scale = p.input(0).scale;
  quantized_rows<Q>(tile, p, [&](const Q* in, int64_t n) {
    const int32_t top = largest(in, n);
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(-scale * static_cast<float>(top - in[i]));
    return std::pair(log_softmax_row(scale, sum), [top](int32_t q) { return top - q; });
  });
}

template <typename Q>
void quantized_l2(const Tile& tile, const ReferenceParams& p) {
  const int32_t zero = p.input(0).zero_point;
  quantized_rows<Q>(tile, p, [&](const Q* in, int64_t n) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += int64_t{in[i] - zero} * (in[i] - zero);
    return std::pair(l2_row(p.input(0).scale, sum), [zero](int32_t q) { return q - zero; });
  });
}

}  // namespace

void reference_Softmax(const Tile& tile) {
  const ReferenceParams p(tile.params);
  switch (p.input(0).dtype) {
    case DType::kI8:
      return quantized_softmax<int8_t>(tile, p);
    case DType::kU8:
      return quantized_softmax<uint8_t>(tile, p);
    default:
      rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
        softmax_row(input<float>(tile, 0) + offset, output<float>(tile, 0) + offset, n,
                    p.as<SoftmaxParams>().beta);
      });
  }
}

// x - max - log(sum(exp(x - max)))
void reference_LogSoftmax(const Tile& tile) {
  const ReferenceParams p(tile.params);
  if (p.input(0).dtype == DType::kI8) return quantized_log_softmax<int8_t>(tile, p);
  if (p.input(0).dtype == DType::kU8) return quantized_log_softmax<uint8_t>(tile, p);
  rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
    const float* x = input<float>(tile, 0) + offset;
    float* y = output<float>(tile, 0) + offset;
    const float top = largest(x, n);
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i] - top);
    const float log_sum = std::log(sum);
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] - top - log_sum;
  });
}

// x / max(|x|, 1e-6): a row of zeros stays zero.
void reference_L2Normalization(const Tile& tile) {
  const ReferenceParams p(tile.params);
  if (p.input(0).dtype == DType::kI8) return quantized_l2<int8_t>(tile, p);
  if (p.input(0).dtype == DType::kU8) return quantized_l2<uint8_t>(tile, p);
  rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
    const float* x = input<float>(tile, 0) + offset;
    float* y = output<float>(tile, 0) + offset;
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += x[i] * x[i];
    const float norm = std::max<float>(std::sqrt(sum), 1e-6f);
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] / norm;
  });
}

void reference_LayerNorm(const Tile& tile) {
  const ReferenceParams p(tile.params);
  const float epsilon = p.as<LayerNormParams>().epsilon;
  const float *gamma = input<float>(tile, 1), *beta = input<float>(tile, 2);
  rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
    const float* x = input<float>(tile, 0) + offset;
    float* y = output<float>(tile, 0) + offset;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i) sum += x[i];
    const auto mean = static_cast<float>(sum / static_cast<double>(n));
    for (int64_t i = 0; i < n; ++i) squares += (double{x[i]} - mean) * (double{x[i]} - mean);
    const float scale = layer_norm_scale(squares / static_cast<double>(n), epsilon);
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * scale * gamma[i] + beta[i];
  });
}

}  // namespace pj
