// x86 CPUs, asked through CPUID: a few microseconds, and no library.
#pragma once

#if defined(__x86_64__) || defined(__i386__)

#include "runtime/base/cpu.h"

namespace pj {

// Fills in name, features and caches. Features count only where the system saves their registers
// (XCR0). Sources: Intel SDM volume 2A, CPUID, leaves 1, 4, 7 and 0x80000002..4; AMD APM volume 3,
// appendix E, leaf 0x8000001D.
void detect_x86(CpuInfo& cpu);

}  // namespace pj

#endif
