// Elements of any type as numbers to compute with, a block at a time: floats, or whole numbers of
// 64 bits. A function so exists for these and not for each type of tensor. Wrapping is not lost:
// what is right modulo 2^64 is right modulo 2^32.
#pragma once

#include <cstring>

#include "kernels/reference/view.h"

namespace pj::ref {

// Elements of a tensor, `step` apart; 0 is one element that repeats.
struct Row {
  const OperandDesc& desc;
  const std::byte* x;
  int64_t step;
};
inline Row row_at(const OperandDesc& desc, const std::byte* tensor, int64_t element, int64_t step) {
  return {desc, tensor + element * static_cast<int64_t>(size_of(desc.dtype)), step};
}

template <typename T, typename Wide, typename F>
void widen(const Row& r, int64_t n, Wide* wide, F&& f) {
  const T* x = reinterpret_cast<const T*>(r.x);
  for (int64_t i = 0; i < n; ++i) wide[i] = f(x[i * r.step]);
}

// Calls f with a value of the type that stores the whole numbers of `t`.
template <typename F>
void visit_whole(DType t, F&& f) {
  visit_dtype(t, [&](auto value) {
    if constexpr (std::is_integral_v<decltype(value)>) f(value);
  });
}

// The first n <= kBlock elements: in `buffer`, or where they are. Whole numbers as they are stored,
// bools as 0 and 1; floats, of quantised tensors dequantised.
inline const int64_t* numbers(const Row& r, int64_t n, int64_t* buffer) {
  if (r.desc.dtype == DType::kBool) {
    widen<Bool>(r, n, buffer, [](Bool x) { return int64_t{x.byte != 0}; });
    return buffer;
  }
  visit_whole(r.desc.dtype, [&](auto value) {
    widen<decltype(value)>(r, n, buffer, [](auto x) { return static_cast<int64_t>(x); });
  });
  return buffer;
}
inline const float* numbers(const Row& r, int64_t n, float* buffer) {
  if (r.desc.dtype == DType::kF32) {
    if (r.step == 1) return reinterpret_cast<const float*>(r.x);
    widen<float>(r, n, buffer, [](float x) { return x; });
    return buffer;
  }
  auto real = [&](auto q) {
    return dequantized(static_cast<int32_t>(q), r.desc.scale, r.desc.zero_point);
  };
  visit_whole(r.desc.dtype, [&](auto value) { widen<decltype(value)>(r, n, buffer, real); });
  return buffer;
}

// Stores n numbers as elements of type `t`: floats as f32, of whole numbers the low bits.
inline void store(DType t, const int64_t* from, int64_t n, std::byte* y) {
  if (t == DType::kBool) {
    for (int64_t i = 0; i < n; ++i) reinterpret_cast<Bool*>(y)[i] = Bool{from[i] != 0};
    return;
  }
  visit_whole(t, [&](auto value) {
    using T = decltype(value);
    for (int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(y)[i] = static_cast<T>(from[i]);
  });
}
inline void store(DType, const float* from, int64_t n, std::byte* y) {
  std::memcpy(y, from, static_cast<size_t>(n) * sizeof(float));
}

}  // namespace pj::ref
