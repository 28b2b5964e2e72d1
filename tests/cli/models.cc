#include "tests/cli/models.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/format/pj_file.h"
#include "tests/support/graphs.h"

namespace pj::cli {
namespace {

using pj::testing::GraphBuilder;
using pj::testing::quantized;

std::string write(const std::string& path, Result<Graph> graph) {
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
  } else if (const Status written = write_model(path, *graph); !written) {
    ADD_FAILURE() << written.error().message;
  }
  return path;
}

template <typename T>
std::span<const std::byte> bytes(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

std::string brightest_model(const std::string& path) {
  GraphBuilder b;
  const Quantization pixels = quantized(1.0f / 255, -128);
  const TensorId in = b.input("pixels", DType::kI8, {1, 2, 2, 1}, pixels);
  const TensorId flat = b.activation("flat", DType::kI8, {1, 4}, pixels);
  const TensorId weights = b.constant(
      "weights", DType::kI8, {3, 4},
      bytes(std::vector<int8_t>{10, 0, 0, 0, 0, 10, 0, 0, 0, 0, 10, 0}), quantized(1, 0));
  const TensorId bias = b.constant("bias", DType::kI32, {3}, bytes(std::vector<int32_t>{0, 0, 0}),
                                   quantized(1.0f / 255, 0));
  const TensorId logits = b.activation("logits", DType::kI8, {1, 3}, quantized(0.1f, 0));
  const TensorId scores = b.activation("scores", DType::kI8, {1, 3}, quantized(1.0f / 256, -128));
  b.op(OpKind::kReshape, ReshapeParams{Dims{1, 4}}, {in}, {flat});
  b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {flat, weights, bias}, {logits});
  b.op(OpKind::kSoftmax, SoftmaxParams{}, {logits}, {scores});
  return write(path, b.finish({scores}));
}

std::string adding_model(const std::string& path) {
  GraphBuilder b;
  const TensorId left = b.input("left", DType::kF32, {1, 3});
  const TensorId right = b.input("right", DType::kF32, {1, 3});
  const TensorId sum = b.activation("sum", DType::kF32, {1, 3});
  b.op(OpKind::kBinary, BinaryParams{}, {left, right}, {sum});
  return write(path, b.finish({sum}));
}

std::string rows_model(const std::string& path) {
  GraphBuilder b;
  const TensorId rows = b.input("rows", DType::kF32, {kUnknownDim, 2});
  const TensorId weights =
      b.constant("weights", DType::kF32, {2, 2}, bytes(std::vector<float>{1, 1, 1, -1}));
  const TensorId sums = b.activation("sums", DType::kF32, {kUnknownDim, 2});
  b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {rows, weights, kNoTensor}, {sums});
  return write(path, b.finish({sums}));
}

}  // namespace pj::cli
