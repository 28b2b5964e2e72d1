#include "tests/base/machine.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>

namespace pj::testing {

namespace fs = std::filesystem;

Machine::Machine(const std::map<std::string, std::string>& files) {
  static std::atomic<int> count{0};
  root_ = (fs::temp_directory_path() /
           ("pj_machine_" + std::to_string(getpid()) + "_" + std::to_string(count++)))
              .string();
  fs::create_directories(root_);
  for (const auto& [path, content] : files) {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path, std::ios::binary) << content;
  }
}

Machine::~Machine() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

}  // namespace pj::testing
