#include "bindings/c/status.h"

#include "runtime/base/dtype.h"

namespace pj {
namespace {

thread_local std::string last_error;

// The border passes numbers through: each must mean the same on both sides.
constexpr struct {
  pj_status status;
  ErrorCode code;
  const char* name;
} kStatuses[] = {
    {pj_file_not_found, ErrorCode::kFileNotFound, "file_not_found"},
    {pj_file_unreadable, ErrorCode::kFileUnreadable, "file_unreadable"},
    {pj_file_unwritable, ErrorCode::kFileUnwritable, "file_unwritable"},
    {pj_model_format, ErrorCode::kModelFormat, "model_format"},
    {pj_model_version, ErrorCode::kModelVersion, "model_version"},
    {pj_model_invalid, ErrorCode::kModelInvalid, "model_invalid"},
    {pj_model_unsupported, ErrorCode::kModelUnsupported, "model_unsupported"},
    {pj_out_of_memory, ErrorCode::kOutOfMemory, "out_of_memory"},
    {pj_limit_exceeded, ErrorCode::kLimitExceeded, "limit_exceeded"},
    {pj_platform_unsupported, ErrorCode::kPlatformUnsupported, "platform_unsupported"},
    {pj_invalid_argument, ErrorCode::kInvalidArgument, "invalid_argument"},
    {pj_wrong_state, ErrorCode::kWrongState, "wrong_state"},
};
constexpr bool same_numbers() {
  for (const auto& s : kStatuses)
    if (static_cast<int>(s.status) != static_cast<int>(s.code)) return false;
  return true;
}
static_assert(same_numbers());

constexpr bool same(pj_dtype a, DType b) { return static_cast<int>(a) == static_cast<int>(b); }
static_assert(same(pj_f32, DType::kF32) && same(pj_f16, DType::kF16) && same(pj_i8, DType::kI8) &&
              same(pj_u8, DType::kU8) && same(pj_i16, DType::kI16) && same(pj_i32, DType::kI32) &&
              same(pj_i64, DType::kI64) && same(pj_bool, DType::kBool) && kDTypeCount == 8);

}  // namespace

pj_status report(const Error& e) {
  last_error = e.message;
  return static_cast<pj_status>(e.code);
}

}  // namespace pj

extern "C" {

const char* pj_version(void) noexcept { return PJ_VERSION; }

const char* pj_last_error(void) noexcept { return pj::last_error.c_str(); }

const char* pj_status_name(pj_status status) noexcept {
  if (status == pj_ok) return "ok";
  for (const auto& s : pj::kStatuses)
    if (s.status == status) return s.name;
  return "unknown";
}

const char* pj_dtype_name(pj_dtype dtype) noexcept {
  const auto i = static_cast<unsigned>(dtype);
  return i < pj::kDTypeCount ? pj::name_of(static_cast<pj::DType>(i)) : "unknown";
}

}  // extern "C"
