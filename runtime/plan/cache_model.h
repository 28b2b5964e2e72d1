// Data caches in a simulator: which lines a sequence of reads and writes moves between them.
//
// Set-associative, least recently used, allocating on writes and writing back, as the simulators
// that the figures are checked against. Real ones also prefetch and replace in other orders.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "runtime/plan/target.h"

namespace pj {

inline constexpr int64_t kLineBytes = 64;

// One cache.
class CacheLevel {
 public:
  explicit CacheLevel(const CacheSize& size);

  struct Outcome {
    bool hit = false;
    uint64_t written_back = 0;  // a changed line that had to leave for this one; 0 if none
  };
  // Makes `line` (not 0) the most recent of its set.
  Outcome touch(uint64_t line, bool write);
  // Notes that a line changed, without making it recent; false if it is not here.
  bool change(uint64_t line);

 private:
  uint64_t* set_of(uint64_t line) {
    return entries_.data() + (mask_ != 0 ? line & mask_ : line % sets_) * ways_;
  }
  uint64_t sets_, ways_, mask_;
  std::vector<uint64_t> entries_;  // of each set, most recent first: line * 2 + changed; 0: empty
};

// What passed since the beginning.
struct CacheCounts {
  int64_t accessed_bytes = 0;  // by kernels, in the first cache
  // Of each cache: lines that were not there, and changed lines that left it.
  std::array<int64_t, 3> misses{}, written_back{};

  CacheCounts operator-(const CacheCounts& before) const;
};

// All data caches of a target, as one thread sees them.
class CacheModel {
 public:
  explicit CacheModel(const Target& target);

  void read(uint64_t address, int64_t bytes) { access(address, bytes, false); }
  void write(uint64_t address, int64_t bytes) { access(address, bytes, true); }
  const CacheCounts& counts() const { return counts_; }
  size_t levels() const { return levels_.size(); }

 private:
  void access(uint64_t address, int64_t bytes, bool write);
  void fetch(size_t level, uint64_t line, bool write);
  void write_back(size_t level, uint64_t line);

  std::vector<CacheLevel> levels_;
  CacheCounts counts_;
};

}  // namespace pj
