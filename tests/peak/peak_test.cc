// Peaks are measured on a machine that others may load: these are properties that hold anyway.
#include "runtime/peak/peak.h"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/peak/available.h"
#include "runtime/peak/sample.h"

namespace pj {
namespace {

// What other work on a core's shared units may take away between two measurements.
constexpr double kNoise = 0.75;

TEST(Sample, TheClockIsOneOfACpu) {
  const double hz = core_clock_hz();
  EXPECT_GT(hz, 50e6);
  EXPECT_LT(hz, 10e9);
}

TEST(Sample, CyclesOfAKnownLoop) {
  const auto sample = best_sample(25, 1e-4, [](int64_t repeats) {
    for (; repeats > 0; --repeats) peak::dependent_additions(1024);
  });
  ASSERT_TRUE(sample);
  EXPECT_NEAR(sample->cycles, 1024, 0.1 * 1024);
  EXPECT_NEAR(sample->ghz(), sample->cycles / sample->seconds * 1e-9, 1e-6);
}

// The clock of a core may change between two measurements, so either of a pair may be wrong; a
// measurement that does not scale is wrong every time.
TEST(Sample, TwiceTheWorkTakesTwiceTheCycles) {
  auto cycles = [](int64_t additions) {
    const auto sample = best_sample(5, 1e-4, [&](int64_t repeats) {
      for (; repeats > 0; --repeats) peak::dependent_additions(additions);
    });
    return sample ? sample->cycles : 0;
  };
  double nearest = 0;
  for (int attempt = 0; attempt < 20 && std::fabs(nearest - 2) > 0.2; ++attempt) {
    const double ratio = cycles(1 << 13) / cycles(1 << 12);
    if (std::fabs(ratio - 2) < std::fabs(nearest - 2)) nearest = ratio;
  }
  EXPECT_NEAR(nearest, 2, 0.2);
}

TEST(Available, IsWhatTheFeaturesAllow) {
  const auto lowest = peak::available_loops({});
  ASSERT_EQ(lowest.size(), 1u);
  EXPECT_STREQ(lowest[0]->level, "scalar");
  for (const peak::LevelLoops* level : peak::available_loops(host_cpu().isa))
    EXPECT_TRUE(host_cpu().isa.includes(*isa_by_name(level->level))) << level->level;
}

// No CPU has more than four pipes for vectors. More means that the compiler left something out.
TEST(Arithmetic, NothingIsOptimisedAway) {
  for (const peak::LevelLoops* level : peak::available_loops(host_cpu().isa)) {
    for (const peak::ArithmeticLoop& loop : level->arithmetic) {
      const auto sample = best_sample(5, 1e-4, loop.run);
      ASSERT_TRUE(sample) << level->level;
      EXPECT_LT(loop.chains / sample->cycles, 4.2) << level->level << " " << loop.instructions;
    }
  }
}

TEST(Arithmetic, EveryLevelOfThisCpuHasAPlausiblePeak) {
  const std::vector<ArithmeticPeak> peaks = measure_arithmetic(host_cpu().isa);
  for (const ArithmeticPeak& p : peaks) {
    SCOPED_TRACE(std::string(p.level) + " " + p.instructions);
    EXPECT_TRUE(std::isfinite(p.macs_per_cycle) && std::isfinite(p.gmacs));
    EXPECT_GT(p.macs_per_cycle, 0.5);
    EXPECT_LT(p.macs_per_cycle, 4096);
    const double ghz = p.gmacs / p.macs_per_cycle;
    EXPECT_TRUE(ghz > 0.05 && ghz < 10) << ghz;
  }
  for (DType type : {DType::kI8, DType::kF32}) {
    double lower = 0;
    for (const peak::LevelLoops* level : peak::available_loops(host_cpu().isa)) {
      const double reached = peak_macs_per_cycle(peaks, *isa_by_name(level->level), type);
      EXPECT_GT(reached, 0) << level->level;
      if (level->level == std::string("scalar")) lower = reached;
      EXPECT_GE(reached, kNoise * lower) << level->level;
    }
  }
}

TEST(Arithmetic, ThePeakOfALevelIncludesLowerLevels) {
  const IsaSet avx2 = *isa_by_name("avx2"), avxvnni = *isa_by_name("avxvnni");
  const std::vector<ArithmeticPeak> peaks{{"avx2", avx2, DType::kI8, "a", 30, 120},
                                          {"avx2", avx2, DType::kF32, "b", 16, 64},
                                          {"avxvnni", avxvnni, DType::kI8, "c", 64, 256}};
  EXPECT_EQ(peak_macs_per_cycle(peaks, avx2, DType::kI8), 30);
  EXPECT_EQ(peak_macs_per_cycle(peaks, avxvnni, DType::kI8), 64);
  EXPECT_EQ(peak_macs_per_cycle(peaks, avxvnni, DType::kF32), 16);
  EXPECT_EQ(peak_macs_per_cycle(peaks, {}, DType::kI8), 0);
}

TEST(Memory, NearerIsNotSlower) {
  const std::vector<MemoryPeak> peaks = measure_memory(host_cpu(), host_cpu().isa);
  ASSERT_GE(peaks.size(), 2u);
  EXPECT_EQ(peaks[0].level, "L1");
  for (const MemoryPeak& p : peaks) {
    SCOPED_TRACE(p.level);
    for (const Bandwidth& b : {p.load, p.store}) {
      EXPECT_TRUE(std::isfinite(b.bytes_per_cycle) && std::isfinite(b.gb_per_second));
      EXPECT_GT(b.bytes_per_cycle, 0);
      EXPECT_GT(b.gb_per_second, 0);
      EXPECT_LT(b.bytes_per_cycle, 1024);
    }
    EXPECT_GE(peaks[0].load.bytes_per_cycle, kNoise * p.load.bytes_per_cycle);
  }
  for (size_t i = 1; i < peaks.size(); ++i)
    EXPECT_GT(peaks[i].buffer_bytes, peaks[i - 1].buffer_bytes);
}

TEST(Memory, MachinesWithoutOuterCachesAreFine) {
  CpuInfo cpu;  // nothing known
  std::vector<std::string> levels;
  for (const MemoryPeak& p : measure_memory(cpu, {})) levels.push_back(p.level);
  EXPECT_EQ(levels, (std::vector<std::string>{"L1", "L2", "DRAM"}));
}

}  // namespace
}  // namespace pj
