// Boards as their kernels show them: the files that the counters read, written down from the
// documented layouts, and a system that is made of them.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/energy/counters/counter.h"

namespace pj::energy {

struct BoardFile {
  const char* path;
  const char* content;
};
struct Board {
  const char* name;
  std::vector<BoardFile> files;
};

const std::vector<Board>& boards();
const Board& board(const std::string& name);

// Files, commands, perf events and time, all in memory and all changeable.
class FakeSystem : public System {
 public:
  FakeSystem() = default;
  explicit FakeSystem(const std::string& board_name);

  Text read(const std::string& path) const override;
  std::vector<std::string> list(const std::string& path) const override;
  Text run(const std::string& program, const std::string& argument) const override;
  int perf_open(uint32_t type, uint64_t config, int cpu) const override;
  std::optional<uint64_t> perf_read(int descriptor) const override;
  void perf_close(int descriptor) const override;
  int64_t now_ns() const override { return time_ns; }

  std::map<std::string, std::string> files;
  std::map<std::string, int> failures;  // errno instead of content
  int perf_failure = 0;                 // errno of perf_open
  // Value of each perf event, by the config and CPU that opened it.
  mutable std::map<std::pair<uint64_t, int>, uint64_t> perf_values;
  mutable int perf_opened = 0, perf_closed = 0;
  int64_t time_ns = 1'000'000'000;

  void advance_ms(double ms) { time_ns += static_cast<int64_t>(ms * 1e6); }

 private:
  mutable std::vector<std::pair<uint64_t, int>> descriptors_;
};

// The counter of a domain; a failure of the test if there is none.
Counter& find(const Counters& counters, const std::string& source, const std::string& domain);

}  // namespace pj::energy
