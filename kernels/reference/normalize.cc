// Softmax, its logarithm, L2 and layer normalisation, all over the last dimension.
//
// A row with a NaN or with nothing but -infinity becomes NaN.
#include <cmath>

#include "kernels/common/layer_norm_scale.h"
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

// f32 as it is, or 8 bits through reals: f(x, i) is element i of the result for row x of length n,
// where x(i) reads a real value.
template <typename Q, typename F>
void through_reals(const Tile& tile, const ReferenceParams& p, F&& row) {
  const OperandDesc x = p.input(0), y = p.output(0);
  const IntRange range = range_of(y.dtype);
  rows(x.shape, [&](int64_t offset, int64_t n) {
    const Q* in = input<Q>(tile, 0) + offset;
    Q* out = output<Q>(tile, 0) + offset;
    auto read = [&](int64_t i) { return dequantized(in[i], x.scale, x.zero_point); };
    auto write = [&](int64_t i, float real) {
      out[i] =
          static_cast<Q>(quantize_value(real, 1.0f / y.scale, y.zero_point, range.min, range.max));
    };
    row(n, read, write);
  });
}

template <typename F>
void visit_rows(const Tile& tile, const ReferenceParams& p, F&& row) {
  switch (p.input(0).dtype) {
    case DType::kI8:
      return through_reals<int8_t>(tile, p, row);
    case DType::kU8:
      return through_reals<uint8_t>(tile, p, row);
    default:
      rows(p.input(0).shape, [&](int64_t offset, int64_t n) {
        const float* in = input<float>(tile, 0) + offset;
        float* out = output<float>(tile, 0) + offset;
        row(
            n, [&](int64_t i) { return in[i]; }, [&](int64_t i, float real) { out[i] = real; });
      });
  }
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
  visit_rows(tile, ReferenceParams(tile.params), [](int64_t n, auto read, auto write) {
    float top = read(0);
    for (int64_t i = 1; i < n; ++i) top = std::max(top, read(i));
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::exp(read(i) - top);
    const float log_sum = std::log(sum);
    for (int64_t i = 0; i < n; ++i) write(i, read(i) - top - log_sum);
  });
}

// x / max(|x|, 1e-6): a row of zeros stays zero.
void reference_L2Normalization(const Tile& tile) {
  visit_rows(tile, ReferenceParams(tile.params), [](int64_t n, auto read, auto write) {
    float sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += read(i) * read(i);
    const float norm = std::max<float>(std::sqrt(sum), 1e-6f);
    for (int64_t i = 0; i < n; ++i) write(i, read(i) / norm);
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
