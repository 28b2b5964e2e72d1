// ARM CPUs from files written down after the documented layouts of /proc and /sys.
#include "runtime/base/cpu_arm.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/base/machine.h"

namespace pj {
namespace {

using testing::Machine;
using Files = std::map<std::string, std::string>;

constexpr uint64_t kAsimd = 1 << 1, kFphp = 1 << 9, kAsimdhp = 1 << 10, kAsimddp = 1 << 20;
constexpr uint64_t kI8mm = 1 << 13, kBf16 = 1 << 14, kSve2Bit = 1 << 1;  // in the second word

std::string block(int cpu, const char* implementer, const char* part) {
  return "processor\t: " + std::to_string(cpu) +
         "\nBogoMIPS\t: 108.00\nCPU implementer\t: " + implementer +
         "\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: " + part +
         "\nCPU revision\t: 3\n\n";
}
std::string folder(int cpu) { return "/sys/devices/system/cpu/cpu" + std::to_string(cpu); }

// Raspberry Pi 4: four Cortex-A72, no cache sizes in its device tree.
Files pi4() {
  Files files;
  for (int i = 0; i < 4; ++i) {
    files["/proc/cpuinfo"] += block(i, "0x41", "0xd08");
    files[folder(i) + "/cpufreq/cpuinfo_max_freq"] = "1800000\n";
  }
  files["/proc/cpuinfo"] += "Hardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n";
  files["/proc/device-tree/model"] = std::string("Raspberry Pi 4 Model B Rev 1.4\0", 31);
  return files;
}

// RK3588: four Cortex-A55 and, with higher numbers, four Cortex-A76.
Files rk3588() {
  Files files;
  for (int i = 0; i < 8; ++i) {
    files["/proc/cpuinfo"] += block(i, "0x41", i < 4 ? "0xd05" : "0xd0b");
    files[folder(i) + "/cpu_capacity"] = i < 4 ? "414\n" : "1024\n";
    const std::string caches = folder(i) + "/cache/index";
    const char* sizes[] = {i < 4 ? "32K\n" : "64K\n", i < 4 ? "32K\n" : "64K\n",
                           i < 4 ? "128K\n" : "512K\n", "3072K\n"};
    const char* types[] = {"Data\n", "Instruction\n", "Unified\n", "Unified\n"};
    const char* levels[] = {"1\n", "1\n", "2\n", "3\n"};
    for (int k = 0; k < 4; ++k) {
      files[caches + std::to_string(k) + "/size"] = sizes[k];
      files[caches + std::to_string(k) + "/type"] = types[k];
      files[caches + std::to_string(k) + "/ways_of_associativity"] = k == 2 ? "8\n" : "4\n";
      files[caches + std::to_string(k) + "/level"] = levels[k];
    }
  }
  return files;
}

CpuInfo detect(const Files& files, const std::vector<int>& cpus, ArmHwcap caps = {true, kAsimd}) {
  const Machine machine(files);
  CpuInfo cpu;
  cpu.cores = cpu.default_threads = static_cast<int>(cpus.size());
  detect_arm(machine.root(), caps, cpus, cpu);
  return cpu;
}

TEST(ArmFeatures, AreThoseOfTheKernel) {
  EXPECT_EQ(arm_features({true, 0, 0}), IsaSet{});
  EXPECT_EQ(arm_features({true, kAsimd}), *isa_by_name("neon"));
  EXPECT_EQ(arm_features({true, kAsimd | kAsimddp}), *isa_by_name("neondot"));
  EXPECT_EQ(arm_features({true, kAsimd | kAsimddp, kI8mm}), *isa_by_name("neoni8mm"));
  // f16 in scalar registers alone, or in vectors alone, is not what kernels need.
  EXPECT_FALSE(arm_features({true, kAsimd | kAsimdhp}).has(Feature::kNeonFp16));
  EXPECT_FALSE(arm_features({true, kAsimd | kFphp}).has(Feature::kNeonFp16));
  EXPECT_TRUE(arm_features({true, kAsimd | kFphp | kAsimdhp}).has(Feature::kNeonFp16));
  EXPECT_TRUE(arm_features({true, kAsimd, kBf16 | kSve2Bit}).has(Feature::kNeonBf16));
  EXPECT_TRUE(arm_features({true, kAsimd, kBf16 | kSve2Bit}).has(Feature::kSve2));
  EXPECT_EQ(to_string(arm_features({true, kAsimd, kBf16})), "neon neonbf16");
}

TEST(ArmFeatures, OfProgramsOf32BitsHaveOtherNumbers) {
  constexpr uint64_t kNeon32 = 1 << 12;
  EXPECT_EQ(arm_features({false, kNeon32}), *isa_by_name("neon"));
  EXPECT_EQ(arm_features({false, ~kNeon32, ~uint64_t{0}}), IsaSet{});
}

TEST(ArmCpu, OfOneKind) {
  const CpuInfo cpu = detect(pi4(), {0, 1, 2, 3});
  EXPECT_EQ(cpu.name, "Raspberry Pi 4 Model B Rev 1.4 (4 x Cortex-A72)");
  EXPECT_EQ(cpu.default_threads, 4);
  EXPECT_FALSE(cpu.in_order);
  ASSERT_EQ(cpu.kinds.size(), 1u);
  // No cache sizes from the system: those of the core, and that is said.
  EXPECT_EQ(cpu.l1_bytes, 32 << 10);
  EXPECT_EQ(cpu.l2_bytes, 1 << 20);
  EXPECT_EQ(cpu.l3_bytes, 0);
  ASSERT_EQ(cpu.notes.size(), 1u);
  EXPECT_NE(cpu.notes[0].what.find("usual for a Cortex-A72"), std::string::npos);
}

TEST(ArmCpu, OfTwoKindsIsUsedByItsFastCores) {
  const CpuInfo cpu = detect(rk3588(), {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(cpu.name, "4 x Cortex-A76 + 4 x Cortex-A55");
  ASSERT_EQ(cpu.kinds.size(), 2u);
  EXPECT_TRUE(cpu.kinds[1].in_order);
  EXPECT_FALSE(cpu.in_order);
  EXPECT_EQ(cpu.default_threads, 4);
  ASSERT_EQ(cpu.notes.size(), 1u);
  EXPECT_NE(cpu.notes[0].what.find("cores of 2 kinds"), std::string::npos);
  EXPECT_EQ(cpu.l1_bytes, 64 << 10);
  EXPECT_EQ(cpu.l2_bytes, 512 << 10);
  EXPECT_EQ(cpu.l1_ways, 4);
  EXPECT_EQ(cpu.l2_ways, 8);
  EXPECT_EQ(cpu.l3_bytes, 3 << 20);
}

TEST(ArmCpu, MayBeLimitedToItsSlowCores) {
  const CpuInfo cpu = detect(rk3588(), {0, 1});
  EXPECT_EQ(cpu.name, "2 x Cortex-A55");
  EXPECT_TRUE(cpu.in_order);
  EXPECT_EQ(cpu.default_threads, 2);
  EXPECT_EQ(cpu.l2_bytes, 128 << 10);
  EXPECT_TRUE(cpu.notes.empty());
}

TEST(ArmCpu, WithoutProcHasItsRegisters) {
  Files files;
  files[folder(0) + "/regs/identification/midr_el1"] = "0x00000000410fd034\n";
  const CpuInfo cpu = detect(files, {0});
  EXPECT_EQ(cpu.name, "1 x Cortex-A53");
  EXPECT_TRUE(cpu.in_order);
}

TEST(ArmCpu, OfOldKernelsNamesItsCoreOnce) {
  const CpuInfo cpu = detect({{"/proc/cpuinfo",
                               "Processor\t: ARMv7 Processor rev 5 (v7l)\nprocessor\t: 0\n"
                               "BogoMIPS\t: 38.40\n\nprocessor\t: 1\nBogoMIPS\t: 38.40\n\n"
                               "CPU implementer\t: 0x41\nCPU part\t: 0xc07\n"}},
                             {0, 1});
  EXPECT_EQ(cpu.name, "2 x Cortex-A7");
}

TEST(ArmCpu, UnknownCoresKeepTheirNumbers) {
  const CpuInfo cpu = detect({{"/proc/cpuinfo", block(0, "0x41", "0xfff")}}, {0});
  EXPECT_EQ(cpu.name, "1 x ARM core 0x41/0xfff");
  EXPECT_EQ(cpu.l1_bytes, 0);
}

TEST(ArmCpu, WithForeignFilesSaysSo) {
  // As under an emulator: another architecture's files, caches included.
  Files files = {{"/proc/cpuinfo", "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t: avx2\n"},
                 {folder(0) + "/cache/index0/level", "1\n"},
                 {folder(0) + "/cache/index0/type", "Data\n"},
                 {folder(0) + "/cache/index0/size", "48K\n"}};
  for (const Files& f : {files, Files{}}) {
    const CpuInfo cpu = detect(f, {0, 1}, {true, kAsimd | kAsimddp});
    EXPECT_EQ(cpu.isa, *isa_by_name("neondot"));
    EXPECT_EQ(cpu.l1_bytes, 0);
    EXPECT_EQ(cpu.default_threads, 2);
    ASSERT_EQ(cpu.notes.size(), 1u);
    EXPECT_NE(cpu.notes[0].what.find("do not describe this CPU"), std::string::npos);
  }
}

// Whatever the files say, detection ends with figures that make sense.
TEST(ArmCpu, WithDamagedFilesIsStillPlausible) {
  std::mt19937 random(7);
  const Files whole = rk3588();
  for (int round = 0; round < 60; ++round) {
    Files files = whole;
    for (auto& [path, content] : files) {
      if (random() % 3 != 0) continue;
      for (size_t k = random() % 4 + 1; k-- > 0 && !content.empty();)
        content[random() % content.size()] = static_cast<char>(random() % 8 == 0 ? '9' : random());
      if (random() % 8 == 0) content.resize(random() % (content.size() + 1));
    }
    const CpuInfo cpu = detect(files, {0, 1, 2, 3, 4, 5, 6, 7});
    EXPECT_GE(cpu.default_threads, 1);
    EXPECT_LE(cpu.default_threads, 8);
    EXPECT_FALSE(cpu.name.empty());
    for (int64_t bytes : {cpu.l1_bytes, cpu.l2_bytes, cpu.l3_bytes}) {
      EXPECT_GE(bytes, 0);
      EXPECT_LE(bytes, 1 << 30);
    }
  }
}

}  // namespace
}  // namespace pj
