// Convolutions, products, pooling: the right kind, attributes and inputs.
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

using testing::ElementsAre;

TEST(TfliteOperators, Conv) {
  FileModel m = conv_model();
  m.ops[0].options = {{0, int8_t{1}},
                      {1, int32_t{1}},
                      {2, int32_t{2}},
                      {3, int8_t{3}},
                      {4, int32_t{2}}};  // VALID, stride_w 1, stride_h 2, dilation_w 2
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  ASSERT_EQ(i.op().kind, OpKind::kConv2D);
  const auto& p = i.op().as<Conv2DParams>();
  EXPECT_EQ(p.stride_h, 2);
  EXPECT_EQ(p.stride_w, 1);
  EXPECT_EQ(p.dilation_h, 1);  // the format's default
  EXPECT_EQ(p.dilation_w, 2);
  EXPECT_EQ(p.padding.mode, PadMode::kValid);
  EXPECT_EQ(p.activation, Activation::kRelu6);
  EXPECT_EQ(i.shape(3), (Shape{1, 2, 1, 3}));

  m = conv_model();
  m.ops[0].inputs = {0, 1, -1};
  EXPECT_TRUE(import_one(m).ok);
  m.ops[0].options_type = 0;
  expect_error(m, ErrorCode::kModelInvalid, "CONV_2D, node 0, output 'y': its options");
  m = conv_model();
  m.ops[0].options[0] = {0, int8_t{7}};
  expect_error(m, ErrorCode::kModelInvalid, "padding 7");
  m = conv_model();
  m.ops[0].options[1] = {1, int32_t{0}};
  expect_error(m, ErrorCode::kModelInvalid, "stride");
}

TEST(TfliteOperators, DepthwiseConv) {
  FileModel m;
  m.inputs = {m.add({"x", {1, 7, 7, 2}})};
  m.add({"w", {1, 3, 3, 6}, kFloat32, m.add_buffer(std::vector<float>(54, 1.0f))});
  m.outputs = {m.add({"y", {1, 3, 5, 6}})};
  // VALID, strides 1, multiplier 3 (redundant), RELU, dilation_w 1, dilation_h 2
  m.ops = {{4,
            {0, 1},
            {2},
            2,
            {{0, int8_t{1}},
             {1, int32_t{1}},
             {2, int32_t{1}},
             {3, int32_t{3}},
             {4, int8_t{1}},
             {5, int32_t{1}},
             {6, int32_t{2}}}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  ASSERT_EQ(i.op().kind, OpKind::kDepthwiseConv2D);
  const auto& p = i.op().as<DepthwiseConv2DParams>();
  EXPECT_EQ(p.dilation_h, 2);
  EXPECT_EQ(p.dilation_w, 1);
  EXPECT_EQ(p.activation, Activation::kRelu);
  EXPECT_EQ(i.shape(2), (Shape{1, 3, 5, 6}));
}

FileModel transpose_conv_model() {
  FileModel m;
  const int32_t size = m.add_ints("size", {4}, {1, 6, 8, 5});
  const int32_t w =
      m.add({"w", {5, 2, 2, 3}, kFloat32, m.add_buffer(std::vector<float>(60, 1.0f))});
  const int32_t x = m.add({"x", {1, 3, 4, 3}});
  const int32_t b = m.add({"b", {5}, kFloat32, m.add_buffer(std::vector<float>(5, 1.0f))});
  m.inputs = {x};
  m.outputs = {m.add({"y", {1, 6, 8, 5}})};
  m.ops = {{67,
            {size, w, x, b},
            m.outputs,
            49,
            {{0, int8_t{0}}, {1, int32_t{2}}, {2, int32_t{2}}, {3, int8_t{1}}}}};
  return m;
}

TEST(TfliteOperators, TransposeConv) {
  FileModel m = transpose_conv_model();
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_THAT(i.op().inputs, ElementsAre(2, 1, 3));  // x, w, b
  const auto& p = i.op().as<TransposeConv2DParams>();
  EXPECT_EQ(p.out_h, 6);
  EXPECT_EQ(p.out_w, 8);
  EXPECT_EQ(p.padding.mode, PadMode::kSame);
  EXPECT_EQ(p.activation, Activation::kRelu);
  EXPECT_EQ(i.shape(4), (Shape{1, 6, 8, 5}));

  m.ops[0].inputs.pop_back();  // no bias
  const Imported without = import_one(m);
  ASSERT_TRUE(without.ok);
  EXPECT_THAT(without.op().inputs, ElementsAre(2, 1));
  m.ops[0].inputs = {0, 1};
  expect_error(m, ErrorCode::kModelInvalid, "input 2 (x) is missing");
  m = transpose_conv_model();
  m.tensors[0] = {"size", {4}, kInt32};
  m.inputs = {2, 0};
  expect_error(m, ErrorCode::kModelUnsupported,
               "(input 0 (output shape) 'size' is not a constant)");
  m = transpose_conv_model();
  m.tensors[0].shape = {2, 2};  // four numbers, but then three
  EXPECT_TRUE(import_one(m).ok);
  m.tensors[0].shape = {3};
  m.buffers[1].data.resize(12);
  expect_error(m, ErrorCode::kModelInvalid, "output shape has 3 dimensions");
}

TEST(TfliteOperators, FullyConnected) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 5, 4}})};
  m.add({"w", {3, 4}, kFloat32, m.add_buffer(std::vector<float>(12, 1.0f))});
  m.outputs = {m.add({"y", {10, 3}})};
  m.ops = {{9, {0, 1, -1}, {2}, 8, {{0, int8_t{1}}}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<FullyConnectedParams>().activation, Activation::kRelu);
  EXPECT_EQ(i.shape(2), (Shape{10, 3}));
  m.ops[0].options = {{2, int8_t{1}}};  // keep_num_dims
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(2), (Shape{2, 5, 3}));
  m.ops[0].options = {{1, int8_t{1}}};
  expect_error(m, ErrorCode::kModelUnsupported, "FULLY_CONNECTED, node 0, output 'y' (shuffled");
}

TEST(TfliteOperators, BatchMatMul) {
  FileModel m;
  m.inputs = {m.add({"a", {2, 3, 4}}), m.add({"b", {2, 5, 4}})};
  m.outputs = {m.add({"y", {2, 3, 5}})};
  m.ops = {{126, {0, 1}, {2}, 101, {{0, int8_t{0}}, {1, int8_t{1}}}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_FALSE(i.op().as<BatchMatMulParams>().transpose_a);
  EXPECT_TRUE(i.op().as<BatchMatMulParams>().transpose_b);
}

TEST(TfliteOperators, Pool) {
  for (const auto& [code, fn] : {std::pair{1, PoolFn::kAverage}, std::pair{17, PoolFn::kMax}}) {
    FileModel m;
    m.inputs = {m.add({"x", {1, 8, 9, 2}})};
    m.outputs = {m.add({"y", {1, 3, 4, 2}})};
    // VALID, stride_w 2, stride_h 3, filter_width 3, filter_height 2, RELU6
    m.ops = {{code,
              {0},
              {1},
              5,
              {{0, int8_t{1}},
               {1, int32_t{2}},
               {2, int32_t{3}},
               {3, int32_t{3}},
               {4, int32_t{2}},
               {5, int8_t{3}}}}};
    const Imported i = import_one(m);
    ASSERT_TRUE(i.ok);
    const auto& p = i.op().as<Pool2DParams>();
    EXPECT_EQ(p.fn, fn);
    EXPECT_EQ(p.kernel_h, 2);
    EXPECT_EQ(p.kernel_w, 3);
    EXPECT_EQ(p.stride_h, 3);
    EXPECT_EQ(p.stride_w, 2);
    EXPECT_EQ(p.activation, Activation::kRelu6);
    EXPECT_EQ(i.shape(1), (Shape{1, 3, 4, 2}));
  }
}

}  // namespace
}  // namespace pj::test
