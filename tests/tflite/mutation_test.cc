// Damaged files: whatever the bytes, the importer answers with a graph or an error. The sanitizers
// watch; a graph that passes has to be safe to walk.
#include <gtest/gtest.h>

#include <random>

#include "tests/tflite/model_writer.h"

namespace pj::test {
namespace {

// A file with constants, parameters, quantisation, several operators and custom options.
std::vector<uint8_t> rich_model() {
  FileModel m;
  m.inputs = {m.add({"x", {1, 4, 4, 2}, kInt8, 0, {0.5f}, {1}, 0, {-1, 4, 4, 2}})};
  m.add({"w",
         {3, 1, 1, 2},
         kInt8,
         m.add_buffer(std::vector<int8_t>(6, 1)),
         {0.5f, 0.25f, 0.125f},
         {0, 0, 0}});
  m.add({"b",
         {3},
         kInt32,
         m.add_buffer(std::vector<int32_t>{1, 2, 3}),
         {0.25f, 0.125f, 0.0625f},
         {0, 0, 0}});
  m.add({"conv", {1, 4, 4, 3}, kInt8, 0, {0.5f}, {0}});
  m.add_ints("shape", {2}, {-1, 48});
  m.add({"flat", {1, 48}, kInt8, 0, {0.5f}, {0}});
  m.add({"real", {1, 48}});
  const int32_t axis = m.add_ints("axis", {}, {1});
  m.outputs = {m.add({"left", {1, 24}}), m.add({"right", {1, 24}})};
  m.ops = {{3, {0, 1, 2}, {3}, 1, {{0, int8_t{0}}, {1, int32_t{1}}, {2, int32_t{1}}}},
           {22, {3, 4}, {5}, 17, {{0, std::vector<int32_t>{1, 48}}}},
           {6, {5}, {6}},
           {49, {axis, 6}, {8, 9}, 35, {{0, int32_t{2}}}}};
  return write_model(m);
}

std::vector<uint8_t> transpose_bias_model() {
  FileModel m;
  m.inputs = {m.add({"x", {1, 4, 4, 1}})};
  m.add({"w", {1, 2, 2, 1}, kFloat32, m.add_buffer(std::vector<float>(4, 1.0f))});
  m.add({"b", {1}, kFloat32, m.add_buffer(std::vector<float>{1})});
  m.outputs = {m.add({"y", {}})};
  m.ops = {{32,
            {0, 1, 2},
            {3},
            0,
            {},
            "Convolution2DTransposeBias",
            {1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0}}};
  return write_model(m);
}

// Touches every byte that the graph promises.
size_t walk(const Graph& g) {
  size_t sum = 0;
  for (const Tensor& t : g.tensors)
    for (std::byte b : t.data.bytes) sum += std::to_integer<size_t>(b);
  for (const Op& op : g.ops) {
    for (TensorId id : op.inputs)
      if (id != kNoTensor) sum += g.tensor(id).name.size();
    for (TensorId id : op.outputs) sum += g.tensor(id).name.size();
  }
  return sum;
}

// Replaces one to four places by random bytes, extreme numbers or bits flipped.
void mutate(std::vector<uint8_t>& bytes, std::mt19937& random) {
  constexpr uint32_t kExtremes[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000};
  for (unsigned k = 0; k <= random() % 4; ++k) {
    const size_t position = random() % bytes.size();
    switch (random() % 3) {
      case 0:
        bytes[position] = static_cast<uint8_t>(random());
        break;
      case 1:
        bytes[position] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      default: {
        const uint32_t value = kExtremes[random() % std::size(kExtremes)];
        const size_t aligned = std::min(position / 4 * 4, bytes.size() - 4);
        std::memcpy(bytes.data() + aligned, &value, 4);
      }
    }
  }
}

void expect_no_crash(const std::vector<uint8_t>& valid, int mutations) {
  const Result<Graph> graph = import_tflite(share(valid));
  ASSERT_TRUE(graph.has_value()) << graph.error().message;
  std::mt19937 random(1);
  int accepted = 0;
  for (int i = 0; i < mutations; ++i) {
    std::vector<uint8_t> bytes = valid;
    mutate(bytes, random);
    if (const Result<Graph> r = import_tflite({std::as_bytes(std::span(bytes)), nullptr})) {
      ++accepted;
      EXPECT_GT(walk(*r), 0u);
    } else {
      EXPECT_FALSE(r.error().message.empty());
    }
  }
  // Both must happen, or the mutations miss their target.
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, mutations);
}

TEST(TfliteMutation, QuantisedModel) { expect_no_crash(rich_model(), 4'000); }
TEST(TfliteMutation, CustomOperator) { expect_no_crash(transpose_bias_model(), 2'000); }

// Every 4-byte word of the file in turn.
TEST(TfliteMutation, ExtremeValueInEveryWord) {
  const std::vector<uint8_t> valid = rich_model();
  for (const uint32_t value : {0u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    for (size_t i = 0; i + 4 <= valid.size(); i += 4) {
      std::vector<uint8_t> bytes = valid;
      std::memcpy(bytes.data() + i, &value, 4);
      const Result<Graph> r = import_tflite({std::as_bytes(std::span(bytes)), nullptr});
      if (r) {
        EXPECT_GT(walk(*r), 0u);
      }
    }
  }
}

}  // namespace
}  // namespace pj::test
