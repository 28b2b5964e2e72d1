#include "cli/values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "cli/errors.h"
#include "runtime/base/half.h"

namespace pj::cli {
namespace {

template <typename T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

double raw_value(DType dtype, const std::byte* p) {
  switch (dtype) {
    case DType::kF32:
      return static_cast<double>(load<float>(p));
    case DType::kF16:
      return static_cast<double>(to_float(Half{load<uint16_t>(p)}));
    case DType::kI8:
      return load<int8_t>(p);
    case DType::kU8:
      return load<uint8_t>(p);
    case DType::kI16:
      return load<int16_t>(p);
    case DType::kI32:
      return load<int32_t>(p);
    case DType::kI64:
      return static_cast<double>(load<int64_t>(p));
    case DType::kBool:
      return load<uint8_t>(p) != 0 ? 1 : 0;
  }
  return 0;
}

double or_lowest(double v) { return std::isnan(v) ? -std::numeric_limits<double>::infinity() : v; }

}  // namespace

std::vector<double> real_values(const Tensor& tensor, std::span<const std::byte> bytes) {
  const size_t size = size_of(tensor.dtype);
  std::vector<double> values(bytes.size() / size);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = raw_value(tensor.dtype, bytes.data() + i * size);
  const Quantization& q = tensor.quant;
  if (q.empty() || is_float(tensor.dtype)) return values;
  const int32_t axis = q.per_tensor() ? 0 : normalize_axis(q.axis, tensor.shape.rank());
  const auto inner = static_cast<size_t>(
      q.per_tensor() ? 1 : elements(tensor.shape, axis + 1, tensor.shape.rank()));
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t c = q.per_tensor() ? 0 : i / inner % q.scale.size();
    values[i] = (values[i] - q.zero_point[c]) * static_cast<double>(q.scale[c]);
  }
  return values;
}

void encode_real(const Tensor& tensor, double real, std::byte* element) {
  if (tensor.dtype == DType::kF32) {
    const auto value = static_cast<float>(real);
    std::memcpy(element, &value, sizeof(value));
    return;
  }
  if (tensor.dtype == DType::kF16) {
    const uint16_t bits = to_half(static_cast<float>(real)).bits;
    std::memcpy(element, &bits, sizeof(bits));
    return;
  }
  const bool small = is_int8_like(tensor.dtype) || tensor.dtype == DType::kI16;
  if (!small || !tensor.quant.per_tensor())
    fail("input '{}' is {} without a scale: give its bytes as .bin, or .npy of that type",
         printable(tensor.name), name_of(tensor.dtype));
  const IntRange range = range_of(tensor.dtype);
  const double q = std::nearbyint(real / static_cast<double>(tensor.quant.scale[0])) +
                   tensor.quant.zero_point[0];
  // NaN becomes the smallest value.
  const int32_t value = !(q > range.min)
                            ? range.min
                            : static_cast<int32_t>(std::min(q, static_cast<double>(range.max)));
  if (tensor.dtype == DType::kI16) {
    const auto wide = static_cast<int16_t>(value);
    std::memcpy(element, &wide, sizeof(wide));
  } else {
    *element = static_cast<std::byte>(value & 0xff);
  }
}

std::vector<int64_t> integer_values(DType dtype, std::span<const std::byte> bytes,
                                    const std::string& what) {
  if (is_float(dtype)) fail("{} holds {} numbers; integers are needed", what, name_of(dtype));
  const size_t size = size_of(dtype);
  std::vector<int64_t> values(bytes.size() / size);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::byte* p = bytes.data() + i * size;
    values[i] = dtype == DType::kI64 ? load<int64_t>(p) : static_cast<int64_t>(raw_value(dtype, p));
  }
  return values;
}

std::vector<size_t> top_k(std::span<const double> values, size_t k) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  k = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                    [&](size_t a, size_t b) {
                      const double x = or_lowest(values[a]), y = or_lowest(values[b]);
                      return x > y || (x == y && a < b);
                    });
  order.resize(k);
  return order;
}

}  // namespace pj::cli
