// Metadata built field by field from docs/format.md, also as no writer would.
#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>

#include "tests/format/bytes.h"

namespace pj {
namespace {

using Builder = flatbuffers::FlatBufferBuilder;
using Ref = flatbuffers::Offset<flatbuffers::Table>;

// A table of the fields that `add` adds; `slot` turns a field's number in pj.fbs into its place.
Ref table(Builder& b, const std::function<void()>& add) {
  const auto start = b.StartTable();
  add();
  return Ref(b.EndTable(start));
}
constexpr flatbuffers::voffset_t slot(int field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);
}

struct RawSection {
  uint64_t offset, size;
  uint8_t kind = 0;
  int32_t target = -1;
};
struct RawData {
  uint32_t section;
  uint64_t offset, size;
};

Ref raw_data(Builder& b, const RawData& d) {
  return table(b, [&] {
    b.AddElement<uint32_t>(slot(0), d.section, 0);
    b.AddElement<uint64_t>(slot(1), d.offset, 0);
    b.AddElement<uint64_t>(slot(2), d.size, 0);
  });
}

// A constant of `d.size` bytes that is the output of a graph.
Ref raw_graph(Builder& b, const RawData& d) {
  const Ref data = raw_data(b, d);
  const auto shape = b.CreateVector(std::vector<int32_t>{static_cast<int32_t>(d.size)});
  const auto tensors = b.CreateVector(std::vector<Ref>{table(b, [&] {
    b.AddElement<uint8_t>(slot(1), 2, 0);  // int8
    b.AddOffset(slot(2), shape);
    b.AddOffset(slot(4), data);
  })});
  const auto outputs = b.CreateVector(std::vector<int32_t>{0});
  return table(b, [&] {
    b.AddOffset(slot(1), tensors);
    b.AddOffset(slot(4), outputs);
  });
}

FileBytes raw_file(Builder& b, Ref graph, std::initializer_list<RawSection> sections,
                   size_t section_bytes, const std::vector<Ref>& targets = {}) {
  std::vector<Ref> records;
  for (const RawSection& s : sections) {
    records.push_back(table(b, [&] {
      b.AddElement<uint64_t>(slot(0), s.offset, 0);
      b.AddElement<uint64_t>(slot(1), s.size, 0);
      b.AddElement<uint8_t>(slot(3), s.kind, 0);
      b.AddElement<int32_t>(slot(4), s.target, -1);
    }));
  }
  const auto section_table = b.CreateVector(records);
  const auto target_table = b.CreateVector(targets);
  b.Finish(table(b, [&] {
    b.AddOffset(slot(1), graph);
    b.AddOffset(slot(2), section_table);
    b.AddOffset(slot(3), target_table);
  }));
  return file_of({b.GetBufferPointer(), b.GetSize()}, section_bytes);
}

FileBytes constant_file(const RawData& data, std::initializer_list<RawSection> sections) {
  Builder b;
  const Ref graph = raw_graph(b, data);
  return raw_file(b, graph, sections, 256);
}

TEST(Sections, ByHandAsDocumented) {
  const auto model = read_copy(constant_file({1, 64, 10}, {{0, 64}, {64, 192}}));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->graph.tensors[0].data.bytes.size(), 10u);
}

TEST(Sections, OutsideTheFileOrMisplacedAreRefused) {
  constexpr ErrorCode kFormat = ErrorCode::kModelFormat;
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{0, 257}}), kFormat, "section 0"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{64, 193}}), kFormat, "reaches beyond"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{320, 0}}), kFormat, "reaches beyond"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{64, UINT64_MAX - 63}}), kFormat, "beyond"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{UINT64_MAX - 63, 64}}), kFormat, "beyond"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{32, 64}}), kFormat, "multiple of 64"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{0, 65}, {64, 64}}), kFormat,
                      "section 1 begins at 64, inside the one before"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{64, 64}, {0, 64}}), kFormat, "inside the one"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{0, 64, 0, 0}}), kFormat, "target 0 of 0"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{0, 64, 1, 0}}), kFormat, "target 0 of 0"));
  EXPECT_TRUE(refused(constant_file({0, 0, 10}, {{0, 64, 2}}), ErrorCode::kModelUnsupported,
                      "section 0 is of kind 2"));
}

TEST(Sections, DataOutsideItsSectionIsRefused) {
  constexpr ErrorCode kInvalid = ErrorCode::kModelInvalid;
  EXPECT_TRUE(refused(constant_file({1, 0, 10}, {{0, 128}}), kInvalid, "section 1 of 1"));
  EXPECT_TRUE(refused(constant_file({0, 0, 129}, {{0, 128}}), kInvalid, "leaves section 0"));
  EXPECT_TRUE(refused(constant_file({0, 128, 1}, {{0, 128}}), kInvalid, "leaves section 0"));
  EXPECT_TRUE(refused(constant_file({0, 192, 0}, {{0, 128}}), kInvalid, "leaves section 0"));
  EXPECT_TRUE(refused(constant_file({0, UINT64_MAX - 63, 64}, {{0, 128}}), kInvalid, "leaves"));
  EXPECT_TRUE(refused(constant_file({0, 64, UINT64_MAX}, {{0, 128}}), kInvalid, "leaves"));
  EXPECT_TRUE(refused(constant_file({0, 8, 8}, {{0, 128}}), kInvalid, "not a multiple of 64"));
}

// A graph of one constant and a target with one packed entry.
FileBytes packed_file(const RawData& packed, int32_t op, int32_t cores = 2) {
  Builder b;
  const Ref graph = raw_graph(b, {0, 0, 64});
  const auto packing = b.CreateString("p");
  const Ref data = raw_data(b, packed);
  const auto entries = b.CreateVector(std::vector<Ref>{table(b, [&] {
    b.AddElement<int32_t>(slot(0), op, 0);
    b.AddOffset(slot(2), packing);
    b.AddOffset(slot(3), data);
  })});
  const Ref target = table(b, [&] {
    b.AddElement<int32_t>(slot(2), cores, 1);
    b.AddOffset(slot(6), entries);
  });
  return raw_file(b, graph, {{0, 64}, {64, 64, 1, 0}}, 128, {target});
}

TEST(Targets, RecordsAreChecked) {
  constexpr ErrorCode kInvalid = ErrorCode::kModelInvalid;
  EXPECT_TRUE(
      refused(packed_file({1, 0, 64}, 0), kInvalid, "packed entry 0: it is for operator 0"));
  EXPECT_TRUE(refused(packed_file({1, 0, 64}, -1), kInvalid, "it is for operator -1 of 0"));
  EXPECT_TRUE(refused(packed_file({1, 0, 64}, 0, 0), kInvalid, "target 0 '': 0 cores"));
  EXPECT_TRUE(refused(packed_file({1, 0, 64}, 0, 1 << 30), kInvalid, "cores"));
}

// --- operators -----------------------------------------------------------------------------------

struct RawAttribute {
  const char* name;
  std::optional<int32_t> i;
  std::optional<float> f;
  std::optional<std::vector<int32_t>> list;
};

Ref raw_attribute(Builder& b, const RawAttribute& a) {
  const auto name = b.CreateString(a.name);
  flatbuffers::Offset<flatbuffers::Vector<int32_t>> list;
  if (a.list) list = b.CreateVector(*a.list);
  return table(b, [&] {
    b.AddOffset(slot(0), name);
    if (a.i) b.AddElement<int32_t>(slot(1), *a.i);
    if (a.f) b.AddElement<float>(slot(2), *a.f);
    if (a.list) b.AddOffset(slot(3), list);
  });
}

// One operator of `kind` from tensor 0 to tensor 1, both float of 2x3.
FileBytes op_file(const char* kind_name, const std::vector<RawAttribute>& attributes) {
  Builder b;
  const auto kind = b.CreateString(kind_name);
  std::vector<Ref> records;
  for (const RawAttribute& a : attributes) records.push_back(raw_attribute(b, a));
  const auto attribute_table = b.CreateVector(records);
  const auto zero = b.CreateVector(std::vector<int32_t>{0});
  const auto one = b.CreateVector(std::vector<int32_t>{1});
  const auto ops = b.CreateVector(std::vector<Ref>{table(b, [&] {
    b.AddOffset(slot(0), kind);
    b.AddOffset(slot(2), attribute_table);
    b.AddOffset(slot(3), zero);
    b.AddOffset(slot(4), one);
  })});
  const auto shape = b.CreateVector(std::vector<int32_t>{2, 3});
  const Ref tensor = table(b, [&] { b.AddOffset(slot(2), shape); });
  const auto tensors = b.CreateVector(std::vector<Ref>{tensor, tensor});
  const Ref graph = table(b, [&] {
    b.AddOffset(slot(1), tensors);
    b.AddOffset(slot(2), ops);
    b.AddOffset(slot(3), zero);
    b.AddOffset(slot(4), one);
  });
  return raw_file(b, graph, {}, 0);
}

TEST(Attributes, MissingOnesHaveTheirDefaultsAndAnyOrderWill) {
  const auto bare = read_copy(op_file("unary", {}));
  ASSERT_TRUE(bare) << bare.error().message;
  EXPECT_EQ(bare->graph.ops[0].as<UnaryParams>().fn, UnaryFn::kRelu);
  EXPECT_EQ(bare->graph.ops[0].as<UnaryParams>().alpha, 0.0f);
  const auto swapped = read_copy(op_file("unary", {{"alpha", {}, 0.5f, {}}, {"fn", 18, {}, {}}}));
  ASSERT_TRUE(swapped) << swapped.error().message;
  EXPECT_EQ(swapped->graph.ops[0].as<UnaryParams>().fn, UnaryFn::kLeakyRelu);
  EXPECT_EQ(swapped->graph.ops[0].as<UnaryParams>().alpha, 0.5f);
}

TEST(Attributes, WrongTypesAndLengthsAreRefused) {
  constexpr ErrorCode kInvalid = ErrorCode::kModelInvalid;
  const std::vector<int32_t> nine(9, 1);
  EXPECT_TRUE(refused(op_file("unary", {{"fn", {}, 18.0f, {}}}), kInvalid, "one integer"));
  EXPECT_TRUE(refused(op_file("unary", {{"fn", {}, {}, {}}}), kInvalid, "one integer"));
  EXPECT_TRUE(refused(op_file("unary", {{"fn", 18, 18.0f, {}}}), kInvalid, "one integer"));
  EXPECT_TRUE(refused(op_file("unary", {{"fn", -1, {}, {}}}), kInvalid, "'fn' is -1"));
  EXPECT_TRUE(refused(op_file("unary", {{"alpha", 1, {}, {}}}), kInvalid, "one float"));
  EXPECT_TRUE(refused(op_file("reshape", {{"shape", 6, {}, {}}}), kInvalid, "list of integers"));
  EXPECT_TRUE(refused(op_file("reshape", {{"shape", {}, {}, nine}}), kInvalid, "has 9 entries"));
  EXPECT_TRUE(read_copy(op_file("reshape", {{"shape", {}, {}, {{3, 2}}}})));
}

TEST(Attributes, ThoseOfNewerVersionsAreNamedEvenOnOperatorsWithoutAny) {
  EXPECT_TRUE(refused(op_file("log_softmax", {{"axis", 1, {}, {}}}), ErrorCode::kModelUnsupported,
                      "log_softmax, node 0 '': attribute 'axis' is unknown"));
}

// --- metadata that would cost more than it weighs ------------------------------------------------

// `count` tensors that all refer to the same quantisation of `scales` scales.
FileBytes shared_scales(size_t count, size_t scales) {
  Builder b;
  const auto scale = b.CreateVector(std::vector<float>(scales, 1.0f));
  const auto shape = b.CreateVector(std::vector<int32_t>{static_cast<int32_t>(scales)});
  std::vector<Ref> tensors;
  for (size_t i = 0; i < count; ++i) {
    const Ref quantization = table(b, [&] { b.AddOffset(slot(0), scale); });
    tensors.push_back(table(b, [&] {
      b.AddElement<uint8_t>(slot(1), 2, 0);
      b.AddOffset(slot(2), shape);
      b.AddOffset(slot(3), quantization);
    }));
  }
  const auto tensor_table = b.CreateVector(tensors);
  const auto io = b.CreateVector(std::vector<int32_t>{0});
  const Ref graph = table(b, [&] {
    b.AddOffset(slot(1), tensor_table);
    b.AddOffset(slot(3), io);
    b.AddOffset(slot(4), io);
  });
  return raw_file(b, graph, {}, 0);
}

TEST(Limits, SharedListsCannotMultiply) {
  const auto modest = read_copy(shared_scales(4, 1000));
  EXPECT_TRUE(modest) << modest.error().message;
  EXPECT_TRUE(refused(shared_scales(1000, 1000), ErrorCode::kModelFormat, "16 times its size"));
}

TEST(Limits, SharedTablesCannotMultiply) {
  Builder b;
  const Ref tensor = table(b, [] {});
  const auto tensors = b.CreateVector(std::vector<Ref>(100000, tensor));
  const Ref graph = table(b, [&] { b.AddOffset(slot(1), tensors); });
  EXPECT_TRUE(refused(raw_file(b, graph, {}, 0), ErrorCode::kModelFormat, "malformed"));
}

TEST(Limits, RanksAreBounded) {
  Builder b;
  const auto shape = b.CreateVector(std::vector<int32_t>(9, 1));
  const auto tensors =
      b.CreateVector(std::vector<Ref>{table(b, [&] { b.AddOffset(slot(2), shape); })});
  const Ref graph = table(b, [&] { b.AddOffset(slot(1), tensors); });
  EXPECT_TRUE(refused(raw_file(b, graph, {}, 0), ErrorCode::kModelInvalid,
                      "tensor 0 '': it has 9 dimensions"));
}

}  // namespace
}  // namespace pj
