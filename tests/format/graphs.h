// Graphs made by hand for the tests of the container, and their comparison.
#pragma once

#include <string>
#include <vector>

#include "runtime/format/pj_file.h"
#include "runtime/graph/graph.h"

namespace pj {

// Adds tensors and operators to `graph`.
struct GraphBuilder {
  Graph graph;

  TensorId input(Shape shape, DType dtype = DType::kF32, Quantization quant = {});
  template <typename T>
  TensorId constant(Shape shape, const std::vector<T>& values, DType dtype,
                    Quantization quant = {}) {
    return constant_bytes(shape, std::as_bytes(std::span(values)), dtype, std::move(quant));
  }
  TensorId constant_bytes(Shape shape, std::span<const std::byte> bytes, DType dtype,
                          Quantization quant);
  // A float constant filled with `first`, `first` + 1, ...
  TensorId weights(Shape shape, float first = 0);
  // An operator whose outputs have these types; they become outputs of the graph.
  std::vector<TensorId> op(OpKind kind, OpParams params, std::vector<TensorId> inputs,
                           std::vector<DType> outputs = {DType::kF32});
};

// One operator of every kind, each with attributes that differ from their defaults.
Graph graph_of_all_operators();
// A quantised convolution with a scale per channel, then a float one: a few hundred bytes of
// weights.
Graph small_graph();
// A made-up target with packed weights and choices for two operators of small_graph().
TargetRecord small_target();

// "name=value" of every attribute, floats by their bits.
std::string attributes_text(const Op& op);
void expect_equal(const Graph& a, const Graph& b);
void expect_equal(const TargetRecord& a, const TargetRecord& b);

}  // namespace pj
