// Paths for what a test writes.
#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace pj::testing {

// One that no other call has given, in this process or in others that run the same tests. Nothing
// is there yet, and who makes something there removes it.
inline std::string temporary_path(const std::string& name) {
  static std::atomic<int> counter{0};
  const std::string unique =
      "pj_" + std::to_string(getpid()) + "_" + std::to_string(counter++) + "_" + name;
  return (std::filesystem::temp_directory_path() / unique).string();
}

}  // namespace pj::testing
