#include "tests/api/models.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "runtime/format/pj_file.h"
#include "tests/support/graphs.h"

namespace pj::testing {
namespace {

Bytes bytes_of(const Result<Graph>& graph) {
  if (!graph) {
    ADD_FAILURE() << graph.error().message;
    return {};
  }
  Result<Bytes> bytes = serialize_model(*graph);
  if (!bytes) {
    ADD_FAILURE() << bytes.error().message;
    return {};
  }
  return *bytes;
}

Bytes dense(int32_t rows) {
  const std::vector<float> weights = {1, 2, 3, -4, -1, -1}, bias = {0.5f, 1, -1};
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {rows, 2});
  const TensorId w = b.constant("w", DType::kF32, {3, 2}, std::as_bytes(std::span(weights)));
  const TensorId c = b.constant("b", DType::kF32, {3}, std::as_bytes(std::span(bias)));
  const TensorId y = b.activation("y", DType::kF32, {rows, 3});
  b.op(OpKind::kFullyConnected, FullyConnectedParams{false, Activation::kRelu}, {x, w, c}, {y});
  return bytes_of(b.finish({y}));
}

}  // namespace

Bytes dense_model() { return dense(1); }
Bytes rows_model() { return dense(kUnknownDim); }

Bytes two_inputs_model() {
  GraphBuilder g;
  const Shape shape{1, kUnknownDim};
  const TensorId a = g.input("a", DType::kF32, shape);
  const TensorId b = g.input("b", DType::kF32, shape);
  const TensorId sum = g.activation("sum", DType::kF32, shape);
  const TensorId difference = g.activation("difference", DType::kF32, shape);
  g.op(OpKind::kBinary, BinaryParams{BinaryFn::kAdd, Activation::kNone}, {a, b}, {sum});
  g.op(OpKind::kBinary, BinaryParams{BinaryFn::kSub, Activation::kNone}, {a, b}, {difference});
  return bytes_of(g.finish({sum, difference}));
}

Bytes heavy_model() {
  GraphBuilder b;
  const TensorId x = b.input("x", DType::kF32, {1, 1024});
  const TensorId w = b.constant("w", DType::kF32, {1024, 1024});
  const TensorId y = b.activation("y", DType::kF32, {1, 1024});
  b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {x, w}, {y});
  return bytes_of(b.finish({y}));
}

Bytes block_model() { return bytes_of(inverted_residual(32, 32, 16, 48)); }
Bytes large_block_model() { return bytes_of(inverted_residual(64, 64, 16, 96)); }

ModelHandle load(const Bytes& bytes) {
  pj_model* model = nullptr;
  EXPECT_EQ(pj_model_load_memory(bytes.data(), bytes.size(), nullptr, &model), pj_ok)
      << pj_last_error();
  return ModelHandle(model);
}

SessionHandle open(const ModelHandle& model, const pj_session_options* options) {
  pj_session* session = nullptr;
  EXPECT_EQ(pj_session_create(model.get(), options, &session), pj_ok) << pj_last_error();
  return SessionHandle(session);
}

SessionHandle open(const Bytes& bytes) { return open(load(bytes)); }

Bytes run_on_noise(pj_session* session) {
  std::mt19937 random(7);
  for (size_t i = 0; i < pj_session_input_count(session); ++i) {
    const pj_tensor_info info = input_info(session, i);
    void* const data = pj_session_input_data(session, i);
    if (info.dtype == pj_f32) {
      for (size_t k = 0; k < info.byte_size / sizeof(float); ++k)
        static_cast<float*>(data)[k] = static_cast<float>(random() % 2000) / 1000 - 1;
    } else {
      for (size_t k = 0; k < info.byte_size; ++k)
        static_cast<uint8_t*>(data)[k] = static_cast<uint8_t>(random());
    }
  }
  EXPECT_EQ(pj_run(session), pj_ok) << pj_last_error();
  Bytes output(output_info(session, 0).byte_size);
  std::memcpy(output.data(), pj_session_output_data(session, 0), output.size());
  return output;
}

std::vector<float> floats_of(const void* data, size_t count) {
  const auto* values = static_cast<const float*>(data);
  return {values, values + count};
}

pj_tensor_info input_info(const pj_session* s, size_t i) {
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  EXPECT_EQ(pj_session_input_info(s, i, &info), pj_ok) << pj_last_error();
  return info;
}

pj_tensor_info output_info(const pj_session* s, size_t i) {
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  EXPECT_EQ(pj_session_output_info(s, i, &info), pj_ok) << pj_last_error();
  return info;
}

}  // namespace pj::testing
