// Shape: the dimensions of a tensor, at most kMaxRank of them, stored in place.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace pj {

inline constexpr int kMaxRank = 8;
// A dimension that is known only once inputs are set.
inline constexpr int32_t kUnknownDim = -1;

// A short list of 32-bit integers; also used for axes, permutations, begins and sizes. Trivially
// copyable, so that operators' attributes stay plain data.
struct Dims {
  int32_t count = 0;
  std::array<int32_t, kMaxRank> v{};

  constexpr Dims() = default;
  constexpr Dims(std::initializer_list<int32_t> list) {
    for (int32_t d : list) v[static_cast<size_t>(count++)] = d;
  }
  // The caller guarantees list.size() <= kMaxRank.
  explicit constexpr Dims(std::span<const int32_t> list) {
    for (int32_t d : list) v[static_cast<size_t>(count++)] = d;
  }
  // `count` copies of `value`.
  static constexpr Dims filled(int32_t count, int32_t value) {
    Dims d;
    d.count = count;
    for (int32_t i = 0; i < count; ++i) d[i] = value;
    return d;
  }

  constexpr int32_t rank() const { return count; }
  constexpr bool empty() const { return count == 0; }
  constexpr int32_t& operator[](int32_t i) { return v[static_cast<size_t>(i)]; }
  constexpr int32_t operator[](int32_t i) const { return v[static_cast<size_t>(i)]; }
  // Counted from the end: back(0) is the last dimension.
  constexpr int32_t back(int32_t i) const { return (*this)[count - 1 - i]; }
  constexpr int32_t& back(int32_t i) { return (*this)[count - 1 - i]; }
  constexpr void push_back(int32_t d) { (*this)[count++] = d; }
  constexpr auto begin() const { return v.begin(); }
  constexpr auto end() const { return v.begin() + count; }

  constexpr bool operator==(const Dims& o) const {
    if (count != o.count) return false;
    for (int32_t i = 0; i < count; ++i)
      if ((*this)[i] != o[i]) return false;
    return true;
  }
};

using Shape = Dims;

// True if every dimension is known.
constexpr bool is_static(const Shape& s) {
  for (int32_t d : s)
    if (d < 0) return false;
  return true;
}

// What an input's shape starts as: an unknown first dimension, the batch, becomes 1. Others stay
// unknown until the user sets them.
constexpr Shape default_shape(Shape s) {
  if (s.rank() > 0 && s[0] == kUnknownDim) s[0] = 1;
  return s;
}

// Number of elements of a static shape; nothing if a dimension is unknown or the product passes
// 2^40, far above what any supported machine can hold.
std::optional<int64_t> element_count(const Shape& shape);

// The same for a shape that has been validated.
constexpr int64_t elements(const Shape& shape) {
  int64_t n = 1;
  for (int32_t d : shape) n *= d;
  return n;
}
// Product of dimensions [first, last).
constexpr int64_t elements(const Shape& shape, int32_t first, int32_t last) {
  int64_t n = 1;
  for (int32_t i = first; i < last; ++i) n *= shape[i];
  return n;
}

// "1x224x224x3"; "?" for an unknown dimension; "scalar" for rank 0.
std::string to_string(const Shape& shape);

}  // namespace pj
