// What the tests of the importer share: expectations, and models of one operator.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tflite/model_writer.h"

namespace pj::test {

// The import fails with this code, and the message contains `part`.
inline void expect_error(const Result<Graph>& r, ErrorCode code, const char* part) {
  ASSERT_FALSE(r.has_value()) << "imported, but should fail with: " << part;
  EXPECT_EQ(r.error().code, code) << r.error().message;
  EXPECT_THAT(r.error().message, testing::HasSubstr(part));
}
inline void expect_error(const FileModel& m, ErrorCode code, const char* part) {
  expect_error(import_model(m), code, part);
}

// An imported model of one operator; a failure is reported.
struct Imported {
  Graph graph;
  bool ok = false;
  const Op& op() const { return graph.ops[0]; }
  const Shape& shape(int32_t id) const { return graph.tensor(id).shape; }
};
inline Imported import_one(const FileModel& m) {
  Result<Graph> r = import_model(m);
  if (!r) {
    ADD_FAILURE() << r.error().message;
    return {};
  }
  return {std::move(*r), true};
}

// x [2,3] -> operator -> y [2,3].
inline FileModel unary_model(int32_t code, Type type) {
  FileModel m;
  m.inputs = {m.add({"x", {2, 3}, type})};
  m.outputs = {m.add({"y", {2, 3}, type})};
  m.ops = {{code, {0}, {1}}};
  return m;
}

// a [2,3], b [1,3] -> operator -> y [2,3].
inline FileModel binary_model(int32_t code, Type in, Type out) {
  FileModel m;
  m.inputs = {m.add({"a", {2, 3}, in}), m.add({"b", {1, 3}, in})};
  m.outputs = {m.add({"y", {2, 3}, out})};
  m.ops = {{code, {0, 1}, {2}}};
  return m;
}

}  // namespace pj::test
