// Operators that move elements: the right kind, attributes, inputs and shapes.
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

using testing::ElementsAre;

TEST(TfliteOperators, ReshapeByInput) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 6}})};
  m.add_ints("shape", {2}, {-1, 4});
  m.outputs = {m.add({"y", {3, 4}})};
  m.ops = {{22, {0, 1}, {2}, 17, {{0, std::vector<int32_t>{12}}}}};  // the input wins
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_THAT(i.op().inputs, ElementsAre(0, 1));
  EXPECT_EQ(i.shape(2), (Shape{3, 4}));
}

TEST(TfliteOperators, ReshapeByOption) {
  FileModel m = unary_model(22, kFloat32);
  m.ops[0].options_type = 17;
  m.ops[0].options = {{0, std::vector<int32_t>{-1, 2}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<ReshapeParams>().shape, (Dims{-1, 2}));
  EXPECT_EQ(i.shape(1), (Shape{3, 2}));
  m.ops[0].options = {{0, std::vector<int32_t>(9, 1)}};
  expect_error(m, ErrorCode::kModelUnsupported, "a new shape with 9 entries");
  m.ops[0].options_type = 0;
  expect_error(m, ErrorCode::kModelInvalid, "neither an input nor an option");
}

TEST(TfliteOperators, ReshapeToAScalar) {
  FileModel m = unary_model(22, kFloat32);
  m.tensors[0].shape = {1, 1};
  m.ops[0].options_type = 17;
  m.ops[0].options = {{0, std::vector<int32_t>{0}}};  // an old way to write it
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), Shape{});
  // The new way: a shape of no entries, which has no bytes in its buffer and yet is a constant.
  m.ops[0].options_type = 0;
  m.ops[0].inputs.push_back(m.add({"shape", {0}, kInt32}));
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), Shape{});
}

TEST(TfliteOperators, SqueezeAndExpand) {
  FileModel m = unary_model(43, kFloat32);
  m.tensors[0].shape = {1, 3, 1};
  m.ops[0].options_type = 30;
  m.ops[0].options = {{0, std::vector<int32_t>{-1}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), (Shape{1, 3}));
  m.ops[0].code = 70;
  m.ops[0].options_type = 0;
  m.ops[0].inputs.push_back(m.add_ints("axis", {}, {1}));
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), (Shape{1, 1, 3, 1}));
  m.ops[0].inputs.pop_back();
  expect_error(m, ErrorCode::kModelInvalid, "EXPAND_DIMS, node 0");
}

TEST(TfliteOperators, SplitTakesItsAxisFromTheFirstInput) {
  FileModel m;
  const int32_t axis = m.add_ints("axis", {}, {1});
  m.inputs = {m.add({"x", {2, 6}})};
  m.outputs = {m.add({"a", {2, 3}}), m.add({"b", {2, 3}})};
  m.ops = {{49, {axis, 1}, {2, 3}, 35, {{0, int32_t{2}}}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_THAT(i.op().inputs, ElementsAre(1));
  EXPECT_EQ(i.op().as<SplitParams>().axis, 1);
  EXPECT_EQ(i.shape(3), (Shape{2, 3}));
  m.ops[0].options = {{0, int32_t{3}}};
  expect_error(m, ErrorCode::kModelInvalid, "3 parts but 2 outputs");
  m.ops[0].inputs = {};
  m.ops[0].options = {{0, int32_t{2}}};
  expect_error(m, ErrorCode::kModelInvalid, "input 0 (axis) is missing");
}

TEST(TfliteOperators, SplitV) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 6}})};
  m.add_ints("sizes", {2}, {1, -1});
  m.add_ints("axis", {}, {-1});
  m.outputs = {m.add({"a", {2, 1}}), m.add({"b", {2, 5}})};
  m.ops = {{102, {0, 1, 2}, {3, 4}, 79, {{0, int32_t{2}}}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_THAT(i.op().inputs, ElementsAre(0, 1));
  EXPECT_EQ(i.op().as<SplitParams>().axis, -1);
  EXPECT_EQ(i.shape(4), (Shape{2, 5}));
}

TEST(TfliteOperators, Joins) {
  FileModel m;
  m.inputs = {m.add({"a", {2, 3}}), m.add({"b", {2, 3}})};
  m.outputs = {m.add({"y", {2, 6}})};
  m.ops = {{2, {0, 1}, {2}, 10, {{0, int32_t{-1}}, {1, int8_t{0}}}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<ConcatParams>().axis, -1);
  EXPECT_EQ(i.shape(2), (Shape{2, 6}));

  m.ops = {{83, {0, 1}, {2}, 59, {{0, int32_t{2}}, {1, int32_t{1}}}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<PackParams>().axis, 1);
  EXPECT_EQ(i.shape(2), (Shape{2, 2, 3}));
  m.ops[0].options = {{0, int32_t{7}}};
  expect_error(m, ErrorCode::kModelInvalid, "7 values but 2 inputs");
}

TEST(TfliteOperators, Unpack) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 3}})};
  m.outputs = {m.add({"a", {3}}), m.add({"b", {3}})};
  m.ops = {{88, {0}, {1, 2}, 64, {{0, int32_t{2}}, {1, int32_t{0}}}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(2), (Shape{3}));
  m.ops[0].options = {{0, int32_t{3}}};
  expect_error(m, ErrorCode::kModelInvalid, "3 parts but 2 outputs");
}

TEST(TfliteOperators, Slices) {
  FileModel m;
  m.inputs = {m.add({"x", {4, 6}})};
  m.add_ints("begin", {2}, {1, 2});
  m.add_ints("size or end", {2}, {2, 5});
  m.add_ints("strides", {2}, {1, 2});
  m.outputs = {m.add({"y", {}})};
  m.ops = {{65, {0, 1, 2}, {4}}};
  m.buffers[2].data[4] = 3;  // size {2,3}
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(4), (Shape{2, 3}));

  m.buffers[2].data[4] = 5;
  m.ops = {{45, {0, 1, 2, 3}, {4}, 32, {{1, int32_t{2}}, {4, int32_t{1}}}}};
  i = import_one(m);  // x[1, 2::2]
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<StridedSliceParams>().end_mask, 2);
  EXPECT_EQ(i.op().as<StridedSliceParams>().shrink_axis_mask, 1);
  EXPECT_EQ(i.shape(4), (Shape{2}));
  m.ops[0].options = {{3, int32_t{1}}};
  expect_error(m, ErrorCode::kModelUnsupported,
               "STRIDED_SLICE, node 0, output 'y' (new_axis_mask)");
  m.ops[0].options = {{5, int8_t{1}}};
  expect_error(m, ErrorCode::kModelUnsupported, "relative");
}

TEST(TfliteOperators, Pads) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 3}})};
  m.add_ints("paddings", {2, 2}, {1, 1, 0, 2});
  m.add({"value", {1}, kFloat32, m.add_buffer(std::vector<float>{9})});
  m.outputs = {m.add({"y", {4, 5}})};
  m.ops = {{34, {0, 1}, {3}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(3), (Shape{4, 5}));
  m.ops = {{60, {0, 1, 2}, {3}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_THAT(i.op().inputs, ElementsAre(0, 1, 2));
  for (const auto& [mode, fn] : {std::pair{0, PadFn::kReflect}, std::pair{1, PadFn::kSymmetric}}) {
    m.ops = {{100, {0, 1}, {3}, 77, {{0, static_cast<int8_t>(mode)}}}};
    i = import_one(m);
    ASSERT_TRUE(i.ok);
    EXPECT_EQ(i.op().as<PadParams>().fn, fn);
  }
  m.ops[0].options = {{0, int8_t{2}}};
  expect_error(m, ErrorCode::kModelInvalid, "MIRROR_PAD, node 0, output 'y': mode 2");
}

TEST(TfliteOperators, Gathers) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 3, 4}}), m.add({"i", {2, 5}, kInt32})};
  m.outputs = {m.add({"y", {2, 5, 4}})};
  m.ops = {{36, {0, 1}, {2}, 23, {{0, int32_t{1}}, {1, int32_t{1}}}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<GatherParams>().axis, 1);
  EXPECT_EQ(i.op().as<GatherParams>().batch_dims, 1);
  EXPECT_EQ(i.shape(2), (Shape{2, 5, 4}));
  m.tensors[1].shape = {5, 2};
  m.ops = {{107, {0, 1}, {2}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kGatherNd);
  EXPECT_EQ(i.shape(2), (Shape{5, 4}));
}

// Operators with one parameter input: code, parameter, expected kind and shape.
TEST(TfliteOperators, ParameterInputs) {
  struct Case {
    int32_t code;
    std::vector<int32_t> shape, values;
    OpKind kind;
    Shape expected;
  };
  const Case kCases[] = {
      {39, {4}, {0, 3, 1, 2}, OpKind::kTranspose, {1, 4, 2, 6}},
      {69, {4}, {2, 1, 1, 1}, OpKind::kTile, {2, 2, 6, 4}},
      {130, {4}, {3, 2, 6, 4}, OpKind::kBroadcastTo, {3, 2, 6, 4}},
      {23, {2}, {8, 9}, OpKind::kResize, {1, 8, 9, 4}},
      {97, {2}, {8, 9}, OpKind::kResize, {1, 8, 9, 4}},
  };
  for (const Case& c : kCases) {
    FileModel m;
    m.inputs = {m.add({"x", {1, 2, 6, 4}})};
    m.add_ints("p", c.shape, c.values);
    m.outputs = {m.add({"y", {}})};
    m.ops = {{c.code, {0, 1}, {2}}};
    SCOPED_TRACE(c.code);
    const Imported i = import_one(m);
    if (!i.ok) continue;
    EXPECT_EQ(i.op().kind, c.kind);
    EXPECT_EQ(i.shape(2), c.expected);
    m.ops[0].inputs.pop_back();
    expect_error(m, ErrorCode::kModelInvalid, "input 1");
  }
}

TEST(TfliteOperators, ResizeOptions) {
  FileModel m;
  m.inputs = {m.add({"x", {1, 2, 6, 4}})};
  m.add_ints("size", {2}, {8, 9});
  m.outputs = {m.add({"y", {}})};
  // In RESIZE_BILINEAR two deprecated fields come first.
  m.ops = {{23, {0, 1}, {2}, 15, {{3, int8_t{1}}}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<ResizeParams>().fn, ResizeFn::kBilinear);
  EXPECT_TRUE(i.op().as<ResizeParams>().half_pixel);
  EXPECT_FALSE(i.op().as<ResizeParams>().align_corners);
  m.ops = {{97, {0, 1}, {2}, 74, {{0, int8_t{1}}}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<ResizeParams>().fn, ResizeFn::kNearest);
  EXPECT_TRUE(i.op().as<ResizeParams>().align_corners);
}

TEST(TfliteOperators, Blocks) {
  FileModel m = unary_model(5, kFloat32);
  m.tensors[0].shape = {1, 2, 4, 8};
  m.ops[0].options_type = 94;
  m.ops[0].options = {{0, int32_t{2}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), (Shape{1, 4, 8, 2}));
  m.ops[0].code = 26;
  m.ops[0].options_type = 19;
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(1), (Shape{1, 1, 2, 32}));
  m.ops[0].options = {{0, int32_t{0}}};
  expect_error(m, ErrorCode::kModelInvalid, "block");
}

TEST(TfliteOperators, SpaceAndBatch) {
  FileModel m;
  m.inputs = {m.add({"x", {4, 4, 4, 3}})};
  m.add_ints("block", {2}, {2, 2});
  m.add_ints("paddings", {2, 2}, {0, 2, 0, 0});
  m.outputs = {m.add({"y", {}})};
  m.ops = {{38, {0, 1, 2}, {3}}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kSpaceToBatch);
  EXPECT_EQ(i.shape(3), (Shape{16, 3, 2, 3}));
  m.ops = {{37, {0, 1, 2}, {3}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kBatchToSpace);
  EXPECT_EQ(i.shape(3), (Shape{1, 6, 8, 3}));
}

TEST(TfliteOperators, TopK) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 9}})};
  m.add_ints("k", {}, {4});
  m.outputs = {m.add({"values", {}}), m.add({"indices", {}, kInt32})};
  m.ops = {{48, {0, 1}, {2, 3}}};
  const Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.shape(2), (Shape{2, 4}));
  EXPECT_EQ(i.shape(3), (Shape{2, 4}));
}

TEST(TfliteOperators, TypesAndShapeOf) {
  FileModel m = unary_model(53, kFloat32);
  m.tensors[1].type = kInt32;
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kCast);
  m.ops[0].code = 77;
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kShapeOf);
  EXPECT_EQ(i.shape(1), (Shape{2}));
  m.tensors[1] = {"y", {2, 3}, kInt8, 0, {0.5f}, {1}};
  m.ops[0].code = 114;
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kQuantize);
  std::swap(m.tensors[0], m.tensors[1]);
  m.ops[0].code = 6;
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kDequantize);
}

}  // namespace
}  // namespace pj::test
