// Wrong use is an error with a message, never a crash.
#include <gmock/gmock.h>

#include <string>
#include <thread>

#include "tests/api/models.h"

namespace pj::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Usage, NullSessions) {
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  size_t index = 0;
  const int32_t dims[] = {1};
  char byte = 0;
  EXPECT_EQ(pj_run(nullptr), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'session'"));
  EXPECT_EQ(pj_session_input_count(nullptr), 0u);
  EXPECT_EQ(pj_session_output_count(nullptr), 0u);
  EXPECT_EQ(pj_session_input_info(nullptr, 0, &info), pj_invalid_argument);
  EXPECT_EQ(pj_session_output_info(nullptr, 0, &info), pj_invalid_argument);
  EXPECT_EQ(pj_session_find_input(nullptr, "x", &index), pj_invalid_argument);
  EXPECT_EQ(pj_session_find_output(nullptr, "x", &index), pj_invalid_argument);
  EXPECT_EQ(pj_session_input_data(nullptr, 0), nullptr);
  EXPECT_EQ(pj_session_output_data(nullptr, 0), nullptr);
  EXPECT_EQ(pj_session_bind_input(nullptr, 0, &byte, 1), pj_invalid_argument);
  EXPECT_EQ(pj_session_bind_output(nullptr, 0, &byte, 1), pj_invalid_argument);
  EXPECT_EQ(pj_session_resize_input(nullptr, 0, dims, 1), pj_invalid_argument);
  pj_session_free(nullptr);
}

TEST(Usage, OtherNullPointers) {
  const ModelHandle model = load(dense_model());
  const SessionHandle s = open(model);
  pj_session* made = s.get();
  size_t index = 0;
  EXPECT_EQ(pj_session_create(nullptr, nullptr, &made), pj_invalid_argument);
  EXPECT_EQ(made, nullptr);
  EXPECT_THAT(pj_last_error(), HasSubstr("'model'"));
  EXPECT_EQ(pj_session_create(model.get(), nullptr, nullptr), pj_invalid_argument);
  EXPECT_EQ(pj_session_input_info(s.get(), 0, nullptr), pj_invalid_argument);
  EXPECT_EQ(pj_session_find_input(s.get(), nullptr, &index), pj_invalid_argument);
  EXPECT_EQ(pj_session_find_input(s.get(), "x", nullptr), pj_invalid_argument);
}

TEST(Usage, IndicesOutOfRange) {
  const SessionHandle s = open(dense_model());
  pj_tensor_info info = PJ_TENSOR_INFO_INIT;
  const int32_t dims[] = {1, 2};
  float values[3] = {};
  for (const size_t i : {size_t{1}, size_t{2}, SIZE_MAX}) {
    EXPECT_EQ(pj_session_input_info(s.get(), i, &info), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(),
                AllOf(HasSubstr("no input " + std::to_string(i)), HasSubstr("the model has 1")));
    EXPECT_EQ(pj_session_output_info(s.get(), i, &info), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(), HasSubstr("no output " + std::to_string(i)));
    EXPECT_EQ(pj_session_input_data(s.get(), i), nullptr);
    EXPECT_EQ(pj_session_output_data(s.get(), i), nullptr);
    EXPECT_EQ(pj_session_bind_input(s.get(), i, values, 8), pj_invalid_argument);
    EXPECT_EQ(pj_session_bind_output(s.get(), i, values, 12), pj_invalid_argument);
    EXPECT_EQ(pj_session_resize_input(s.get(), i, dims, 2), pj_invalid_argument);
  }
}

TEST(Usage, StructuresOfAnotherSize) {
  const ModelHandle model = load(dense_model());
  const SessionHandle s = open(model);
  for (const size_t size : {size_t{0}, size_t{8}, size_t{4096}}) {
    pj_tensor_info info = PJ_TENSOR_INFO_INIT;
    info.struct_size = size;
    EXPECT_EQ(pj_session_input_info(s.get(), 0, &info), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("pj_tensor_info.struct_size"),
                                       HasSubstr("PJ_..._INIT"), HasSubstr(pj_version())));
    EXPECT_EQ(info.name, nullptr);
    pj_session_options options = PJ_SESSION_OPTIONS_INIT;
    options.struct_size = size;
    pj_session* made = nullptr;
    EXPECT_EQ(pj_session_create(model.get(), &options, &made), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(), HasSubstr("pj_session_options.struct_size"));
  }
}

TEST(Usage, ThreadsAndPools) {
  const ModelHandle model = load(dense_model());
  pj_session* made = nullptr;
  for (const int32_t threads : {-1, 257, INT32_MIN, INT32_MAX}) {
    pj_session_options options = PJ_SESSION_OPTIONS_INIT;
    options.threads = threads;
    EXPECT_EQ(pj_session_create(model.get(), &options, &made), pj_invalid_argument);
    EXPECT_THAT(pj_last_error(), HasSubstr(std::to_string(threads) + " threads"));
  }
  pj_session_options options = PJ_SESSION_OPTIONS_INIT;
  options.pool_kind = static_cast<pj_pool_kind>(77);
  EXPECT_EQ(pj_session_create(model.get(), &options, &made), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("pool_kind is 77"));
}

TEST(LastError, IsThatOfTheThread) {
  ASSERT_EQ(pj_run(nullptr), pj_invalid_argument);
  const std::string here = pj_last_error();
  std::string before, after;
  std::thread([&] {
    before = pj_last_error();
    pj_model* model = nullptr;
    EXPECT_EQ(pj_model_load("/elsewhere", nullptr, &model), pj_file_not_found);
    after = pj_last_error();
  }).join();
  EXPECT_EQ(before, "");
  EXPECT_THAT(after, HasSubstr("/elsewhere"));
  EXPECT_EQ(pj_last_error(), here);
}

TEST(LastError, StaysWhenACallSucceeds) {
  ASSERT_EQ(pj_run(nullptr), pj_invalid_argument);
  const std::string message = pj_last_error();
  const SessionHandle s = open(dense_model());
  EXPECT_EQ(pj_run(s.get()), pj_ok);
  EXPECT_EQ(pj_last_error(), message);
}

}  // namespace
}  // namespace pj::testing
