// How commands fail: an exception that main() turns into "pj: <message>" and an exit status.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/result.h"

namespace pj::cli {

inline constexpr int kOk = 0, kFailed = 1, kUsage = 2;

class Failure : public std::runtime_error {
 public:
  Failure(int exit_code, const std::string& message)
      : std::runtime_error(message), exit_code_(exit_code) {}
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure(kFailed, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
[[noreturn]] void usage_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Failure(kUsage, fmt::format(format, std::forward<Args>(args)...));
}

// The value of a result; its error becomes a Failure with `exit_code`.
template <typename T>
T unwrap(Result<T> result, int exit_code = kFailed) {
  if (!result) throw Failure(exit_code, result.error().message);
  return std::move(*result);
}
inline void unwrap(const Status& status, int exit_code = kFailed) {
  if (!status) throw Failure(exit_code, status.error().message);
}

// Text from files, fit for a terminal: control characters become '?'.
std::string printable(std::string_view text);

// "; did you mean 'x'?" for the candidate most like `word`, or nothing if none is like it.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace pj::cli
