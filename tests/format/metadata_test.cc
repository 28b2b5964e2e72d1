// Files of the writer, changed in a few bytes and with a correct checksum: still not trusted.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/format/bytes.h"
#include "tests/format/graphs.h"

namespace pj {
namespace {

FileBytes bytes_of(const Graph& graph) {
  auto file = serialize_model(graph);
  EXPECT_TRUE(file) << file.error().message;
  return file ? *file : FileBytes(4096);
}

Graph one_conv(Activation activation) {
  GraphBuilder b;
  Conv2DParams p;
  p.activation = activation;
  b.op(OpKind::kConv2D, p, {b.input({1, 4, 4, 1}), b.weights({1, 3, 3, 1})});
  return b.graph;
}

// Sets the only byte in which the metadata of two models differ.
FileBytes with_differing_byte(const FileBytes& a, const FileBytes& b, uint8_t value) {
  EXPECT_EQ(a.size(), b.size());
  FileBytes changed = a;
  size_t differences = 0;
  for (size_t i = kHeaderEnd; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    changed[i] = std::byte{value};
    ++differences;
  }
  EXPECT_EQ(differences, 1u);
  return resigned(std::move(changed));
}

TEST(Metadata, UnknownAttributeIsUnsupportedAndNamed) {
  const FileBytes file = replaced(bytes_of(small_graph()), "stride_h", "stride_q");
  EXPECT_TRUE(refused(file, ErrorCode::kModelUnsupported, "attribute 'stride_q'"));
  EXPECT_TRUE(refused(file, ErrorCode::kModelUnsupported, "conv_2d, node 0 'node0'"));
}

TEST(Metadata, AttributeGivenTwiceIsRefused) {
  const FileBytes file = replaced(bytes_of(small_graph()), "stride_h", "stride_w");
  EXPECT_TRUE(refused(file, ErrorCode::kModelInvalid, "twice"));
}

TEST(Metadata, UnknownOperatorsAreAllNamed) {
  FileBytes file = replaced(bytes_of(small_graph()), "conv_2d", "fold_4d");
  file = replaced(file, "dequantize", "dequantise");
  EXPECT_TRUE(refused(file, ErrorCode::kModelUnsupported,
                      "2 operators are unknown to this build: 'fold_4d' (node 0), 'dequantise' "
                      "(node 1)"));
}

TEST(Metadata, EnumeratorsAreChecked) {
  const FileBytes none = bytes_of(one_conv(Activation::kNone));
  const FileBytes relu = bytes_of(one_conv(Activation::kRelu));
  EXPECT_TRUE(read_copy(with_differing_byte(none, relu, 3)));
  EXPECT_TRUE(refused(with_differing_byte(none, relu, 4), ErrorCode::kModelInvalid,
                      "attribute 'activation' is 4, outside 0 to 3"));
}

TEST(Metadata, BooleansAreChecked) {
  auto graph = [](bool half_pixel) {
    GraphBuilder b;
    b.op(OpKind::kResize, ResizeParams{ResizeFn::kNearest, 7, 9, false, half_pixel},
         {b.input({1, 4, 4, 2})});
    return b.graph;
  };
  EXPECT_TRUE(refused(with_differing_byte(bytes_of(graph(false)), bytes_of(graph(true)), 2),
                      ErrorCode::kModelInvalid, "attribute 'half_pixel' is 2"));
}

TEST(Metadata, ElementTypesAreChecked) {
  auto graph = [](DType dtype) {
    GraphBuilder b;
    b.graph.outputs = {b.input({1}, dtype)};
    return b.graph;
  };
  const FileBytes a = bytes_of(graph(DType::kI8)), b = bytes_of(graph(DType::kU8));
  EXPECT_TRUE(refused(with_differing_byte(a, b, 8), ErrorCode::kModelUnsupported,
                      "tensor 0 'in0': its element type 8"));
}

TEST(Metadata, NanIsRefused) {
  auto graph = [](float beta) {
    GraphBuilder b;
    b.op(OpKind::kSoftmax, SoftmaxParams{beta}, {b.input({4})});
    return b.graph;
  };
  const float beta = 123.456f;
  uint32_t bits;
  std::memcpy(&bits, &beta, 4);
  const uint32_t nan = 0x7fc00000;
  const FileBytes file = replaced(bytes_of(graph(beta)), {reinterpret_cast<const char*>(&bits), 4},
                                  {reinterpret_cast<const char*>(&nan), 4});
  EXPECT_TRUE(refused(file, ErrorCode::kModelInvalid, "attribute 'beta' is not a number"));
}

// Reads every byte that a reader handed out, so that a sanitizer sees where it lies.
uint32_t touch(const ModelFile& model) {
  uint32_t sum = 0;
  for (const Tensor& t : model.graph.tensors) sum = crc32(t.data.bytes, sum);
  for (const TargetRecord& t : model.targets)
    for (const PackedEntry& p : t.packed) sum = crc32(p.data.bytes, sum);
  return sum;
}

TEST(Metadata, NoFlippedByteCrashesTheReader) {
  const TargetRecord target = small_target();
  auto file = serialize_model(small_graph(), {&target, 1});
  ASSERT_TRUE(file) << file.error().message;
  size_t accepted = 0;
  for (size_t i = 0; i < metadata_end(*file); ++i) {
    for (uint8_t mask : {0x01, 0x04, 0x10, 0x40, 0x80, 0xff}) {
      FileBytes changed = *file;
      changed[i] ^= std::byte{mask};
      const auto model = read_copy(resigned(changed));
      if (!model) continue;
      ++accepted;
      touch(*model);
      EXPECT_TRUE(validate(model->graph)) << i;
    }
  }
  EXPECT_GT(accepted, 0u) << "names may change, so some files must be accepted";
}

TEST(Metadata, NoExtremeNumberCrashesTheReader) {
  const TargetRecord target = small_target();
  auto file = serialize_model(small_graph(), {&target, 1});
  ASSERT_TRUE(file) << file.error().message;
  for (size_t i = kMetadataOffsetAt; i + 4 <= metadata_end(*file); i += 4) {
    for (uint32_t word : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, 0x7f800000u, 0x10000u}) {
      FileBytes changed = *file;
      put(changed, i, word);
      if (const auto model = read_copy(resigned(changed))) touch(*model);
    }
  }
}

TEST(Targets, PackedDataMustBeInTheSectionOfTheTarget) {
  GraphBuilder g;
  g.op(OpKind::kUnary, UnaryParams{}, {g.input({4})});
  auto target = small_target();
  target.packed.resize(1);
  target.choices.clear();
  target.packed[0].op = 0;
  TargetRecord other = target;
  other.name = "other";
  other.packed[0].role = 7;
  const TargetRecord targets[] = {target, other};
  const auto file = serialize_model(g.graph, targets);
  ASSERT_TRUE(file) << file.error().message;
  // Sections: 0 weights, 1 and 2 packed. One of the words that hold a 2 is the section of the entry
  // of target 1; only changing that one gives this message.
  size_t wrong_section = 0;
  for (size_t i = kHeaderEnd; i + 4 <= metadata_end(*file); i += 4) {
    if (get<uint32_t>(*file, i) != 2) continue;
    for (uint32_t section : {0, 1}) {
      FileBytes changed = *file;
      put(changed, i, section);
      const auto model = read_copy(resigned(changed));
      wrong_section +=
          !model && model.error().message.find("wrong section") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_EQ(wrong_section, 2u);
}

}  // namespace
}  // namespace pj
