// The part of `pj doctor` that measures what this CPU can do at most.
#pragma once

#include <string>
#include <vector>

#include "cli/common.h"
#include "runtime/peak/peak.h"

namespace pj::cli {

struct MachinePeak {
  std::vector<ArithmeticPeak> arithmetic;
  std::vector<MemoryPeak> memory;
};

// Takes some 0.2 s.
MachinePeak measure_peak(const CpuInfo& cpu);

Json to_json(const MachinePeak& peak);
// Two tables.
std::string to_text(const MachinePeak& peak);

}  // namespace pj::cli
