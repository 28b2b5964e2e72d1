// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pj {

// The values are part of the .pj format: append, never renumber.
enum class DType : uint8_t {
  kF32 = 0,
  kF16 = 1,
  kI8 = 2,
  kU8 = 3,
  kI16 = 4,
  kI32 = 5,
  kI64 = 6,
  kBool = 7,
};
inline constexpr int kDTypeCount = 8;

constexpr size_t size_of(DType t) {
  constexpr uint8_t sizes[kDTypeCount] = {sizeof(float), 2, 1, 1, 2, 4, 8, 1};
  return sizes[static_cast<int>(t)];
}

constexpr const char* name_of(DType t) {
  constexpr const char* names[kDTypeCount] = {"f32",   "f16",   "int8",  "uint8",
                                              "int16", "int32", "int64", "bool"};
  return names[static_cast<int>(t)];
}

constexpr bool is_float(DType t) { return t == DType::kF32 || t == DType::kF16; }
// The 8-bit types of quantised activations.
constexpr bool is_int8_like(DType t) { return t == DType::kI8 || t == DType::kU8; }

struct IntRange {
  int32_t min, max;
};
// Range of an integer type of at most 32 bits.
constexpr IntRange range_of(DType t) {
  switch (t) {
    case DType::kI8:
      return {-128, 127};
    case DType::kU8:
      return {0, 255};
    case DType::kI16:
      return {-32768, 32767};
    case DType::kBool:
      return {0, 1};
    default:
      return {INT32_MIN, INT32_MAX};
  }
}

}  // namespace pj
