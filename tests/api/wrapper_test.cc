// pj.hpp, compiled as C++17 without exceptions and RTTI.
#include <gmock/gmock.h>

#include <algorithm>
#include <pj/pj.hpp>
#include <string>
#include <type_traits>
#include <utility>

#include "tests/api/models.h"

#if __cplusplus != 201703L || defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compile with -std=c++17 -fno-exceptions -fno-rtti"
#endif

namespace {

using pj::testing::Bytes;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

static_assert(std::is_move_constructible_v<picojoule::Session>);
static_assert(!std::is_copy_constructible_v<picojoule::Session>);
static_assert(!std::is_copy_constructible_v<picojoule::Model>);

picojoule::Session open(const Bytes& bytes, const picojoule::SessionOptions& options = {}) {
  auto model = picojoule::Model::load_memory(bytes.data(), bytes.size());
  EXPECT_TRUE(model.ok()) << model.error().message;
  auto session = model->session(options);
  EXPECT_TRUE(session.ok()) << session.error().message;
  return *std::move(session);
}

TEST(Wrapper, RunsAModel) {
  picojoule::Session session = open(pj::testing::dense_model());
  auto x = session.input("x").as<float>();
  ASSERT_TRUE(x.ok()) << x.error().message;
  ASSERT_EQ(x->size(), 2u);
  (*x)[0] = 2;
  (*x)[1] = -1;
  ASSERT_TRUE(session.run().ok());
  std::vector<float> y;
  for (float v : *session.output(0).as<float>()) y.push_back(v);
  EXPECT_THAT(y, ElementsAre(0.5f, 11, 0));
}

TEST(Wrapper, RunsPeriodically) {
  picojoule::Session session = open(pj::testing::dense_model());
  int frames = 0;
  const auto stats = session.run_periodic(1, [&](std::int64_t frame) {
    ++frames;
    return frame < 2;
  });
  ASSERT_TRUE(stats.ok()) << stats.error().message;
  EXPECT_EQ(frames, 3);
  EXPECT_EQ(stats->frames, 3);
  EXPECT_FALSE(session.run_periodic(-1, [](std::int64_t) { return false; }));
}

TEST(Wrapper, GivesTheTypesOfElements) {
  picojoule::Session session = open(pj::testing::block_model());
  const auto x = session.input(0).as<std::int8_t>();
  const auto y = session.output(0).as<std::int8_t>();
  static_assert(std::is_same_v<decltype(x->data()), std::int8_t*>);
  static_assert(std::is_same_v<decltype(y->data()), const std::int8_t*>);
  EXPECT_EQ(x->size(), 32u * 32 * 16);
  EXPECT_EQ(x->end() - x->begin(), 32 * 32 * 16);
  EXPECT_EQ(session.input(0).info().zero_point, 3);
  EXPECT_EQ(session.output("y").byte_size(), 32u * 32 * 16);
}

TEST(Wrapper, RefusesAnotherType) {
  picojoule::Session session = open(pj::testing::block_model());
  const auto x = session.input("x").as<float>();
  ASSERT_FALSE(x.ok());
  EXPECT_EQ(x.error().status, pj_invalid_argument);
  EXPECT_THAT(x.error().message, AllOf(HasSubstr("'x'"), HasSubstr("int8"), HasSubstr("f32")));
  EXPECT_FALSE(session.input("x").as<std::uint8_t>());
}

TEST(Wrapper, PassesErrorsOnFromTheLookup) {
  picojoule::Session session = open(pj::testing::dense_model());
  const auto x = session.input("z").as<float>();
  ASSERT_FALSE(x.ok());
  EXPECT_THAT(x.error().message, AllOf(HasSubstr("'z'"), HasSubstr("'x'")));
  EXPECT_FALSE(session.output("z").status());
  EXPECT_FALSE(session.output(1).as<float>());
  EXPECT_FALSE(session.input_info(1));
  EXPECT_EQ(session.output_info(0)->dims[1], 3);
}

TEST(Wrapper, PassesErrorsOfLoading) {
  const auto model = picojoule::Model::load("/nowhere.tflite");
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().status, pj_file_not_found);
  EXPECT_THAT(model.error().message, HasSubstr("/nowhere.tflite"));
  pj_model_options options = PJ_MODEL_OPTIONS_INIT;
  options.isa = "abacus";
  const Bytes bytes = pj::testing::dense_model();
  EXPECT_FALSE(picojoule::Model::load_memory(bytes.data(), bytes.size(), options));
}

TEST(Wrapper, PassesErrorsOfSessions) {
  const Bytes bytes = pj::testing::dense_model();
  const auto model = picojoule::Model::load_memory(bytes.data(), bytes.size());
  const auto session = model->session({-3});
  ASSERT_FALSE(session);
  EXPECT_THAT(session.error().message, HasSubstr("-3 threads"));
}

TEST(Wrapper, ResizesInputs) {
  picojoule::Session session = open(pj::testing::rows_model());
  EXPECT_EQ(session.input(0).as<float>()->size(), 2u);
  ASSERT_TRUE(session.resize_input(0, {3, 2}));
  EXPECT_EQ(session.input(0).as<float>()->size(), 6u);
  EXPECT_EQ(session.output(0).as<float>()->size(), 9u);
  EXPECT_FALSE(session.resize_input(0, {3}));
}

TEST(Wrapper, ResizesAllInputsAtOnce) {
  picojoule::Session session = open(pj::testing::two_inputs_model());
  ASSERT_TRUE(session.resize_inputs({{1, 4}, {1, 4}}));
  ASSERT_TRUE(session.resize_inputs({{1, 6}, {1, 6}}));
  EXPECT_EQ(session.output(0).as<float>()->size(), 6u);
  EXPECT_FALSE(session.resize_inputs({{1, 6}}));
}

TEST(Wrapper, SaysThatADimensionIsUnknown) {
  picojoule::Session session = open(pj::testing::two_inputs_model());
  EXPECT_EQ(session.input("b").status().error().status, pj_wrong_state);
  EXPECT_EQ(session.output(0).as<float>().error().status, pj_wrong_state);
  EXPECT_EQ(session.run().error().status, pj_wrong_state);
  ASSERT_TRUE(session.resize_input(0, {1, 4}));
  EXPECT_EQ(session.run().error().status, pj_wrong_state);
  ASSERT_TRUE(session.resize_input(1, {1, 4}));
  EXPECT_TRUE(session.run());
}

TEST(Wrapper, BindsMemory) {
  picojoule::Session session = open(pj::testing::dense_model());
  const float x[] = {1, 1};
  float y[3] = {};
  ASSERT_TRUE(session.bind_input(0, x, sizeof x));
  ASSERT_TRUE(session.bind_output(0, y, sizeof y));
  ASSERT_TRUE(session.run());
  EXPECT_THAT(y, ElementsAre(3.5f, 0, 0));
  EXPECT_FALSE(session.bind_output(0, y, 4));
}

}  // namespace
