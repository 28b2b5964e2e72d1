// Running, inputs and outputs.
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <string>

#include "tests/api/allocations.h"
#include "tests/api/models.h"
#include "tests/api/strict_c99.h"

namespace pj::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

float* input(const SessionHandle& s, size_t i) {
  return static_cast<float*>(pj_session_input_data(s.get(), i));
}

std::vector<float> output(const SessionHandle& s, size_t i) {
  const size_t count = output_info(s.get(), i).byte_size / sizeof(float);
  return floats_of(pj_session_output_data(s.get(), i), count);
}

TEST(Session, RunsFromC99) {
  const Bytes model = dense_model();
  const float x[] = {1, 1};
  float y[3] = {-1, -1, -1};
  EXPECT_STREQ(run_in_c99(model.data(), model.size(), x, 2, y, 3), nullptr);
  EXPECT_THAT(y, ElementsAre(3.5f, 0, 0));
}

TEST(Session, DescribesInputsAndOutputs) {
  const SessionHandle s = open(block_model());
  EXPECT_EQ(pj_session_input_count(s.get()), 1u);
  EXPECT_EQ(pj_session_output_count(s.get()), 1u);
  const pj_tensor_info x = input_info(s.get(), 0), y = output_info(s.get(), 0);
  EXPECT_STREQ(x.name, "x");
  EXPECT_EQ(x.dtype, pj_i8);
  EXPECT_EQ(x.rank, 4);
  EXPECT_THAT(x.dims, ElementsAre(1, 32, 32, 16, 0, 0, 0, 0));
  EXPECT_EQ(x.byte_size, 32u * 32 * 16);
  EXPECT_EQ(x.quant_count, 1);
  EXPECT_EQ(x.scale, 0.02f);
  EXPECT_EQ(x.zero_point, 3);
  EXPECT_EQ(*x.scales, 0.02f);
  EXPECT_EQ(*x.zero_points, 3);
  EXPECT_STREQ(y.name, "y");
  EXPECT_EQ(y.scale, 0.06f);
  EXPECT_EQ(y.zero_point, 1);
}

TEST(Session, SaysThatFloatsAreNotQuantised) {
  const SessionHandle s = open(dense_model());
  const pj_tensor_info x = input_info(s.get(), 0);
  EXPECT_EQ(x.dtype, pj_f32);
  EXPECT_EQ(x.quant_count, 0);
  EXPECT_EQ(x.scale, 0.0f);
  EXPECT_EQ(x.scales, nullptr);
  EXPECT_EQ(x.zero_points, nullptr);
}

TEST(Session, KeepsInputsFromRunToRun) {
  const SessionHandle s = open(block_model());
  const Bytes first = run_on_noise(s.get());
  const pj_tensor_info x = input_info(s.get(), 0);
  Bytes before(x.byte_size);
  std::memcpy(before.data(), pj_session_input_data(s.get(), 0), before.size());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(pj_run(s.get()), pj_ok);
    EXPECT_EQ(std::memcmp(pj_session_output_data(s.get(), 0), first.data(), first.size()), 0);
    EXPECT_EQ(std::memcmp(pj_session_input_data(s.get(), 0), before.data(), before.size()), 0);
  }
}

TEST(Session, AlignsItsMemory) {
  const SessionHandle s = open(dense_model());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(pj_session_input_data(s.get(), 0)) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(pj_session_output_data(s.get(), 0)) % 64, 0u);
}

TEST(Session, OutlivesItsModel) {
  SessionHandle s;
  {
    const ModelHandle model = load(dense_model());
    s = open(model);
  }
  input(s, 0)[0] = 2;
  input(s, 0)[1] = -1;
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(0.5f, 11, 0));
}

TEST(Session, SharesWeightsWithTheOthersOfItsModel) {
  const Bytes bytes = heavy_model();
  const ModelHandle model = load(bytes);
  const SessionHandle first = open(model);
  SessionHandle second;
  const Allocations a = allocations_of([&] { second = open(model); });
  EXPECT_GT(a.count, 0);
  EXPECT_LT(static_cast<size_t>(a.bytes), bytes.size() / 8);
  EXPECT_EQ(run_on_noise(first.get()), run_on_noise(second.get()));
}

TEST(Session, KeepsItsOwnValues) {
  const ModelHandle model = load(dense_model());
  const SessionHandle first = open(model), second = open(model);
  input(first, 0)[0] = input(first, 0)[1] = 1;
  ASSERT_EQ(pj_run(first.get()), pj_ok);
  ASSERT_EQ(pj_run(second.get()), pj_ok);  // of zeros: relu(b)
  EXPECT_THAT(output(first, 0), ElementsAre(3.5f, 0, 0));
  EXPECT_THAT(output(second, 0), ElementsAre(0.5f, 1, 0));
}

TEST(Session, FindsByName) {
  const SessionHandle s = open(two_inputs_model());
  size_t index = 99;
  EXPECT_EQ(pj_session_find_input(s.get(), "b", &index), pj_ok);
  EXPECT_EQ(index, 1u);
  EXPECT_EQ(pj_session_find_output(s.get(), "sum", &index), pj_ok);
  EXPECT_EQ(index, 0u);
}

TEST(Session, ListsTheNamesThatExist) {
  const SessionHandle s = open(two_inputs_model());
  size_t index = 99;
  EXPECT_EQ(pj_session_find_input(s.get(), "c", &index), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("no input 'c'"), HasSubstr("'a', 'b'")));
  EXPECT_EQ(pj_session_find_output(s.get(), "a", &index), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("no output 'a'"), HasSubstr("'sum', 'difference'")));
  EXPECT_EQ(index, 99u);
}

TEST(Session, UsesTheCallersMemory) {
  const SessionHandle s = open(dense_model());
  const float x[] = {2, -1};
  float y[] = {-1, -1, -1};
  ASSERT_EQ(pj_session_bind_input(s.get(), 0, x, sizeof x), pj_ok);
  ASSERT_EQ(pj_session_bind_output(s.get(), 0, y, sizeof y), pj_ok);
  EXPECT_EQ(pj_session_input_data(s.get(), 0), x);
  EXPECT_EQ(pj_session_output_data(s.get(), 0), y);
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(y, ElementsAre(0.5f, 11, 0));
}

TEST(Session, ChecksTheCallersMemory) {
  const SessionHandle s = open(dense_model());
  alignas(8) std::byte memory[64] = {};
  EXPECT_EQ(pj_session_bind_input(s.get(), 0, memory, 7), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("'x'"), HasSubstr("8 bytes"), HasSubstr("7")));
  EXPECT_EQ(pj_session_bind_output(s.get(), 0, memory, 13), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("'y'"), HasSubstr("12 bytes"), HasSubstr("13")));
  EXPECT_EQ(pj_session_bind_input(s.get(), 0, memory + 2, 8), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("'x'"), HasSubstr("multiple of 4")));
  EXPECT_EQ(pj_session_bind_output(s.get(), 0, nullptr, 12), pj_invalid_argument);
  EXPECT_EQ(pj_run(s.get()), pj_ok);
}

TEST(Resize, IsNeededWhereADimensionIsUnknown) {
  const SessionHandle s = open(two_inputs_model());
  EXPECT_THAT(input_info(s.get(), 1).dims, ElementsAre(1, -1, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(input_info(s.get(), 1).byte_size, 0u);
  EXPECT_THAT(output_info(s.get(), 1).dims, ElementsAre(1, -1, 0, 0, 0, 0, 0, 0));
  EXPECT_EQ(pj_session_input_data(s.get(), 1), nullptr);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("'a'"), HasSubstr("pj_session_resize_input")));
  EXPECT_EQ(pj_session_output_data(s.get(), 0), nullptr);
  EXPECT_EQ(pj_run(s.get()), pj_wrong_state);
  EXPECT_THAT(pj_last_error(), HasSubstr("'a' is 1x?"));
  float x[2];
  EXPECT_EQ(pj_session_bind_input(s.get(), 0, x, sizeof x), pj_wrong_state);
}

TEST(Resize, IsNotNeededForTheBatch) {
  const SessionHandle s = open(rows_model());
  EXPECT_EQ(input_info(s.get(), 0).dims[0], 1);
  input(s, 0)[0] = input(s, 0)[1] = 1;
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(3.5f, 0, 0));
}

TEST(Resize, GivesTheInputAnotherShape) {
  const SessionHandle s = open(rows_model());
  const char* const name = input_info(s.get(), 0).name;
  const int32_t two_rows[] = {2, 2};
  ASSERT_EQ(pj_session_resize_input(s.get(), 0, two_rows, 2), pj_ok) << pj_last_error();
  EXPECT_EQ(input_info(s.get(), 0).byte_size, 16u);
  EXPECT_THAT(output_info(s.get(), 0).dims, ElementsAre(2, 3, 0, 0, 0, 0, 0, 0));
  const float x[] = {1, 1, 2, -1};
  std::memcpy(pj_session_input_data(s.get(), 0), x, sizeof x);
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(3.5f, 0, 0, 0.5f, 11, 0));

  const int32_t one_row[] = {1, 2};
  ASSERT_EQ(pj_session_resize_input(s.get(), 0, one_row, 2), pj_ok) << pj_last_error();
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(0.5f, 1, 0));
  EXPECT_STREQ(name, "x");  // pointers stay valid
}

TEST(Periodic, RunsAFrameEachPeriodUntilTheCallerEnds) {
  const SessionHandle s = open(dense_model());
  input(s, 0)[0] = input(s, 0)[1] = 1;
  int64_t seen = 0;
  pj_periodic_stats stats = PJ_PERIODIC_STATS_INIT;
  const auto on_frame = [](void* context, int64_t frame) {
    *static_cast<int64_t*>(context) += 1;
    return frame < 3 ? 1 : 0;
  };
  ASSERT_EQ(pj_run_periodic(s.get(), 2, on_frame, &seen, &stats), pj_ok) << pj_last_error();
  EXPECT_EQ(seen, 4);
  EXPECT_EQ(stats.frames, 4);
  EXPECT_THAT(output(s, 0), ElementsAre(3.5f, 0, 0));
  EXPECT_EQ(pj_run_periodic(s.get(), 2, on_frame, &seen, nullptr), pj_ok);
  for (double period : {0.0, -1.0, std::nan("")}) {
    EXPECT_EQ(pj_run_periodic(s.get(), period, on_frame, &seen, nullptr), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(), HasSubstr("period"));
  }
  EXPECT_EQ(pj_run_periodic(s.get(), 2, nullptr, &seen, nullptr), pj_invalid_argument);
  EXPECT_EQ(pj_run_periodic(nullptr, 2, on_frame, &seen, nullptr), pj_invalid_argument);
}

TEST(Resize, RefusesWhatCannotBeAndChangesNothing) {
  const SessionHandle s = open(dense_model());
  input(s, 0)[0] = input(s, 0)[1] = 1;
  const struct {
    std::vector<int32_t> dims;
    int32_t rank;
    const char* message;
  } cases[] = {
      {{2}, 1, "2 dimensions, 1 were given"},
      {{1, 2, 1}, 3, "2 dimensions, 3 were given"},
      {{1, 2}, -1, "-1 were given"},
      {{1, 2}, 1 << 30, "were given"},
      {{0, 2}, 2, "dimension 0 is 0"},
      {{1, -1}, 2, "dimension 1 is -1"},
      {{1, INT32_MIN}, 2, "dimension 1 is -2147483648"},
      {{1, 5}, 2, ""},  // the weights have 2 columns
      {{INT32_MAX, 2}, 2, ""},
      {{INT32_MAX, INT32_MAX}, 2, ""},
  };
  for (const auto& c : cases) {
    EXPECT_NE(pj_session_resize_input(s.get(), 0, c.dims.data(), c.rank), pj_ok);
    EXPECT_THAT(pj_last_error(), HasSubstr(c.message));
    ASSERT_EQ(pj_run(s.get()), pj_ok);
    EXPECT_THAT(output(s, 0), ElementsAre(3.5f, 0, 0));
  }
  EXPECT_EQ(pj_session_resize_input(s.get(), 0, nullptr, 2), pj_invalid_argument);
}

TEST(Resize, WaitsForTheLastUnknownInput) {
  const SessionHandle s = open(two_inputs_model());
  const int32_t dims[] = {1, 2};
  ASSERT_EQ(pj_session_resize_input(s.get(), 0, dims, 2), pj_ok) << pj_last_error();
  EXPECT_EQ(pj_run(s.get()), pj_wrong_state);
  ASSERT_EQ(pj_session_resize_input(s.get(), 1, dims, 2), pj_ok) << pj_last_error();
  input(s, 0)[0] = 5;
  input(s, 1)[0] = 3;
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(8, 0));
  EXPECT_THAT(output(s, 1), ElementsAre(2, 0));
}

TEST(Resize, ChangesInputsThatMustAgreeTogether) {
  const SessionHandle s = open(two_inputs_model());
  const int32_t narrow[] = {1, 2}, wide[] = {1, 3};
  const int32_t* all_narrow[] = {narrow, narrow};
  const int32_t* all_wide[] = {wide, wide};
  const int32_t ranks[] = {2, 2};
  ASSERT_EQ(pj_session_resize_inputs(s.get(), all_narrow, ranks, 2), pj_ok) << pj_last_error();
  EXPECT_NE(pj_session_resize_input(s.get(), 0, wide, 2), pj_ok);  // 3 + 2 columns
  ASSERT_EQ(pj_session_resize_inputs(s.get(), all_wide, ranks, 2), pj_ok) << pj_last_error();
  input(s, 0)[2] = 5;
  input(s, 1)[2] = 3;
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(0, 0, 8));
}

TEST(Resize, OfAllInputsRefusesWhatCannotBeAndChangesNothing) {
  const SessionHandle s = open(two_inputs_model());
  const int32_t narrow[] = {1, 2}, wide[] = {1, 3}, zero[] = {1, 0};
  const int32_t* agree[] = {narrow, narrow};
  const int32_t* differ[] = {narrow, wide};
  const int32_t* empty[] = {narrow, zero};
  const int32_t* missing[] = {narrow, nullptr};
  const int32_t ranks[] = {2, 2}, wrong_ranks[] = {2, 1};
  ASSERT_EQ(pj_session_resize_inputs(s.get(), agree, ranks, 2), pj_ok) << pj_last_error();
  input(s, 0)[0] = 5;
  EXPECT_NE(pj_session_resize_inputs(s.get(), differ, ranks, 2), pj_ok);
  EXPECT_EQ(pj_session_resize_inputs(s.get(), empty, ranks, 2), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("'b'"), HasSubstr("dimension 1 is 0")));
  EXPECT_EQ(pj_session_resize_inputs(s.get(), missing, ranks, 2), pj_invalid_argument);
  EXPECT_EQ(pj_session_resize_inputs(s.get(), agree, wrong_ranks, 2), pj_invalid_argument);
  EXPECT_EQ(pj_session_resize_inputs(s.get(), agree, ranks, 1), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("2 inputs"));
  EXPECT_EQ(pj_session_resize_inputs(s.get(), nullptr, ranks, 2), pj_invalid_argument);
  EXPECT_EQ(pj_session_resize_inputs(s.get(), agree, nullptr, 2), pj_invalid_argument);
  EXPECT_EQ(pj_session_resize_inputs(nullptr, agree, ranks, 2), pj_invalid_argument);
  ASSERT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_THAT(output(s, 0), ElementsAre(5, 0));
}

}  // namespace
}  // namespace pj::testing
