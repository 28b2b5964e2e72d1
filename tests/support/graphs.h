// Small graphs for tests.
#pragma once

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/graph/graph.h"

namespace pj::testing {

// Builds a graph operator by operator. Constants get reproducible pseudo-random values.
class GraphBuilder {
 public:
  explicit GraphBuilder(uint32_t seed = 1) : random_(seed) {}

  TensorId input(const std::string& name, DType dtype, Shape shape, Quantization q = {}) {
    const TensorId id = activation(name, dtype, shape, std::move(q));
    graph_.inputs.push_back(id);
    return id;
  }
  TensorId activation(const std::string& name, DType dtype, Shape shape, Quantization q = {}) {
    Tensor t;
    t.name = name;
    t.dtype = dtype;
    t.shape = shape;
    t.quant = std::move(q);
    return graph_.add_tensor(std::move(t));
  }
  // Integers over the whole range of an 8-bit type, +-1000 for int32; floats in [-1, 1).
  TensorId constant(const std::string& name, DType dtype, Shape shape, Quantization q = {}) {
    std::vector<std::byte> bytes(static_cast<size_t>(elements(shape)) * size_of(dtype));
    fill(dtype, bytes);
    return constant(name, dtype, shape, bytes, std::move(q));
  }
  TensorId constant(const std::string& name, DType dtype, Shape shape,
                    std::span<const std::byte> bytes, Quantization q = {}) {
    const TensorId id = activation(name, dtype, shape, std::move(q));
    graph_.tensor(id).constant = true;
    graph_.tensor(id).data = SharedBytes::copy_of(bytes);
    return id;
  }
  void op(OpKind kind, OpParams params, std::vector<TensorId> in, std::vector<TensorId> out) {
    graph_.ops.push_back({kind, params, std::move(in), std::move(out), ""});
  }
  // The finished graph; its shapes are inferred.
  Result<Graph> finish(std::vector<TensorId> outputs) {
    graph_.outputs = std::move(outputs);
    PJ_TRY(validate(graph_));
    PJ_TRY(infer_shapes(graph_));
    return graph_;
  }
  void fill(DType dtype, std::span<std::byte> bytes);

 private:
  Graph graph_;
  std::mt19937 random_;
};

// One scale and zero point.
inline Quantization quantized(float scale, int32_t zero_point) {
  return {{scale}, {zero_point}, 0};
}
// A scale for each of n channels along `axis`, all different.
Quantization per_channel(int32_t n, int32_t axis, float scale = 0.01f);

// An int8 MobileNet V2 block, 1xHxWxC -> the same shape: expand 1x1, depthwise 3x3, project 1x1,
// residual add.
Result<Graph> inverted_residual(int32_t height, int32_t width, int32_t channels, int32_t expanded);

}  // namespace pj::testing
