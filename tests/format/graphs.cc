#include "tests/format/graphs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>

namespace pj {

TensorId GraphBuilder::input(Shape shape, DType dtype, Quantization quant) {
  Tensor t;
  t.name = "in" + std::to_string(graph.tensors.size());
  t.dtype = dtype;
  t.shape = shape;
  t.quant = std::move(quant);
  const TensorId id = graph.add_tensor(std::move(t));
  graph.inputs.push_back(id);
  return id;
}

TensorId GraphBuilder::constant_bytes(Shape shape, std::span<const std::byte> bytes, DType dtype,
                                      Quantization quant) {
  Tensor t;
  t.name = "constant" + std::to_string(graph.tensors.size());
  t.dtype = dtype;
  t.shape = shape;
  t.quant = std::move(quant);
  t.constant = true;
  t.data = SharedBytes::copy_of(bytes);
  return graph.add_tensor(std::move(t));
}

TensorId GraphBuilder::weights(Shape shape, float first) {
  std::vector<float> values(static_cast<size_t>(elements(shape)));
  std::iota(values.begin(), values.end(), first);
  return constant(shape, values, DType::kF32);
}

std::vector<TensorId> GraphBuilder::op(OpKind kind, OpParams params, std::vector<TensorId> inputs,
                                       std::vector<DType> outputs) {
  Op op{kind, params, std::move(inputs), {}, "node" + std::to_string(graph.ops.size())};
  for (DType dtype : outputs) {
    Tensor t;
    t.name = "out" + std::to_string(graph.tensors.size());
    t.dtype = dtype;
    op.outputs.push_back(graph.add_tensor(std::move(t)));
    graph.outputs.push_back(op.outputs.back());
  }
  graph.ops.push_back(op);
  return op.outputs;
}

namespace {

Padding padding(int32_t top, int32_t bottom, int32_t left, int32_t right) {
  return {PadMode::kExplicit, top, bottom, left, right};
}

void add_windows(GraphBuilder& b) {
  Conv2DParams conv;
  conv.stride_h = 2, conv.stride_w = 3, conv.dilation_h = 4, conv.dilation_w = 5;
  conv.padding = padding(1, 2, 3, 4);
  conv.activation = Activation::kRelu6;
  b.op(OpKind::kConv2D, conv, {b.input({1, 20, 20, 4}), b.weights({6, 3, 3, 2}), b.weights({6})});
  DepthwiseConv2DParams depthwise;
  depthwise.stride_h = depthwise.stride_w = 2;
  depthwise.padding.mode = PadMode::kSame;
  depthwise.activation = Activation::kRelu;
  b.op(OpKind::kDepthwiseConv2D, depthwise,
       {b.input({1, 8, 8, 3}), b.weights({1, 3, 3, 6}), kNoTensor});
  TransposeConv2DParams transpose;
  transpose.stride_h = transpose.stride_w = 2;
  transpose.out_h = 8, transpose.out_w = 7;
  transpose.padding.mode = PadMode::kSame;
  transpose.activation = Activation::kReluN1To1;
  b.op(OpKind::kTransposeConv2D, transpose, {b.input({1, 4, 4, 3}), b.weights({2, 3, 3, 3})});
  Pool2DParams pool{PoolFn::kMax, 2, 3, 2, 1, padding(0, 1, 1, 0), Activation::kRelu};
  b.op(OpKind::kPool2D, pool, {b.input({1, 6, 6, 2})});
}

void add_arithmetic(GraphBuilder& b) {
  b.op(OpKind::kFullyConnected, FullyConnectedParams{true, Activation::kRelu},
       {b.input({2, 3, 8}), b.weights({5, 8})});
  b.op(OpKind::kBatchMatMul, BatchMatMulParams{true, true},
       {b.input({2, 4, 3}), b.input({2, 5, 4})});
  b.op(OpKind::kBinary, BinaryParams{BinaryFn::kSub, Activation::kRelu6},
       {b.input({2, 3}), b.input({3})});
  b.op(OpKind::kUnary, UnaryParams{UnaryFn::kLeakyRelu, 0.1f}, {b.input({7})});
  b.op(OpKind::kPRelu, NoParams{}, {b.input({1, 4, 4, 3}), b.weights({3})});
  b.op(OpKind::kSelect, NoParams{}, {b.input({4}, DType::kBool), b.input({4}), b.input({4})});
  b.op(OpKind::kSoftmax, SoftmaxParams{0.3f}, {b.input({2, 4})});
  b.op(OpKind::kLogSoftmax, NoParams{}, {b.input({2, 4})});
  b.op(OpKind::kL2Normalization, NoParams{}, {b.input({2, 4})});
  b.op(OpKind::kLayerNorm, LayerNormParams{1e-3f},
       {b.input({2, 4}), b.weights({4}), b.weights({4})});
  b.op(OpKind::kReduce, ReduceParams{ReduceFn::kMax, true, {1, -1}}, {b.input({2, 3, 4})});
  b.op(OpKind::kArgReduce, ArgReduceParams{false, 1, true}, {b.input({2, 3, 4})}, {DType::kI64});
  b.op(OpKind::kTopK, TopKParams{3}, {b.input({2, 5})}, {DType::kF32, DType::kI32});
  b.op(OpKind::kCast, NoParams{}, {b.input({3})}, {DType::kI32});
  const TensorId q = b.op(OpKind::kQuantize, NoParams{}, {b.input({3})}, {DType::kI8})[0];
  b.graph.tensor(q).quant = {{0.25f}, {-3}, 0};
  b.op(OpKind::kDequantize, NoParams{}, {q});
}

void add_moves(GraphBuilder& b) {
  b.op(OpKind::kReshape, ReshapeParams{{4, -1}}, {b.input({2, 6})});
  b.op(OpKind::kSqueeze, SqueezeParams{{1}}, {b.input({2, 1, 1})});
  b.op(OpKind::kExpandDims, ExpandDimsParams{2}, {b.input({2, 3})});
  b.op(OpKind::kTranspose, TransposeParams{{2, 0, 1}}, {b.input({2, 3, 4})});
  b.op(OpKind::kConcat, ConcatParams{-1, Activation::kNone}, {b.input({2, 3}), b.input({2, 4})});
  b.op(OpKind::kSplit, SplitParams{1, {1, 2, -1}}, {b.input({2, 6})},
       {DType::kF32, DType::kF32, DType::kF32});
  b.op(OpKind::kPack, PackParams{1}, {b.input({2, 3}), b.input({2, 3})});
  b.op(OpKind::kUnpack, UnpackParams{1}, {b.input({3, 2})}, {DType::kF32, DType::kF32});
  b.op(OpKind::kSlice, SliceParams{{1, 0}, {-1, 2}}, {b.input({3, 4})});
  b.op(OpKind::kStridedSlice, StridedSliceParams{{0, 1, 2}, {4, 6, 3}, {2, 1, 1}, 1, 2, 0, 4},
       {b.input({4, 6, 5})});
  b.op(OpKind::kPad, PadParams{PadFn::kReflect, {0, 1}, {1, 2}}, {b.input({3, 4})});
  b.op(OpKind::kGather, GatherParams{1, 1}, {b.input({2, 5, 3}), b.input({2, 4}, DType::kI32)});
  b.op(OpKind::kGatherNd, NoParams{}, {b.input({3, 4}), b.input({2, 2}, DType::kI32)});
  b.op(OpKind::kTile, TileParams{{2, 3}}, {b.input({3, 4})});
  b.op(OpKind::kBroadcastTo, BroadcastToParams{{2, 3, 4}}, {b.input({3, 1})});
  b.op(OpKind::kShapeOf, NoParams{}, {b.input({3, 1})}, {DType::kI32});
}

void add_images(GraphBuilder& b) {
  b.op(OpKind::kResize, ResizeParams{ResizeFn::kNearest, 7, 9, false, true},
       {b.input({1, 4, 4, 2})});
  b.op(OpKind::kDepthToSpace, BlockParams{2}, {b.input({1, 2, 2, 8})});
  b.op(OpKind::kSpaceToDepth, BlockParams{3}, {b.input({1, 6, 6, 1})});
  b.op(OpKind::kSpaceToBatch, SpaceBatchParams{{2, 2}, {0, 1}, {1, 0}}, {b.input({1, 3, 3, 1})});
  b.op(OpKind::kBatchToSpace, SpaceBatchParams{{2, 2}, {0, 1}, {1, 0}}, {b.input({4, 2, 2, 1})});
  DetectionParams detection{4, 2, 50, 3, true, 0.35f, 0.6f, 10.1f, 10.2f, 5.3f, 5.4f};
  b.op(OpKind::kDetectionPostProcess, detection,
       {b.input({1, 6, 4}), b.input({1, 6, 4}), b.weights({6, 4})},
       {DType::kF32, DType::kF32, DType::kF32, DType::kF32});
}

std::string text_of(int32_t v) { return std::to_string(v); }
std::string text_of(bool v) { return v ? "true" : "false"; }
std::string text_of(float v) { return fmt::format("{:08x}", std::bit_cast<uint32_t>(v)); }
std::string text_of(const Dims& v) {
  return fmt::format("[{}]", fmt::join(v.begin(), v.end(), ","));
}
template <typename E>
requires std::is_enum_v<E> std::string text_of(E v) { return text_of(static_cast<int32_t>(v)); }

bool same_bytes(const SharedBytes& a, const SharedBytes& b) {
  return std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

void expect_equal(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.dtype, b.dtype);
  EXPECT_EQ(a.shape, b.shape) << to_string(a.shape) << " and " << to_string(b.shape);
  EXPECT_EQ(a.quant, b.quant);
  EXPECT_EQ(a.constant, b.constant);
  EXPECT_TRUE(same_bytes(a.data, b.data));
}

}  // namespace

Graph graph_of_all_operators() {
  GraphBuilder b;
  b.graph.name = "all operators";
  add_windows(b);
  add_arithmetic(b);
  add_moves(b);
  add_images(b);
  return b.graph;
}

Graph small_graph() {
  GraphBuilder b;
  b.graph.name = "small";
  std::vector<int8_t> weights(4 * 3 * 3 * 2);
  std::iota(weights.begin(), weights.end(), int8_t{-30});
  const TensorId x = b.input({1, 5, 5, 2}, DType::kI8, {{0.5f}, {3}, 0});
  const TensorId w = b.constant(Shape{4, 3, 3, 2}, weights, DType::kI8,
                                {{0.5f, 0.25f, 0.125f, 0.0625f}, {0, 0, 0, 0}, 0});
  const TensorId bias = b.constant(Shape{4}, std::vector<int32_t>{1, -2, 3, 1000000}, DType::kI32,
                                   {{0.25f, 0.125f, 0.0625f, 0.03125f}, {0, 0, 0, 0}, 0});
  const TensorId y = b.op(OpKind::kConv2D, Conv2DParams{}, {x, w, bias}, {DType::kI8})[0];
  b.graph.tensor(y).quant = {{1.5f}, {-128}, 0};
  const TensorId real = b.op(OpKind::kDequantize, NoParams{}, {y})[0];
  b.op(OpKind::kFullyConnected, FullyConnectedParams{}, {real, b.weights({3, 4}, -1.5f)});
  b.graph.outputs = {b.graph.outputs.back()};
  return b.graph;
}

TargetRecord small_target() {
  std::vector<std::byte> packed(100);
  for (size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<std::byte>(3 * i + 1);
  const std::span<const std::byte> bytes = packed;
  TargetRecord t;
  t.name = "invented";
  t.isa = IsaSet{Feature::kNeon, Feature::kNeonDot} | IsaSet::from_bits(uint64_t{1} << 63);
  t.cores = 4;
  t.l1_bytes = 32 << 10, t.l2_bytes = 512 << 10, t.l3_bytes = int64_t{6} << 32;
  t.packed.push_back({2, 1, "f32_nr16", SharedBytes::copy_of(bytes.first(77))});
  t.packed.push_back({0, 0, "qs8_nr8_kr4 sums", SharedBytes::copy_of(bytes)});
  t.packed.push_back({0, 255, "empty", {}});
  t.choices.push_back({0, "qs8_gemm_6x8c4_invented", {{"tile_m", 6}, {"tile_n", -1}}});
  t.choices.push_back({2, "f32_gemm_1x16_invented", {{"threads", INT64_MAX}}});
  t.choices.push_back({2, "", {}});
  return t;
}

std::string attributes_text(const Op& op) {
  std::string text;
  OpParams params = op.params;
  visit_fields(params, [&](const char* name, auto& field) {
    text += fmt::format("{}={} ", name, text_of(field));
  });
  return text;
}

void expect_equal(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  ASSERT_EQ(a.ops.size(), b.ops.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    SCOPED_TRACE(describe_tensor(a, static_cast<TensorId>(i)));
    expect_equal(a.tensors[i], b.tensors[i]);
  }
  for (size_t i = 0; i < a.ops.size(); ++i) {
    SCOPED_TRACE(describe(a, static_cast<int32_t>(i)));
    EXPECT_EQ(a.ops[i].kind, b.ops[i].kind);
    EXPECT_EQ(a.ops[i].name, b.ops[i].name);
    EXPECT_EQ(a.ops[i].inputs, b.ops[i].inputs);
    EXPECT_EQ(a.ops[i].outputs, b.ops[i].outputs);
    EXPECT_EQ(a.ops[i].params.index(), b.ops[i].params.index());
    EXPECT_EQ(attributes_text(a.ops[i]), attributes_text(b.ops[i]));
  }
}

void expect_equal(const TargetRecord& a, const TargetRecord& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.isa, b.isa);
  EXPECT_EQ(a.cores, b.cores);
  EXPECT_EQ(a.l1_bytes, b.l1_bytes);
  EXPECT_EQ(a.l2_bytes, b.l2_bytes);
  EXPECT_EQ(a.l3_bytes, b.l3_bytes);
  ASSERT_EQ(a.packed.size(), b.packed.size());
  for (size_t i = 0; i < a.packed.size(); ++i) {
    EXPECT_EQ(a.packed[i].op, b.packed[i].op);
    EXPECT_EQ(a.packed[i].role, b.packed[i].role);
    EXPECT_EQ(a.packed[i].packing, b.packed[i].packing);
    EXPECT_TRUE(same_bytes(a.packed[i].data, b.packed[i].data)) << i;
  }
  ASSERT_EQ(a.choices.size(), b.choices.size());
  for (size_t i = 0; i < a.choices.size(); ++i) {
    EXPECT_EQ(a.choices[i].op, b.choices[i].op);
    EXPECT_EQ(a.choices[i].kernel, b.choices[i].kernel);
    EXPECT_EQ(a.choices[i].values, b.choices[i].values);
  }
}

}  // namespace pj
