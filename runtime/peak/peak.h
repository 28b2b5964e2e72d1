// What this CPU can do at most, measured: the yardstick of kernels, in the process that uses it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/cpu.h"
#include "runtime/base/dtype.h"

namespace pj {

// Multiply-accumulates of one core, operands in registers.
struct ArithmeticPeak {
  const char* level;  // a name of isa_levels()
  IsaSet isa;         // its features
  DType type;         // kI8: products of bytes summed as int32; kF32
  const char* instructions;
  double macs_per_cycle;
  double gmacs;  // 10^9 MACs a second
};

// Every way that this build and `isa`, a subset of the CPU's features, have. Ways whose samples the
// machine disturbed without end (runtime/peak/sample.h) are left out. Takes about 5 ms a way.
std::vector<ArithmeticPeak> measure_arithmetic(IsaSet isa);

// The most that a kernel compiled for `isa` can reach: 0 if nothing was measured for it.
double peak_macs_per_cycle(std::span<const ArithmeticPeak> peaks, IsaSet isa, DType type);

struct Bandwidth {
  double bytes_per_cycle = 0, gb_per_second = 0;  // GB: 10^9 bytes
};

// One core streaming through a buffer that is in that memory and in no nearer one. Stores are
// ordinary ones: what they make the caches read is not counted.
struct MemoryPeak {
  std::string level;  // "L1", "L2", "L3", "DRAM"
  int64_t buffer_bytes;
  Bandwidth load, store;
};

// A buffer that a stream goes through again and again finds in this memory and in no nearer one.
struct MemoryBuffer {
  const char* level;  // "L1", "L2", "L3", "DRAM"
  int64_t bytes;      // a multiple of peak::kMoveBlock
};
// Sizes follow from the caches in `cpu`; unknown ones are taken as 32 KiB and 512 KiB. Levels that
// do not exist are left out.
std::vector<MemoryBuffer> memory_buffers(const CpuInfo& cpu);

// Levels whose buffer cannot be allocated, or that the machine disturbed, are left out. Takes some
// 0.2 s, most of it for DRAM.
std::vector<MemoryPeak> measure_memory(const CpuInfo& cpu, IsaSet isa);

}  // namespace pj
