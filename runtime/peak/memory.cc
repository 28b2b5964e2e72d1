#include <algorithm>

#include "runtime/base/aligned.h"
#include "runtime/peak/available.h"
#include "runtime/peak/peak.h"
#include "runtime/peak/sample.h"

namespace pj {
namespace {

constexpr double kSampleSeconds = 200e-6;
constexpr int kCacheSamples = 10, kDramSamples = 4;
constexpr int64_t kMinDramBytes = int64_t{32} << 20, kMaxDramBytes = int64_t{512} << 20;

Bandwidth to_bandwidth(const Sample& sample, size_t bytes) {
  const auto count = static_cast<double>(bytes);
  return {count / sample.cycles, count / sample.seconds * 1e-9};
}

}  // namespace

// A pass over four times what a cache holds leaves hardly anything there that the next pass wants
// first, whatever the cache's replacement policy.
std::vector<MemoryBuffer> memory_buffers(const CpuInfo& cpu) {
  const int64_t l1 = cpu.l1_bytes > 0 ? cpu.l1_bytes : 32 << 10;
  const int64_t l2 = cpu.l2_bytes > 0 ? cpu.l2_bytes : 512 << 10;
  const int64_t last = std::max(l2, cpu.l3_bytes);
  // Servers' L3 is shared and large: no need to touch all of it.
  const int64_t l3 = cpu.l3_bytes > l2 ? std::min(cpu.l3_bytes / 2, 4 * l2) : 0;
  const int64_t dram = std::clamp(4 * last, kMinDramBytes, kMaxDramBytes);
  std::vector<MemoryBuffer> buffers;
  const auto add = [&](const char* level, int64_t bytes) {
    bytes = bytes / static_cast<int64_t>(peak::kMoveBlock) * static_cast<int64_t>(peak::kMoveBlock);
    if (bytes > 0) buffers.push_back({level, bytes});
  };
  add("L1", l1 / 2);
  add("L2", l2 > l1 ? std::max(l2 / 2, l1 + (l2 - l1) / 2) : 0);
  add("L3", l3);
  add("DRAM", dram >= 2 * last ? dram : 0);
  return buffers;
}

std::vector<MemoryPeak> measure_memory(const CpuInfo& cpu, IsaSet isa) {
  const peak::MoveLoops moves = peak::widest_moves(isa);
  std::vector<MemoryPeak> peaks;
  for (const MemoryBuffer& b : memory_buffers(cpu)) {
    const auto bytes = static_cast<size_t>(b.bytes);
    AlignedBuffer memory(bytes);
    if (memory.size() == 0) continue;
    const int samples = b.level == std::string("DRAM") ? kDramSamples : kCacheSamples;
    // Stores first: pages that were never written are all one page of zeros.
    const auto store = best_sample(samples, kSampleSeconds, [&](int64_t repeats) {
      for (; repeats > 0; --repeats) moves.store(memory.data(), bytes);
    });
    const auto load = best_sample(samples, kSampleSeconds, [&](int64_t repeats) {
      for (; repeats > 0; --repeats) moves.load(memory.data(), bytes);
    });
    if (!load || !store) continue;
    peaks.push_back({b.level, static_cast<int64_t>(bytes), to_bandwidth(*load, bytes),
                     to_bandwidth(*store, bytes)});
  }
  return peaks;
}

}  // namespace pj
