// A machine made of files: what /proc and /sys of a board would say, below a temporary folder.
#pragma once

#include <map>
#include <string>

namespace pj::testing {

class Machine {
 public:
  // Paths from the root ("/proc/cpuinfo") and what is in them.
  explicit Machine(const std::map<std::string, std::string>& files);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace pj::testing
