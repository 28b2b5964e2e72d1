// What we lack is named, all of it, in one message.
#include "tests/tflite/import_checks.h"

namespace pj::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(TfliteOperators, AllUnsupportedOnesAreNamedAtOnce) {
  FileModel m;
  m.inputs = {m.add({"x", {4}})};
  m.add({"a", {4}});
  m.add({"handle", {}, kResource});  // its type is not supported either: the operator is the cause
  m.add({"c", {4}});
  m.outputs = {m.add({"boxes", {4}})};
  m.ops = {{118, {0}, {1}},
           {142, {}, {2}},
           {19, {1}, {3}},
           {32, {3}, {4}, 0, {}, "X"},
           {1000, {3}, {4}}};
  const Result<Graph> r = import_model(m);
  ASSERT_FALSE(r.has_value());
  EXPECT_EQ(r.error().code, ErrorCode::kModelUnsupported);
  EXPECT_THAT(r.error().message, HasSubstr("4 operators"));
  EXPECT_THAT(r.error().message, HasSubstr("IF, node 0, output 'a'"));
  EXPECT_THAT(r.error().message, HasSubstr("VAR_HANDLE, node 1, output 'handle'"));
  EXPECT_THAT(r.error().message, HasSubstr("CUSTOM:X, node 3, output 'boxes'"));
  EXPECT_THAT(r.error().message, HasSubstr("builtin operator 1000, node 4"));
  EXPECT_THAT(r.error().message, Not(HasSubstr("RELU")));
}

TEST(TfliteOperators, UnsupportedAttributesJoinTheList) {
  FileModel m = binary_model(0, kFloat32, kFloat32);
  m.ops[0].options_type = 11;
  m.ops[0].options = {{0, int8_t{5}}};
  m.add({"z", {2, 3}});
  m.ops.push_back({131, {2}, {3}});
  expect_error(m, ErrorCode::kModelUnsupported, "2 operators");
  expect_error(m, ErrorCode::kModelUnsupported, "ADD, node 0, output 'y' (fused SIGN_BIT)");
  expect_error(m, ErrorCode::kModelUnsupported, "RFFT2D, node 1, output 'z'");
}

TEST(TfliteOperators, ALongListIsCut) {
  FileModel m = unary_model(118, kFloat32);
  for (int i = 1; i < 25; ++i) m.ops.push_back(m.ops[0]);
  const Result<Graph> r = import_model(m);
  ASSERT_FALSE(r.has_value());
  EXPECT_THAT(r.error().message, HasSubstr("25 operators"));
  EXPECT_THAT(r.error().message, HasSubstr("node 19"));
  EXPECT_THAT(r.error().message, Not(HasSubstr("node 20")));
  EXPECT_THAT(r.error().message, HasSubstr("and 5 more"));
}

}  // namespace
}  // namespace pj::test
