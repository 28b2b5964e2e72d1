// Elementwise operators, activations, reductions: the right kind, attributes and inputs.
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

using testing::ElementsAre;

struct Named {
  int32_t code;
  const char* name;
};

TEST(TfliteOperators, Unary) {
  constexpr Named kCases[] = {
      {101, "abs"},     {59, "neg"},         {47, "exp"},   {73, "log"},          {75, "sqrt"},
      {76, "rsqrt"},    {92, "square"},      {66, "sin"},   {108, "cos"},         {28, "tanh"},
      {14, "logistic"}, {19, "relu"},        {21, "relu6"}, {20, "relu_n1_to_1"}, {111, "elu"},
      {150, "gelu"},    {117, "hard_swish"}, {8, "floor"},  {104, "ceil"},        {116, "round"}};
  for (const Named& c : kCases) {
    SCOPED_TRACE(c.name);
    const Imported i = import_one(unary_model(c.code, kFloat32));
    if (i.ok) {
      EXPECT_STREQ(i.op().display_name(), c.name);
    }
  }
  const Imported i = import_one(unary_model(87, kBoolean));
  if (i.ok) {
    EXPECT_STREQ(i.op().display_name(), "logical_not");
  }
}

TEST(TfliteOperators, UnaryWithOptions) {
  FileModel m = unary_model(98, kFloat32);
  expect_error(m, ErrorCode::kModelInvalid, "LEAKY_RELU, node 0, output 'y': its options");
  m.ops[0].options_type = 75;
  m.ops[0].options = {{0, 0.25f}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<UnaryParams>().fn, UnaryFn::kLeakyRelu);
  EXPECT_EQ(i.op().as<UnaryParams>().alpha, 0.25f);

  m = unary_model(150, kFloat32);
  m.ops[0].options_type = 116;
  m.ops[0].options = {{0, int8_t{1}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<UnaryParams>().fn, UnaryFn::kGeluTanh);
}

TEST(TfliteOperators, Binary) {
  constexpr Named kReal[] = {{0, "add"},
                             {41, "sub"},
                             {18, "mul"},
                             {42, "div"},
                             {57, "minimum"},
                             {55, "maximum"},
                             {99, "squared_difference"},
                             {78, "pow"},
                             {90, "floor_div"},
                             {95, "floor_mod"}};
  for (const Named& c : kReal) {
    SCOPED_TRACE(c.name);
    const Imported i = import_one(binary_model(c.code, kFloat32, kFloat32));
    if (i.ok) {
      EXPECT_STREQ(i.op().display_name(), c.name);
    }
  }
  constexpr Named kComparisons[] = {{71, "equal"},      {72, "not_equal"}, {58, "less"},
                                    {63, "less_equal"}, {61, "greater"},   {62, "greater_equal"}};
  for (const Named& c : kComparisons) {
    SCOPED_TRACE(c.name);
    const Imported i = import_one(binary_model(c.code, kFloat32, kBoolean));
    if (i.ok) {
      EXPECT_STREQ(i.op().display_name(), c.name);
    }
  }
  for (const Named& c : {Named{86, "logical_and"}, Named{84, "logical_or"}}) {
    SCOPED_TRACE(c.name);
    const Imported i = import_one(binary_model(c.code, kBoolean, kBoolean));
    if (i.ok) {
      EXPECT_STREQ(i.op().display_name(), c.name);
    }
  }
}

TEST(TfliteOperators, FusedActivations) {
  struct Arithmetic {
    int32_t code;
    uint8_t options;
  };
  constexpr Activation kExpected[] = {Activation::kNone, Activation::kRelu, Activation::kReluN1To1,
                                      Activation::kRelu6};
  for (const Arithmetic& a : {Arithmetic{0, 11}, {41, 28}, {18, 21}, {42, 29}}) {
    FileModel m = binary_model(a.code, kFloat32, kFloat32);
    m.ops[0].options_type = a.options;
    for (int8_t f = 0; f < 4; ++f) {
      m.ops[0].options = {{0, f}};
      const Imported i = import_one(m);
      if (i.ok) {
        EXPECT_EQ(i.op().as<BinaryParams>().activation, kExpected[f]);
      }
    }
    m.ops[0].options = {{0, int8_t{4}}};
    expect_error(m, ErrorCode::kModelUnsupported, "node 0, output 'y' (fused TANH)");
    m.ops[0].options = {{0, int8_t{-3}}};
    expect_error(m, ErrorCode::kModelUnsupported, "(fused activation -3)");
  }
}

TEST(TfliteOperators, SelectWithVectorCondition) {
  FileModel m;
  m.inputs = {m.add({"c", {3}, kBoolean}), m.add({"a", {3, 3}}), m.add({"b", {3, 3}})};
  m.outputs = {m.add({"y", {3, 3}})};
  m.ops = {{64, {0, 1, 2}, {3}}};
  expect_error(m, ErrorCode::kModelUnsupported, "SELECT, node 0, output 'y' (a condition");
  m.ops[0].code = 123;  // SELECT_V2 broadcasts it along the last dimension
  EXPECT_TRUE(import_one(m).ok);
  m.ops[0].code = 64;
  m.tensors[0].shape = {3, 3};
  EXPECT_TRUE(import_one(m).ok);
}

TEST(TfliteOperators, SoftmaxAndNormalisation) {
  FileModel m = unary_model(25, kFloat32);
  m.ops[0].options_type = 9;
  m.ops[0].options = {{0, 0.5f}};
  Imported i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().as<SoftmaxParams>().beta, 0.5f);
  i = import_one(unary_model(50, kFloat32));
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kLogSoftmax);
  m = unary_model(11, kFloat32);
  m.ops[0].options_type = 12;
  m.ops[0].options = {{0, int8_t{0}}};
  i = import_one(m);
  ASSERT_TRUE(i.ok);
  EXPECT_EQ(i.op().kind, OpKind::kL2Normalization);
  m.ops[0].options = {{0, int8_t{1}}};
  expect_error(m, ErrorCode::kModelUnsupported, "L2_NORMALIZATION, node 0");
}

TEST(TfliteOperators, Reductions) {
  constexpr std::pair<int32_t, ReduceFn> kCases[] = {{40, ReduceFn::kMean},
                                                     {74, ReduceFn::kSum},
                                                     {82, ReduceFn::kMax},
                                                     {89, ReduceFn::kMin},
                                                     {81, ReduceFn::kProd}};
  for (const auto& [code, fn] : kCases) {
    FileModel m;
    m.inputs = {m.add({"x", {2, 3, 4}})};
    m.add_ints("axes", {2}, {0, -1});
    m.outputs = {m.add({"y", {1, 3, 1}})};
    m.ops = {{code, {0, 1}, {2}, 27, {{0, int8_t{1}}}}};
    const Imported i = import_one(m);
    ASSERT_TRUE(i.ok);
    EXPECT_EQ(i.op().as<ReduceParams>().fn, fn);
    EXPECT_TRUE(i.op().as<ReduceParams>().keep_dims);
    EXPECT_THAT(i.op().inputs, ElementsAre(0, 1));  // axes stay an input until absorbed
    EXPECT_EQ(i.shape(2), (Shape{1, 3, 1}));
  }
}

TEST(TfliteOperators, ArgMaxTakesItsAxisAsAttribute) {
  for (const auto& [code, maximum] : {std::pair{56, true}, std::pair{79, false}}) {
    FileModel m;
    m.inputs = {m.add({"x", {2, 3, 4}})};
    m.add({"axis", {}, kInt64, m.add_buffer(std::vector<int64_t>{-2})});
    m.outputs = {m.add({"y", {2, 4}, kInt64})};
    m.ops = {{code, {0, 1}, {2}, 0, {}}};
    const Imported i = import_one(m);
    ASSERT_TRUE(i.ok);
    EXPECT_THAT(i.op().inputs, ElementsAre(0));
    EXPECT_EQ(i.op().as<ArgReduceParams>().axis, -2);
    EXPECT_EQ(i.op().as<ArgReduceParams>().maximum, maximum);
    EXPECT_EQ(i.shape(2), (Shape{2, 4}));

    m.buffers[1].data.assign(8, 0x7f);
    expect_error(m, ErrorCode::kModelInvalid, "outside int32");
    m.tensors[1].buffer = 0;
    m.inputs = {0, 1};
    expect_error(m, ErrorCode::kModelUnsupported, "'axis' is not a constant");
    m.ops[0].inputs = {0};
    expect_error(m, ErrorCode::kModelInvalid, "input 1 (axis) is missing");
  }
}

}  // namespace
}  // namespace pj::test
