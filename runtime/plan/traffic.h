// Traffic: the bytes that each step of a program moves between registers, caches and memory.
//
// One inference on one thread, after others of its kind, is replayed from the loop nests, the
// arena's offsets and what kernels read and write, in simulated caches. It takes well under a
// second, and needs neither the machine nor its kernels: a PC counts for a board that it is not.
#pragma once

#include <span>
#include <vector>

#include "runtime/plan/cache_model.h"
#include "runtime/plan/program.h"
#include "runtime/plan/target.h"

namespace pj {

// Bytes of one step, or of all. Between memories both ways count: lines that are fetched, and
// changed ones that are written back.
struct Traffic {
  int64_t l1_bytes = 0;                    // read and written by kernels, in the first cache
  int64_t l2_bytes = 0;                    // between the first cache and what is behind it
  int64_t l3_bytes = 0;                    // between L2 and L3; 0 without an L3
  int64_t dram_bytes = 0;                  // between the last cache and memory
  int64_t l1_misses = 0, last_misses = 0;  // lines fetched into the first and the last cache

  Traffic& operator+=(const Traffic& other);
};

// One for each step of `program`, with the caches of `target`. Steps that another library runs
// count their operands once.
std::vector<Traffic> traffic_of(const Program& program, std::span<const KernelDesc> catalog,
                                const Target& target);

}  // namespace pj
