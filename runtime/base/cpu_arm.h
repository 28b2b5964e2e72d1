// ARM CPUs, from what the kernel says of them. Compiled on every host, so that recorded files of
// boards can be tested anywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/cpu.h"

namespace pj {

// What the kernel tells every program in its auxiliary vector.
struct ArmHwcap {
  bool aarch64 = true;  // the bits mean other things to 32-bit programs
  uint64_t hwcap = 0, hwcap2 = 0;
};

// Features that all cores have and whose registers the kernel saves. Source: Linux,
// arch/arm64/include/uapi/asm/hwcap.h, arch/arm/include/uapi/asm/hwcap.h.
IsaSet arm_features(const ArmHwcap& caps);

// Fills in name, features, kinds of cores, caches and notes of the CPUs in `cpus`, the numbers of
// those that the process may use. `root` stands before every path.
void detect_arm(const std::string& root, const ArmHwcap& caps, const std::vector<int>& cpus,
                CpuInfo& cpu);

}  // namespace pj
