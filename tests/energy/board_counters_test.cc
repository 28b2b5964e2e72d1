// Monitors on boards: Jetson, hwmon, Raspberry Pi 5, Android, batteries.
#include <gmock/gmock.h>

#include <cerrno>
#include <map>

#include "tests/energy/boards.h"

namespace pj::energy {
namespace {

using ::testing::HasSubstr;

double watts(const Counters& counters, const char* source, const char* domain) {
  const Result<Reading> reading = find(counters, source, domain).read();
  EXPECT_TRUE(reading.has_value()) << (reading ? "" : reading.error().message);
  return reading ? reading->value : -1;
}

std::vector<std::string> domains(const Counters& counters) {
  std::vector<std::string> names;
  for (const auto& counter : counters) names.push_back(counter->info().domain);
  return names;
}

// Every recorded board, with what its counters say at once: joules since they were opened, or
// watts.
TEST(Boards, HaveTheDomainsThatTheyShouldHave) {
  const std::map<std::string, std::string> expected = {
      {"laptop", "package-0 0 J, package-0/core 0 J, package-0/dram 0 J, psys 0 J, BAT0 6 W"},
      {"server",
       "package-0-die-0 0 J, package-0-die-1 0 J, package-1-die-0 0 J, package-1-die-1 0 J"},
      {"amd", "package-0 0 J, package-0/core-0 0 J, package-0/core-4 0 J"},
      {"old_amd", "core-0 0 J, package-0 0 J"},
      {"orin_nano", "VDD_IN 5 W, VDD_CPU_GPU_CV 1.5 W"},
      {"agx_orin", "VDD_GPU_SOC 4 W, VDD_CPU_CV 2 W, VIN_SYS_5V0 4.5 W"},
      {"tx2", "VDD_SYS_GPU 0.19 W, VDD_IN 3.8 W, VDD_SYS_CPU 0.57 W"},
      {"agx_xavier", "GPU 1.52 W, CPU 0.95 W, SYS5V 2 W"},
      {"pi4", "ina260/power1 3.57 W"},
      {"monitors", "ina226/power1 2.5 W, ina228/energy1 0 J, adc/curr2 0.33 W, ina238/VIN 14 W"},
      {"pi5", "rails 1.83 W, board (fit) 2.683 W"},
      {"phone", "S10M_VDD_TPU 0 J, S2M_VDD_CPUCL2 0 J"},
  };
  ASSERT_EQ(boards().size(), expected.size());
  for (const Board& b : boards()) {
    const FakeSystem system(b.name);
    std::string found;
    const Counters counters = find_counters(system);
    for (const auto& counter : counters) {
      const CounterInfo& info = counter->info();
      if (!info.usable()) continue;
      const Result<Reading> reading = counter->read();
      ASSERT_TRUE(reading) << b.name << " " << info.domain;
      found += fmt::format("{}{} {:.4g} {}", found.empty() ? "" : ", ", info.domain, reading->value,
                           info.kind == CounterKind::kSampled ? "W" : "J");
    }
    EXPECT_EQ(found, expected.at(b.name)) << b.name;
  }
}

TEST(Ina3221, JetPack5ByLabelsWithoutUnconnectedRails) {
  const FakeSystem system("orin_nano");
  const Counters counters = find_counters(system);
  EXPECT_THAT(domains(counters), ::testing::ElementsAre("VDD_IN", "VDD_CPU_GPU_CV"));
  EXPECT_DOUBLE_EQ(watts(counters, "ina3221", "VDD_IN"), 5.0);
  EXPECT_DOUBLE_EQ(watts(counters, "ina3221", "VDD_CPU_GPU_CV"), 1.5);
  const CounterInfo& whole = find(counters, "ina3221", "VDD_IN").info();
  EXPECT_EQ(whole.kind, CounterKind::kSampled);
  EXPECT_EQ(whole.update_period_ns, 13'000'000);
  EXPECT_NEAR(whole.resolution, 0.008 * 5, 1e-12);  // 40 uV over 5 mOhm, at 5 V
  EXPECT_EQ(find(counters, "ina3221", "VDD_CPU_GPU_CV").info().within, "VDD_IN");
}

TEST(Ina3221, FolderNumbersMayMove) {
  FakeSystem system;
  for (const BoardFile& file : board("orin_nano").files) {
    std::string path = file.path;
    if (const size_t at = path.find("hwmon3/"); at != path.npos) path.replace(at, 7, "hwmon17/");
    system.files[path] = file.content;
  }
  EXPECT_DOUBLE_EQ(watts(find_counters(system), "ina3221", "VDD_IN"), 5.0);
}

TEST(Ina3221, JetPack4ThroughIio) {
  const FakeSystem system("tx2");
  const Counters counters = find_counters(system);
  EXPECT_NEAR(watts(counters, "ina3221", "VDD_IN"), 3.8, 1e-12);
  EXPECT_NEAR(watts(counters, "ina3221", "VDD_SYS_CPU"), 0.57, 1e-12);
  EXPECT_EQ(find(counters, "ina3221", "VDD_SYS_GPU").info().within, "VDD_IN");
}

TEST(Ina3221, ARailThatIsOffSaysSo) {
  FakeSystem system("orin_nano");
  system.failures["/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr2_input"] = ENODATA;
  const Counters counters = find_counters(system);
  EXPECT_THAT(find(counters, "ina3221", "VDD_CPU_GPU_CV").info().problem, HasSubstr("No data"));
  EXPECT_TRUE(find(counters, "ina3221", "VDD_IN").info().usable());
}

TEST(Hwmon, TheBestThatAChipHas) {
  FakeSystem system("monitors");
  const Counters counters = find_counters(system);
  EXPECT_EQ(counters.size(), 4u);
  EXPECT_DOUBLE_EQ(watts(counters, "hwmon", "ina226/power1"), 2.5);
  EXPECT_EQ(find(counters, "hwmon", "ina226/power1").info().update_period_ns, 4'000'000);
  EXPECT_DOUBLE_EQ(watts(counters, "hwmon", "ina238/VIN"), 14.0);
  EXPECT_NEAR(watts(counters, "hwmon", "adc/curr2"), 0.33, 1e-12);
  Counter& energy = find(counters, "hwmon", "ina228/energy1");
  EXPECT_EQ(energy.info().kind, CounterKind::kAccumulating);
  ASSERT_TRUE(energy.read());
  system.advance_ms(100);
  system.files[energy.info().where] = "223456\n";
  EXPECT_NEAR(energy.read()->value, 0.1, 1e-9);
}

TEST(Hwmon, NegativeNoiseIsZeroAndImpossiblePowerIsRefused) {
  FakeSystem system("monitors");
  const Counters counters = find_counters(system);
  system.files["/sys/class/hwmon/hwmon0/power1_input"] = "-2000\n";
  EXPECT_EQ(watts(counters, "hwmon", "ina226/power1"), 0);
  system.files["/sys/class/hwmon/hwmon0/power1_input"] = "9223372036854775807\n";
  EXPECT_FALSE(find(counters, "hwmon", "ina226/power1").read());
}

TEST(Pmic, SumOfRailsAndTheFitAreApart) {
  const FakeSystem system("pi5");
  const Counters counters = find_counters(system);
  ASSERT_EQ(counters.size(), 2u);
  EXPECT_NEAR(watts(counters, "pmic", "rails"), 0.33 + 1.5, 1e-9);
  EXPECT_NEAR(watts(counters, "pmic", "board (fit)"), 1.83 * 1.1451 + 0.5879, 1e-9);
  EXPECT_THAT(find(counters, "pmic", "board (fit)").info().note, HasSubstr("not measured"));
}

TEST(Pmic, TheFormatWithoutChannels) {
  FakeSystem system("pi5");
  system.files["/usr/bin/vcgencmd"] =
      "VDD_CORE_A=2.00000000 A\nVDD_CORE_V=0.75000000 V\nEXT5V_V=5.1 V\n";
  EXPECT_NEAR(watts(find_counters(system), "pmic", "rails"), 1.5, 1e-9);
}

TEST(Pmic, WithoutTheProgramThePackageIsNamed) {
  FakeSystem system("pi5");
  system.files.erase("/usr/bin/vcgencmd");
  const Counters counters = find_counters(system);
  EXPECT_EQ(find(counters, "pmic", "rails").info().fix, "sudo apt install raspi-utils");
  system.files["/usr/bin/vcgencmd"] = "";
  system.failures["/usr/bin/vcgencmd"] = EIO;
  EXPECT_THAT(find(find_counters(system), "pmic", "rails").info().fix, HasSubstr("usermod"));
}

TEST(Odpm, RailsByName) {
  FakeSystem system("phone");
  const Counters counters = find_counters(system);
  Counter& cpu = find(counters, "odpm", "S2M_VDD_CPUCL2");
  ASSERT_TRUE(cpu.read());
  system.advance_ms(100);
  system.files[cpu.info().where] =
      "t=349994\nCH0(T=358456)[S10M_VDD_TPU], 555\nCH3(T=358456)[S2M_VDD_CPUCL2], 861330\n";
  EXPECT_NEAR(cpu.read()->value, 0.1, 1e-9);
}

TEST(Odpm, NeedsRoot) {
  FakeSystem system("phone");
  system.failures["/sys/bus/iio/devices/iio:device0/energy_value"] = EACCES;
  EXPECT_THAT(find(find_counters(system), "odpm", "s2mpg10-odpm").info().fix, HasSubstr("root"));
}

TEST(Battery, OnlyWhileItDischarges) {
  FakeSystem system("phone");
  EXPECT_EQ(find(find_counters(system), "battery", "battery").info().fix, "unplug the charger");
  system.files["/sys/class/power_supply/battery/status"] = "Discharging\n";
  const Counters counters = find_counters(system);
  EXPECT_DOUBLE_EQ(watts(counters, "battery", "battery"), 1.0);  // whatever the sign
  system.files["/sys/class/power_supply/battery/status"] = "Charging\n";
  EXPECT_FALSE(find(counters, "battery", "battery").read());
}

}  // namespace
}  // namespace pj::energy
