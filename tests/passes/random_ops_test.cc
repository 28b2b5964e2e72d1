// The promise of the border: whatever validate() and infer_shapes() let pass can be computed.
// Random operators with random attributes, shapes, types and values; most are refused, the rest run
// through the reference kernels, where the sanitizers see any step outside.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "runtime/graph/op_checks.h"
#include "runtime/passes/evaluate.h"
#include "runtime/passes/passes.h"
#include "tests/graph/graph_builder.h"

namespace pj {
namespace {

class RandomOps {
 public:
  explicit RandomOps(uint32_t seed) : random_(seed) {}

  // One operator on constants.
  Graph graph() {
    Graph g;
    Op op;
    op.kind = static_cast<OpKind>(below(kOpKindCount));
    rank_ = below(5);
    op.params = params_for(op.kind);
    visit_fields(op.params, [&](const char*, auto& field) { set(field); });
    const OpInfo& info = op_info(op.kind);
    const DType dtype = static_cast<DType>(below(kDTypeCount));
    const int32_t data_inputs = std::min(info.first_parameter_input, 3);
    const int32_t inputs = info.min_inputs + below(std::min(info.max_inputs, data_inputs) + 1 -
                                                   std::min(info.min_inputs, data_inputs));
    const Shape shape = random_shape(rank_);
    for (int32_t i = 0; i < std::max(1, inputs); ++i)
      op.inputs.push_back(g.add_tensor(constant(i, dtype, shape)));
    const int32_t outputs =
        info.min_outputs + below(std::min(info.max_outputs, 4) + 1 - std::min(info.min_outputs, 4));
    for (int32_t i = 0; i < outputs; ++i) {
      Tensor t;
      t.dtype = below(4) != 0 ? dtype : static_cast<DType>(below(kDTypeCount));
      t.quant = quantization(t.dtype);
      op.outputs.push_back(g.add_tensor(t));
    }
    g.outputs = op.outputs;
    g.ops.push_back(op);
    return g;
  }

 private:
  int32_t below(int32_t n) { return static_cast<int32_t>(random_() % static_cast<uint32_t>(n)); }

  // Mostly small numbers, sometimes extreme ones.
  int32_t number() {
    constexpr int32_t kExtremes[] = {INT32_MIN, INT32_MAX, -1, 1 << 16, -(1 << 20), 1 << 30};
    return below(60) == 0 ? kExtremes[below(6)] : below(8) - 2;
  }
  template <typename T>
  void set(T& field) {
    if constexpr (std::is_same_v<T, bool>) {
      field = below(2) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      field = static_cast<T>(below(enum_count(field)));
    } else if constexpr (std::is_same_v<T, Dims>) {
      field = Dims::filled(below(4) != 0 ? rank_ : below(kMaxRank + 1), 0);
      const bool permutation = below(2) != 0;
      for (int32_t i = 0; i < field.rank(); ++i)
        field[i] = permutation ? field.rank() - 1 - i : number();
    } else if constexpr (std::is_same_v<T, float>) {
      constexpr float kValues[] = {0.0f, 1.0f, -2.5f, 1e30f, INFINITY, NAN};
      field = kValues[below(6)];
    } else if (below(3) != 0) {
      field = number();
    }
  }
  Shape random_shape(int32_t rank) {
    Shape s;
    for (int32_t i = 0; i < rank; ++i) s.push_back(below(20) == 0 ? 0 : 1 + below(5));
    return s;
  }
  Quantization quantization(DType dtype) {
    if (is_float(dtype) || dtype == DType::kBool || below(4) == 0) return {};
    constexpr float kScales[] = {0.5f, 0.01f, 1e-30f, 1e30f};
    const IntRange range = range_of(dtype);
    return {{kScales[below(below(4) == 0 ? 4 : 2)]}, {below(2) * range.max}, 0};
  }
  Tensor constant(int32_t index, DType first, const Shape& first_shape) {
    Tensor t;
    const bool same = index == 0 || below(3) != 0;
    t.dtype = same ? first : below(2) != 0 ? DType::kI32 : static_cast<DType>(below(kDTypeCount));
    t.shape = index == 0 || below(2) != 0 ? first_shape : random_shape(below(5));
    t.quant = quantization(t.dtype);
    t.constant = true;
    std::vector<std::byte> bytes(static_cast<size_t>(byte_size(t)));
    for (std::byte& b : bytes) b = static_cast<std::byte>(below(256));
    t.data = SharedBytes::copy_of(bytes);
    return t;
  }

  std::mt19937 random_;
  int32_t rank_ = 0;
};

bool is_small(const Graph& g) {
  int64_t bytes = 0;
  for (TensorId id : g.outputs) {
    if (!is_static(g.tensor(id).shape)) return false;
    bytes += byte_size(g.tensor(id));
  }
  return bytes < 1 << 20;
}

TEST(RandomOps, WhatValidatesCanBeComputed) {
  RandomOps random(20260801);
  std::vector<int> computed(kOpKindCount, 0);
  for (int i = 0; i < 100000; ++i) {
    Graph g = random.graph();
    if (!validate(g) || !infer_shapes(g) || !is_small(g)) continue;
    const auto values = evaluate(g, g.ops[0]);
    ASSERT_TRUE(values);
    ++computed[static_cast<size_t>(g.ops[0].kind)];
  }
  // The generator reaches most operators; those that need several fitting tensors are rare.
  const auto reached = std::count_if(computed.begin(), computed.end(), [](int n) { return n > 0; });
  EXPECT_GE(reached, 33) << ::testing::PrintToString(computed);
}

}  // namespace
}  // namespace pj
