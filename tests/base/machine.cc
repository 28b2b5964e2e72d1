#include "tests/base/machine.h"

#include <filesystem>
#include <fstream>

#include "tests/support/temporary.h"

namespace pj::testing {

namespace fs = std::filesystem;

Machine::Machine(const std::map<std::string, std::string>& files) {
  root_ = temporary_path("machine");
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
