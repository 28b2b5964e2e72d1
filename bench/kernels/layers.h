// Layers of well-known networks: the shapes that kernels are measured on.
#pragma once

#include <span>
#include <string>

#include "runtime/base/dtype.h"
#include "runtime/base/op_params.h"
#include "runtime/base/result.h"
#include "runtime/graph/graph.h"

namespace pj::bench {

struct Layer {
  const char* network;
  OpKind op;  // kConv2D, kDepthwiseConv2D, kTransposeConv2D or kFullyConnected
  // Input; a fully connected layer has `height` rows of `in_c` numbers.
  int32_t height, width, in_c;
  int32_t out_c;
  int32_t kernel_h = 1, kernel_w = 1, stride = 1;
  Activation activation = Activation::kNone;
};

std::span<const Layer> layers();

// "resnet50_conv_3x3s1_14x14x256_256": network, operator, window and stride, input, output
// channels; "gemm_fc_196x64_256": rows, numbers in, numbers out.
std::string name_of(const Layer& layer);

struct OperandTypes {
  DType input, weights, output;

  bool operator==(const OperandTypes&) const = default;
};

// A network of this one layer, with padding kSame, bias, and pseudo-random weights; quantised where
// the types are integers. Errors: those of validate() and infer_shapes() for types that do not go
// together.
Result<Graph> make_graph(const Layer& layer, const OperandTypes& types);

}  // namespace pj::bench
