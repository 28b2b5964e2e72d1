#include "runtime/base/arm_cores.h"

#include <fmt/format.h>

namespace pj {
namespace {

// Numbers: Linux, arch/arm64/include/asm/cputype.h; Arm's technical reference manuals. Caches: what
// the named boards have; where none is named, the common choice among those that the core allows.
constexpr uint32_t kArm = 0x41, kQualcomm = 0x51, kNvidia = 0x4e;
constexpr ArmCore kCores[] = {
    {kArm, 0xc07, "Cortex-A7", true, 32, 512, 0},  // Raspberry Pi 2
    {kArm, 0xc08, "Cortex-A8", true, 32, 256, 0},  // BeagleBone
    {kArm, 0xc09, "Cortex-A9", false, 32, 512, 0},
    {kArm, 0xc0e, "Cortex-A17", false, 32, 1024, 0},
    {kArm, 0xc0f, "Cortex-A15", false, 32, 1024, 0},
    {kArm, 0xd03, "Cortex-A53", true, 32, 512, 0},  // Raspberry Pi 3, Zero 2 W
    {kArm, 0xd04, "Cortex-A35", true, 32, 512, 0},
    {kArm, 0xd05, "Cortex-A55", true, 32, 128, 1024},
    {kArm, 0xd07, "Cortex-A57", false, 32, 2048, 0},  // Jetson Nano, TX1
    {kArm, 0xd08, "Cortex-A72", false, 32, 1024, 0},  // Raspberry Pi 4
    {kArm, 0xd09, "Cortex-A73", false, 32, 1024, 0},  // Odroid N2
    {kArm, 0xd0a, "Cortex-A75", false, 64, 256, 1024},
    {kArm, 0xd0b, "Cortex-A76", false, 64, 512, 2048},  // Raspberry Pi 5
    {kArm, 0xd0c, "Neoverse-N1", false, 64, 1024, 0},
    {kArm, 0xd0d, "Cortex-A77", false, 64, 256, 2048},
    {kArm, 0xd40, "Neoverse-V1", false, 64, 1024, 0},
    {kArm, 0xd41, "Cortex-A78", false, 64, 512, 2048},
    {kArm, 0xd42, "Cortex-A78AE", false, 64, 256, 2048},  // Jetson Orin
    {kArm, 0xd44, "Cortex-X1", false, 64, 1024, 4096},
    {kArm, 0xd46, "Cortex-A510", true, 32, 256, 2048},
    {kArm, 0xd47, "Cortex-A710", false, 64, 512, 4096},
    {kArm, 0xd48, "Cortex-X2", false, 64, 1024, 4096},
    {kArm, 0xd49, "Neoverse-N2", false, 64, 1024, 0},
    {kArm, 0xd4d, "Cortex-A715", false, 64, 512, 4096},
    {kArm, 0xd4f, "Neoverse-V2", false, 64, 2048, 0},
    {kArm, 0xd80, "Cortex-A520", true, 32, 256, 4096},
    {kArm, 0xd81, "Cortex-A720", false, 64, 512, 4096},
    {kNvidia, 0x003, "Denver 2", true, 64, 2048, 0},    // Jetson TX2
    {kNvidia, 0x004, "Carmel", false, 64, 2048, 4096},  // Jetson Xavier
    {kQualcomm, 0x802, "Kryo 3xx Gold (Cortex-A75)", false, 64, 256, 2048},
    {kQualcomm, 0x803, "Kryo 3xx Silver (Cortex-A55)", true, 32, 128, 2048},
    {kQualcomm, 0x804, "Kryo 4xx Gold (Cortex-A76)", false, 64, 256, 2048},
    {kQualcomm, 0x805, "Kryo 4xx Silver (Cortex-A55)", true, 32, 128, 2048},
};

}  // namespace

const ArmCore* find_arm_core(uint32_t implementer, uint32_t part) {
  for (const ArmCore& core : kCores)
    if (core.implementer == implementer && core.part == part) return &core;
  return nullptr;
}

std::string arm_core_name(uint32_t implementer, uint32_t part) {
  const ArmCore* core = find_arm_core(implementer, part);
  if (core != nullptr) return core->name;
  return fmt::format("ARM core {:#x}/{:#x}", implementer, part);
}

}  // namespace pj
