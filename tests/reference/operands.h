// Runs reference kernels on literal values.
#pragma once

#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "kernels/reference/reference.h"
#include "runtime/base/half.h"

namespace pj::math_test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <typename T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, Half>) return DType::kF16;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kI8;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kU8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kI16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kI64;
}

struct Q {
  float scale = 0;
  int32_t zero_point = 0;
};

// An operand with its bytes in a block of exactly their size, so that a sanitizer sees every read
// or write outside it.
struct Operand {
  OperandDesc desc;
  std::vector<std::byte> bytes;
  std::vector<float> scales;

  Operand& per_channel(std::vector<float> s, int32_t axis) {
    scales = std::move(s);
    desc.channel_axis = axis;
    return *this;
  }
  template <typename T>
  std::vector<T> as() const {
    std::vector<T> v(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(v.data(), bytes.data(), bytes.size());
    return v;
  }
};

template <typename T>
Operand in(Shape shape, std::vector<T> values, Q q = {}) {
  Operand o;
  o.desc.dtype = dtype_of<T>();
  o.desc.shape = shape;
  o.desc.scale = q.scale;
  o.desc.zero_point = q.zero_point;
  o.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(o.bytes.data(), values.data(), o.bytes.size());
  return o;
}

// Bools as bytes: anything but 0 is true.
inline Operand bools(Shape shape, std::vector<uint8_t> values) {
  Operand o = in<uint8_t>(shape, std::move(values));
  o.desc.dtype = DType::kBool;
  return o;
}

inline Operand absent() {
  Operand o;
  o.desc.present = false;
  return o;
}

inline Operand out(DType dtype, Shape shape, Q q = {}) {
  Operand o;
  o.desc.dtype = dtype;
  o.desc.shape = shape;
  o.desc.scale = q.scale;
  o.desc.zero_point = q.zero_point;
  o.bytes.assign(static_cast<size_t>(elements(shape)) * size_of(dtype), std::byte{0x5a});
  return o;
}

inline std::vector<Operand> run(OpKind kind, const OpParams& params, std::vector<Operand> inputs,
                                std::vector<Operand> outputs) {
  auto descs = [](std::vector<Operand>& operands) {
    std::vector<OperandDesc> d;
    for (Operand& o : operands) {
      o.desc.channel_scales = o.scales;
      d.push_back(o.desc);
    }
    return d;
  };
  std::vector<const std::byte*> in_data;
  std::vector<std::byte*> out_data;
  for (const Operand& o : inputs) in_data.push_back(o.desc.present ? o.bytes.data() : nullptr);
  for (Operand& o : outputs) out_data.push_back(o.bytes.data());
  run_reference(kind, params, descs(inputs), in_data, descs(outputs), out_data);
  return outputs;
}

// The only output of an operator.
template <typename Y>
std::vector<Y> compute(OpKind kind, const OpParams& params, std::vector<Operand> inputs,
                       Shape shape, Q q = {}) {
  const std::vector<Operand> outputs =
      run(kind, params, std::move(inputs), {out(dtype_of<Y>(), shape, q)});
  return outputs[0].as<Y>();
}
inline std::vector<uint8_t> compute_bools(OpKind kind, const OpParams& params,
                                          std::vector<Operand> inputs, Shape shape) {
  return run(kind, params, std::move(inputs), {out(DType::kBool, shape)})[0].as<uint8_t>();
}

}  // namespace pj::math_test
