// Target: the machine to plan for, which need not be the one that plans.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/cpu.h"
#include "runtime/base/isa.h"
#include "runtime/base/result.h"

namespace pj {

// A data cache; `bytes` is 0 where there is none.
struct CacheSize {
  int64_t bytes = 0;
  int32_t ways = 1;
};

struct Target {
  std::string name = "scalar";
  IsaSet isa;
  int cores = 1;
  bool in_order = false;  // its cores do not reorder instructions
  // Data caches of one core, in bytes; l3 is 0 where there is none.
  int64_t l1_bytes = 32 << 10;
  int64_t l2_bytes = 512 << 10;
  int64_t l3_bytes = 0;
  // Lines of a set, at least 1; only the traffic model asks.
  int32_t l1_ways = 8, l2_ways = 16, l3_ways = 16;

  CacheSize l1() const { return {l1_bytes, l1_ways}; }
  CacheSize l2() const { return {l2_bytes, l2_ways}; }
  CacheSize l3() const { return {l3_bytes, l3_ways}; }
  bool operator==(const Target&) const = default;
};

// A target for each ISA level ("avx2", "neondot", ...), with the caches of a typical small CPU of
// that kind. Errors: kInvalidArgument naming the levels that exist.
Result<Target> target_by_name(std::string_view name);

// The machine described by `cpu`, with the features in `isa` only. Unknown caches keep defaults.
Target target_of(const CpuInfo& cpu, IsaSet isa);

}  // namespace pj
