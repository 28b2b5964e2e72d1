// Loading: from files, memory and the library itself.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "runtime/base/aligned.h"
#include "tests/api/allocations.h"
#include "tests/api/models.h"
#include "tests/support/temporary.h"

namespace pj::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

pj_model* const kGarbage = reinterpret_cast<pj_model*>(uintptr_t{64});

// A copy of bytes that begins at a multiple of 64, plus `shift`.
struct Placed {
  Placed(const Bytes& bytes, size_t shift) : memory(bytes.size() + shift) {
    data = memory.data() + shift;
    std::memcpy(data, bytes.data(), bytes.size());
  }
  AlignedBuffer memory;
  std::byte* data;
};

std::vector<float> run_dense(const ModelHandle& model, float x0, float x1) {
  const SessionHandle session = open(model);
  if (!session) return {};
  auto* x = static_cast<float*>(pj_session_input_data(session.get(), 0));
  x[0] = x0;
  x[1] = x1;
  EXPECT_EQ(pj_run(session.get()), pj_ok);
  return floats_of(pj_session_output_data(session.get(), 0), 3);
}

std::string write_file(const char* name, const Bytes& bytes) {
  const std::string path = testing::temporary_path(name);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  EXPECT_NE(file, nullptr);
  EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), file), bytes.size());
  std::fclose(file);
  return path;
}

TEST(Model, LoadsAFile) {
  const std::string path = write_file("api_model_test.pj", dense_model());
  pj_model* raw = nullptr;
  ASSERT_EQ(pj_model_load(path.c_str(), nullptr, &raw), pj_ok) << pj_last_error();
  const ModelHandle model(raw);
  std::remove(path.c_str());  // the map outlives the name
  EXPECT_EQ(run_dense(model, 1, 1), (std::vector<float>{3.5f, 0, 0}));
}

TEST(Model, WhoseFileIsTruncatedWhileItRunsIsAnError) {
  const std::string path = write_file("api_truncated_test.pj", heavy_model());
  pj_model* raw = nullptr;
  ASSERT_EQ(pj_model_load(path.c_str(), nullptr, &raw), pj_ok) << pj_last_error();
  const SessionHandle session = open(ModelHandle(raw));
  ASSERT_EQ(pj_run(session.get()), pj_ok);
  std::filesystem::resize_file(path, 1 << 20);
  EXPECT_EQ(pj_run(session.get()), pj_file_unreadable);
  EXPECT_THAT(pj_last_error(), AllOf(HasSubstr("truncated"), HasSubstr(path)));
  std::remove(path.c_str());
}

TEST(Model, LoadsATflite) {
  pj_model* raw = nullptr;
  ASSERT_EQ(pj_model_load(PJ_SOURCE_DIR "/models/fashion/fashion.tflite", nullptr, &raw), pj_ok)
      << pj_last_error();
  const SessionHandle session = open(ModelHandle(raw));
  const pj_tensor_info in = input_info(session.get(), 0), out = output_info(session.get(), 0);
  EXPECT_EQ(in.dtype, pj_i8);
  EXPECT_EQ(in.byte_size, 28u * 28);
  EXPECT_EQ(out.rank, 2);
  EXPECT_EQ(out.dims[1], 10);
}

TEST(Model, CopiesWhatIsInMemory) {
  Bytes bytes = dense_model();
  const ModelHandle model = load(bytes);
  std::fill(bytes.begin(), bytes.end(), std::byte{0xff});
  EXPECT_EQ(run_dense(model, 2, -1), (std::vector<float>{0.5f, 11, 0}));
}

TEST(Model, BorrowsAlignedMemoryAndCopiesOther) {
  const Bytes bytes = heavy_model();
  pj_model_options options = PJ_MODEL_OPTIONS_INIT;
  auto allocated = [&](const std::byte* data) {
    pj_model* model = nullptr;
    const Allocations a = allocations_of([&] {
      EXPECT_EQ(pj_model_load_memory(data, bytes.size(), &options, &model), pj_ok)
          << pj_last_error();
    });
    pj_model_free(model);
    return static_cast<size_t>(a.bytes);
  };
  const Placed aligned(bytes, 0), shifted(bytes, 8);
  EXPECT_GE(allocated(aligned.data), bytes.size());
  options.borrow = 1;
  EXPECT_LT(allocated(aligned.data), bytes.size() / 4);
  EXPECT_GE(allocated(shifted.data), bytes.size());
}

TEST(Model, NamesTheFileThatIsMissing) {
  pj_model* model = kGarbage;
  EXPECT_EQ(pj_model_load("/nowhere/model.tflite", nullptr, &model), pj_file_not_found);
  EXPECT_EQ(model, nullptr);
  EXPECT_THAT(pj_last_error(), HasSubstr("/nowhere/model.tflite"));
}

TEST(Model, RefusesWhatIsNoModel) {
  pj_model* model = kGarbage;
  const Bytes zeros(1000);
  EXPECT_EQ(pj_model_load_memory(zeros.data(), zeros.size(), nullptr, &model), pj_model_format);
  EXPECT_EQ(model, nullptr);
  EXPECT_THAT(pj_last_error(), HasSubstr("1000 bytes"));
  EXPECT_EQ(pj_model_load_memory(zeros.data(), 0, nullptr, &model), pj_model_format);
}

TEST(Model, RefusesADamagedFile) {
  Bytes bytes = dense_model();
  bytes.resize(bytes.size() / 2);
  pj_model* model = kGarbage;
  EXPECT_EQ(pj_model_load_memory(bytes.data(), bytes.size(), nullptr, &model), pj_model_format);
  EXPECT_EQ(model, nullptr);
}

TEST(Model, RefusesNullPointers) {
  pj_model* model = kGarbage;
  EXPECT_EQ(pj_model_load(nullptr, nullptr, &model), pj_invalid_argument);
  EXPECT_EQ(model, nullptr);
  EXPECT_THAT(pj_last_error(), HasSubstr("'path'"));
  EXPECT_EQ(pj_model_load("model", nullptr, nullptr), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'model'"));
  EXPECT_EQ(pj_model_load_memory(nullptr, 5, nullptr, &model), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'data'"));
  EXPECT_EQ(pj_model_load_memory("data", 5, nullptr, nullptr), pj_invalid_argument);
  pj_model_free(nullptr);
}

TEST(Model, ChecksItsOptions) {
  const Bytes bytes = dense_model();
  pj_model* model = kGarbage;
  auto load_with = [&](const pj_model_options& o) {
    return pj_model_load_memory(bytes.data(), bytes.size(), &o, &model);
  };
  for (const size_t size :
       {size_t{0}, sizeof(pj_model_options) - 1, sizeof(pj_model_options) + 8, SIZE_MAX}) {
    pj_model_options options = PJ_MODEL_OPTIONS_INIT;
    options.struct_size = size;
    EXPECT_EQ(load_with(options), pj_invalid_argument) << size;
    EXPECT_EQ(model, nullptr);
    EXPECT_THAT(pj_last_error(),
                AllOf(HasSubstr("pj_model_options.struct_size"), HasSubstr(std::to_string(size))));
  }
  pj_model_options options = PJ_MODEL_OPTIONS_INIT;
  options.isa = "abacus";
  EXPECT_EQ(load_with(options), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("abacus"));

  options = PJ_MODEL_OPTIONS_INIT;
  options.xnnpack = "sometimes";
  EXPECT_EQ(load_with(options), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'sometimes'"));

  options = PJ_MODEL_OPTIONS_INIT;
  options.precision = "f17";
  EXPECT_EQ(load_with(options), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("'f17'"));

  options = PJ_MODEL_OPTIONS_INIT;
  options.max_arena_bytes = UINT64_MAX;
  EXPECT_EQ(load_with(options), pj_invalid_argument);
  EXPECT_THAT(pj_last_error(), HasSubstr("max_arena_bytes"));
}

TEST(Model, LimitsTheMemoryOfASession) {
  const Bytes bytes = block_model();
  pj_model_options options = PJ_MODEL_OPTIONS_INIT;
  options.max_arena_bytes = 64;
  pj_model* raw = nullptr;
  ASSERT_EQ(pj_model_load_memory(bytes.data(), bytes.size(), &options, &raw), pj_ok);
  const ModelHandle model(raw);
  pj_session* session = reinterpret_cast<pj_session*>(kGarbage);
  EXPECT_EQ(pj_session_create(model.get(), nullptr, &session), pj_limit_exceeded);
  EXPECT_EQ(session, nullptr);
}

TEST(Status, HasANameForEachCode) {
  EXPECT_STREQ(pj_status_name(pj_ok), "ok");
  EXPECT_STREQ(pj_status_name(pj_model_unsupported), "model_unsupported");
  EXPECT_STREQ(pj_status_name(pj_wrong_state), "wrong_state");
  EXPECT_STREQ(pj_status_name(static_cast<pj_status>(1)), "unknown");
  EXPECT_STREQ(pj_status_name(static_cast<pj_status>(-1)), "unknown");
}

TEST(DType, HasAName) {
  EXPECT_STREQ(pj_dtype_name(pj_f32), "f32");
  EXPECT_STREQ(pj_dtype_name(pj_i8), "int8");
  EXPECT_STREQ(pj_dtype_name(pj_bool), "bool");
  EXPECT_STREQ(pj_dtype_name(static_cast<pj_dtype>(8)), "unknown");
  EXPECT_STREQ(pj_dtype_name(static_cast<pj_dtype>(-1)), "unknown");
}

}  // namespace
}  // namespace pj::testing
