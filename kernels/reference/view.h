// Small tools that the reference kernels share: typed operands, strides, and walking over one or
// several tensors of different strides row by row.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/kernel.h"
#include "kernels/reference/reference.h"
#include "runtime/base/dtype.h"
#include "runtime/base/half.h"
#include "runtime/base/shape.h"

namespace pj::ref {

// Stored bools: any byte but 0 is true. (A C++ bool that holds another byte than 0 or 1 is
// undefined behaviour, and tensors may hold anything.)
struct Bool {
  uint8_t byte;
};

// Null for an absent operand.
template <typename T>
const T* input(const Tile& tile, int32_t i) {
  return reinterpret_cast<const T*>(tile.in[i]);
}
template <typename T>
T* output(const Tile& tile, int32_t i) {
  return reinterpret_cast<T*>(tile.out[i]);
}

// True if input i is listed and present.
inline bool has_input(const ReferenceParams& p, int32_t i) {
  return i < p.input_count() && p.input(i).present;
}

// Calls f with a value of the C++ type that stores `t`.
template <typename F>
void visit_dtype(DType t, F&& f) {
  switch (t) {
    case DType::kF32:
      return f(float{});
    case DType::kF16:
      return f(Half{});
    case DType::kI8:
      return f(int8_t{});
    case DType::kU8:
      return f(uint8_t{});
    case DType::kI16:
      return f(int16_t{});
    case DType::kI32:
      return f(int32_t{});
    case DType::kI64:
      return f(int64_t{});
    case DType::kBool:
      return f(Bool{});
  }
}

// Distances between neighbours of each dimension, counted in elements.
using Strides = std::array<int64_t, kMaxRank>;

inline Strides contiguous_strides(const Shape& shape) {
  Strides s{};
  int64_t step = 1;
  for (int32_t i = shape.rank() - 1; i >= 0; --i) {
    s[static_cast<size_t>(i)] = step;
    step *= shape[i];
  }
  return s;
}

// Strides with which a tensor of shape `from` is read as if it had shape `to` (numpy broadcasting:
// aligned at the last dimension, dimensions of size 1 repeat). The caller has checked that it fits.
inline Strides broadcast_strides(const Shape& from, const Shape& to) {
  const Strides own = contiguous_strides(from);
  Strides s{};
  const int32_t added = to.rank() - from.rank();
  for (int32_t i = 0; i < from.rank(); ++i)
    if (from[i] != 1) s[static_cast<size_t>(i + added)] = own[static_cast<size_t>(i)];
  return s;
}

// Joins neighbouring dimensions that every tensor walks as one, so that tensors of equal shape
// become a single long row. Dimensions of size 1 go as well.
template <size_t N>
void collapse(Shape& shape, std::array<Strides, N>& strides) {
  int32_t used = 0;
  for (int32_t d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) continue;
    const auto from = static_cast<size_t>(d);
    bool joins = used > 0 && int64_t{shape[used - 1]} * shape[d] <= INT32_MAX;
    for (size_t k = 0; joins && k < N; ++k)
      joins = strides[k][static_cast<size_t>(used - 1)] == strides[k][from] * shape[d];
    if (joins) {
      shape[used - 1] *= shape[d];
    } else {
      shape[used++] = shape[d];
    }
    for (size_t k = 0; k < N; ++k) strides[k][static_cast<size_t>(used - 1)] = strides[k][from];
  }
  shape.count = used;
}

// Walks over all elements of `shape` in C order, one row a call, with N tensors that each have
// their own strides: f(offsets, count, steps), where offsets[k] is the position of the row's first
// element in tensor k and steps[k] the distance to the next one. Rows are as long as the strides
// allow. Nothing happens for a shape without elements.
template <size_t N, typename F>
void for_each_row(Shape shape, std::array<Strides, N> strides, F&& f) {
  std::array<int64_t, N> offsets{}, steps{};
  if (elements(shape) == 0) return;
  collapse(shape, strides);
  if (shape.empty()) {
    f(offsets, int64_t{1}, steps);
    return;
  }
  const int32_t last = shape.rank() - 1;
  for (size_t k = 0; k < N; ++k) steps[k] = strides[k][static_cast<size_t>(last)];
  std::array<int32_t, kMaxRank> index{};
  while (true) {
    f(offsets, int64_t{shape[last]}, steps);
    int32_t d = last - 1;
    for (; d >= 0; --d) {
      const auto dim = static_cast<size_t>(d);
      for (size_t k = 0; k < N; ++k) offsets[k] += strides[k][dim];
      if (++index[dim] < shape[d]) break;
      for (size_t k = 0; k < N; ++k) offsets[k] -= strides[k][dim] * shape[d];
      index[dim] = 0;
    }
    if (d < 0) return;
  }
}

// Kernels that keep sums of neighbouring channels or columns at once do so for blocks of this many.
inline constexpr int32_t kBlock = 64;

// min(max(x, low), high); NaN stays NaN.
inline float clamp(float x, ActivationLimits limits) {
  return std::min(std::max(x, limits.low), limits.high);
}

// The real value of a quantised number: every kernel that computes in reals uses this order.
inline float dequantized(int32_t q, float scale, int32_t zero_point) {
  return static_cast<float>(q - zero_point) * scale;
}

}  // namespace pj::ref
