// Errors as values. No function of `runtime`, `kernels` or `converters` throws.
//
//   Result<Graph> import(std::span<const std::byte> file);
//   PJ_ASSIGN(Graph graph, import(file));          // returns the error to our own caller
//   PJ_TRY(verify(graph));                         // the same, for a Status
//   if (!r) return error(ErrorCode::kModelInvalid, "tensor {}: ...", i);
//
// Never call Result::value(): without exceptions it is undefined on an error. Test, then use `*r`.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pj {

// Grouped by who can act on the error.
enum class ErrorCode : uint8_t {
  // The file system: a path is wrong, unreadable, or the disk is full.
  kFileNotFound = 10,
  kFileUnreadable = 11,
  kFileUnwritable = 12,
  // The model: its author or converter has to act.
  kModelFormat = 20,       // not a file of this format, truncated, or corrupted
  kModelVersion = 21,      // a newer major version than this build reads
  kModelInvalid = 22,      // well-formed, but its content contradicts itself
  kModelUnsupported = 23,  // valid, but uses something this build does not implement
  // Resources: a limit was reached.
  kOutOfMemory = 30,
  kLimitExceeded = 31,
  // The platform: this CPU or this build lacks something.
  kPlatformUnsupported = 40,
  // Usage: the calling program or the command line is wrong.
  kInvalidArgument = 50,
  kWrongState = 51,
};

// "file", "model", "resource", "platform" or "usage".
constexpr const char* error_group(ErrorCode code) {
  switch (static_cast<int>(code) / 10) {
    case 1:
      return "file";
    case 2:
      return "model";
    case 3:
      return "resource";
    case 4:
      return "platform";
    default:
      return "usage";
  }
}

struct Error {
  ErrorCode code;
  std::string message;  // names the thing and the fix; one line, no full stop
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> error(ErrorCode code, fmt::format_string<Args...> format,
                                          Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// Puts `context` before the message: "model.tflite: tensor 3 ...".
[[nodiscard]] inline tl::unexpected<Error> in_context(std::string_view context, Error e) {
  e.message = fmt::format("{}: {}", context, e.message);
  return tl::unexpected<Error>(std::move(e));
}

}  // namespace pj

#define PJ_CONCAT_(a, b) a##b
#define PJ_CONCAT(a, b) PJ_CONCAT_(a, b)

// Returns the error of a Status or Result expression to the caller.
#define PJ_TRY(expression)                                              \
  do {                                                                  \
    if (auto pj_try_ = (expression); !pj_try_)                          \
      return ::tl::unexpected<::pj::Error>(std::move(pj_try_).error()); \
  } while (false)

// PJ_ASSIGN(auto x, expression): binds the value, or returns the error to the caller.
#define PJ_ASSIGN(declaration, expression) \
  PJ_ASSIGN_(PJ_CONCAT(pj_result_, __LINE__), declaration, expression)
#define PJ_ASSIGN_(result, declaration, expression)                             \
  auto result = (expression);                                                   \
  if (!result) return ::tl::unexpected<::pj::Error>(std::move(result).error()); \
  declaration = std::move(*result)
