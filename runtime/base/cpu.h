// What this CPU is. The only place that asks the hardware; everything above works from a value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/isa.h"
#include "runtime/base/result.h"

namespace pj {

// Equal cores of a CPU that has several kinds (big.LITTLE).
struct CoreKind {
  std::string name;  // "Cortex-A76"
  int cores = 0;     // of those that the process may use
  bool in_order = false;
};

// What could not be found out or is unusual, and what one may do about it.
struct CpuNote {
  std::string what, fix;
};

// Of the cores this process may use. Sizes in bytes, 0 where unknown or absent; where there are
// several kinds of cores, those of the fastest one.
struct CpuInfo {
  std::string name;  // "AMD EPYC"; "unknown" where the system does not tell
  IsaSet isa;        // what all cores have
  int cores = 1;     // logical cores that the process may run on
  // The cores worth using at once: the fast ones where there are several kinds, and no more than
  // the control group grants time for.
  int default_threads = 1;
  // x86: multiplies polynomials over bits, for checksums.
  bool carryless = false;
  bool in_order = false;  // kernels should be scheduled for a core that does not reorder
  int64_t l1_bytes = 0;   // data, of one core
  int64_t l2_bytes = 0;   // several cores may share it
  int64_t l3_bytes = 0;
  int32_t l1_ways = 0, l2_ways = 0, l3_ways = 0;  // lines of a set
  std::vector<CoreKind> kinds;  // fastest first; empty where nothing tells kinds apart
  std::vector<CpuNote> notes;
};

// Detected once. Never fails: what cannot be found out has its default.
const CpuInfo& host_cpu();
// The same with what its control group grants: fewer threads by default, and a note. Takes some ten
// files more.
const CpuInfo& granted_cpu();

// The features to use: those of the host, lowered to the level named by `requested` (for example
// "avx2"), or else by the environment variable PJ_ISA. Errors: kInvalidArgument for an unknown
// name, kPlatformUnsupported for a level this CPU does not have.
Result<IsaSet> effective_isa(const std::string& requested = "");

}  // namespace pj
