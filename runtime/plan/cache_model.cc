#include "runtime/plan/cache_model.h"

#include <algorithm>
#include <bit>

namespace pj {

CacheLevel::CacheLevel(const CacheSize& size)
    : sets_(static_cast<uint64_t>(std::max<int64_t>(size.bytes / kLineBytes / size.ways, 1))),
      ways_(static_cast<uint64_t>(size.ways)),
      mask_(std::has_single_bit(sets_) ? sets_ - 1 : 0),
      entries_(sets_ * ways_) {}

CacheLevel::Outcome CacheLevel::touch(uint64_t line, bool write) {
  uint64_t* const set = set_of(line);
  const uint64_t changed = write ? 1 : 0;
  if (set[0] >> 1 == line) {
    set[0] |= changed;
    return {true, 0};
  }
  size_t way = 1;
  while (way < ways_ && set[way] >> 1 != line) ++way;
  Outcome outcome;
  uint64_t entry = line * 2;
  if (way < ways_) {
    entry = set[way];
    outcome.hit = true;
  } else {
    way = ways_ - 1;
    if ((set[way] & 1) != 0) outcome.written_back = set[way] >> 1;
  }
  std::copy_backward(set, set + way, set + way + 1);
  set[0] = entry | changed;
  return outcome;
}

bool CacheLevel::change(uint64_t line) {
  uint64_t* const set = set_of(line);
  for (size_t way = 0; way < ways_; ++way) {
    if (set[way] >> 1 != line) continue;
    set[way] |= 1;
    return true;
  }
  return false;
}

CacheCounts CacheCounts::operator-(const CacheCounts& before) const {
  CacheCounts c = *this;
  c.accessed_bytes -= before.accessed_bytes;
  for (size_t i = 0; i < misses.size(); ++i) {
    c.misses[i] -= before.misses[i];
    c.written_back[i] -= before.written_back[i];
  }
  return c;
}

CacheModel::CacheModel(const Target& target) {
  for (const CacheSize& size : {target.l1(), target.l2(), target.l3()})
    if (size.bytes > 0) levels_.emplace_back(size);
}

void CacheModel::access(uint64_t address, int64_t bytes, bool write) {
  if (bytes <= 0) return;
  counts_.accessed_bytes += bytes;
  const uint64_t last = (address + static_cast<uint64_t>(bytes) - 1) / kLineBytes;
  for (uint64_t line = address / kLineBytes; line <= last; ++line) fetch(0, line, write);
}

void CacheModel::fetch(size_t level, uint64_t line, bool write) {
  const CacheLevel::Outcome outcome = levels_[level].touch(line, write);
  if (outcome.hit) return;
  ++counts_.misses[level];
  if (level + 1 < levels_.size()) fetch(level + 1, line, false);
  if (outcome.written_back != 0) write_back(level, outcome.written_back);
}

void CacheModel::write_back(size_t level, uint64_t line) {
  ++counts_.written_back[level];
  if (level + 1 < levels_.size() && !levels_[level + 1].change(line)) write_back(level + 1, line);
}

}  // namespace pj
