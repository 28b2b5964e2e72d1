// Builds small graphs in tests, tensor by tensor.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/half.h"
#include "runtime/graph/graph.h"

namespace pj::test {

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

inline Quantization quant(float scale, int32_t zero_point = 0) {
  return {{scale}, {zero_point}, 0};
}

struct GraphBuilder {
  Graph graph;

  TensorId tensor(std::string name, Shape shape, DType dtype = DType::kF32, Quantization q = {}) {
    Tensor t;
    t.name = std::move(name);
    t.shape = shape;
    t.dtype = dtype;
    t.quant = std::move(q);
    return graph.add_tensor(std::move(t));
  }
  TensorId input(std::string name, Shape shape, DType dtype = DType::kF32, Quantization q = {}) {
    const TensorId id = tensor(std::move(name), shape, dtype, std::move(q));
    graph.inputs.push_back(id);
    return id;
  }
  template <typename T>
  TensorId constant(std::string name, Shape shape, const std::vector<T>& values,
                    Quantization q = {}) {
    const TensorId id = tensor(std::move(name), shape, dtype_of<T>(), std::move(q));
    graph.tensor(id).constant = true;
    graph.tensor(id).data = SharedBytes::copy_of(std::as_bytes(std::span(values)));
    return id;
  }
  // One output, whose shape inference finds out; `dtype` and `q` default to those of input 0.
  TensorId op(OpKind kind, OpParams params, std::vector<TensorId> inputs, std::string output) {
    const Tensor first = graph.tensor(inputs[0]);
    return op(kind, params, std::move(inputs), std::move(output), first.dtype,
              first.quant.per_tensor() ? first.quant : Quantization{});
  }
  TensorId op(OpKind kind, OpParams params, std::vector<TensorId> inputs, std::string output,
              DType dtype, Quantization q = {}) {
    const TensorId id = tensor(std::move(output), {}, dtype, std::move(q));
    graph.ops.push_back({kind, params, std::move(inputs), {id}, ""});
    return id;
  }
  void output(TensorId id) { graph.outputs.push_back(id); }
};

// A stored value of a constant as a list.
template <typename T>
std::vector<T> values_of(const Tensor& t) {
  const std::span<const T> s = t.as<T>();
  return {s.begin(), s.end()};
}

}  // namespace pj::test
