// What this CPU is. The only place that asks the hardware; everything above works from a value.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/isa.h"
#include "runtime/base/result.h"

namespace pj {

// Sizes in bytes, of the cores this process may use; 0 where unknown or absent.
struct CpuInfo {
  std::string name;  // "AMD EPYC"; "unknown" where the system does not tell
  IsaSet isa;
  int cores = 1;         // logical cores that the process may run on
  int64_t l1_bytes = 0;  // data, of one core
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
  int32_t l1_ways = 0, l2_ways = 0, l3_ways = 0;  // lines of a set
};

// Detected once. Never fails: what cannot be found out has its default.
const CpuInfo& host_cpu();

// The features to use: those of the host, lowered to the level named by `requested` (for example
// "avx2"), or else by the environment variable PJ_ISA. Errors: kInvalidArgument for an unknown
// name, kPlatformUnsupported for a level this CPU does not have.
Result<IsaSet> effective_isa(const std::string& requested = "");

}  // namespace pj
