// Registers of CPUs: powercap, perf and amd_energy.
#include <gmock/gmock.h>

#include <cerrno>

#include "tests/energy/boards.h"

namespace pj::energy {
namespace {

using ::testing::HasSubstr;

const std::string kPackage = "/sys/class/powercap/intel-rapl:0/energy_uj";

double value(Counter& counter) {
  const Result<Reading> reading = counter.read();
  EXPECT_TRUE(reading.has_value()) << (reading ? "" : reading.error().message);
  return reading ? reading->value : -1;
}

std::string refusal(Counter& counter) {
  const Result<Reading> reading = counter.read();
  EXPECT_FALSE(reading.has_value());
  return reading ? "" : reading.error().message;
}

TEST(Powercap, DomainsNestAndTheMemoryMappedCopyIsADuplicate) {
  const FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  EXPECT_EQ(find(counters, "powercap", "package-0").info().within, "psys");
  EXPECT_EQ(find(counters, "powercap", "package-0/core").info().within, "package-0");
  EXPECT_EQ(find(counters, "powercap", "package-0/dram").info().within, "psys");
  EXPECT_EQ(find(counters, "powercap", "psys").info().within, "");
  int packages = 0, usable = 0;
  for (const auto& counter : counters) {
    if (counter->info().domain != "package-0") continue;
    ++packages;
    usable += counter->info().usable() ? 1 : 0;
  }
  EXPECT_EQ(packages, 2);
  EXPECT_EQ(usable, 1);
}

TEST(Powercap, TheCopyIsUsedWhereTheFirstCannotBeRead) {
  FakeSystem system("laptop");
  system.failures[kPackage] = EACCES;
  for (const auto& counter : find_counters(system)) {
    if (counter->info().domain != "package-0") continue;
    const bool copy = counter->info().where.find("mmio") != std::string::npos;
    EXPECT_EQ(counter->info().usable(), copy) << counter->info().where;
  }
}

TEST(Powercap, AFileForRootAloneIsNamedWithItsCure) {
  FakeSystem system("amd");
  system.failures[kPackage] = EACCES;
  const Counters counters = find_counters(system);
  const CounterInfo& info = find(counters, "powercap", "package-0").info();
  EXPECT_EQ(info.problem, "only root may read it");
  EXPECT_THAT(info.fix, HasSubstr("sudo chmod a+r " + kPackage));
}

TEST(Powercap, CountsOverAWrap) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& package = find(counters, "powercap", "package-0");
  EXPECT_EQ(value(package), 0);
  system.advance_ms(1000);
  system.files[kPackage] = "671150\n";  // 328850 uJ to the end of the range, 671150 after it
  EXPECT_NEAR(value(package), 1.0, 1e-9);
  system.advance_ms(1000);
  system.files[kPackage] = "1671150\n";
  EXPECT_NEAR(value(package), 2.0, 1e-9);
}

TEST(Powercap, AWrapWithoutAKnownRangeIsNoFigure) {
  FakeSystem system("laptop");
  system.failures["/sys/class/powercap/intel-rapl:0/max_energy_range_uj"] = EACCES;
  const Counters counters = find_counters(system);
  Counter& package = find(counters, "powercap", "package-0");
  EXPECT_THAT(package.info().note, HasSubstr("max_energy_range_uj"));
  value(package);
  system.advance_ms(1000);
  system.files[kPackage] = "671150\n";
  EXPECT_THAT(refusal(package), HasSubstr("where it wraps is unknown"));
}

TEST(Powercap, TimeForTwoWrapsIsNoFigure) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& package = find(counters, "powercap", "package-0");
  value(package);
  system.advance_ms(200'000);  // 262 kJ at 2 kW take 131 s
  system.files[kPackage] = "262143300000\n";
  EXPECT_THAT(refusal(package), HasSubstr("wrap more than once"));
}

TEST(Powercap, AResetDuringSuspendIsNoWrap) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& psys = find(counters, "powercap", "psys");
  const std::string file = psys.info().where;
  value(psys);
  system.advance_ms(500);
  system.files[file] = "12000\n";
  EXPECT_THAT(refusal(psys), HasSubstr("suspended, reset, or two counters"));
  // It starts anew from there.
  system.advance_ms(500);
  system.files[file] = "1012000\n";
  EXPECT_NEAR(value(psys), 1.0, 1e-9);
}

TEST(Powercap, TwoCountersInTurnAreRefused) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& psys = find(counters, "powercap", "psys");
  const std::string file = psys.info().where;
  value(psys);
  uint64_t own = 9'000'000, other = 91'000'000'000;
  int refused = 0;
  for (int i = 0; i < 10; ++i) {
    system.advance_ms(100);
    own += 1'000'000, other += 1'000'000;
    system.files[file] = std::to_string(i % 2 == 0 ? other : own);
    refused += psys.read() ? 0 : 1;
  }
  EXPECT_EQ(refused, 10);
}

// Read every millisecond while it does not move for half a second, as on a very busy host.
TEST(Powercap, ALateCounterShowsAtOnceWhatItMissed) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& psys = find(counters, "powercap", "psys");
  value(psys);
  for (int i = 0; i < 500; ++i) {
    system.advance_ms(1);
    EXPECT_EQ(value(psys), 0);
  }
  system.files[psys.info().where] = std::to_string(9'000'000 + 30'000'000);
  EXPECT_NEAR(value(psys), 30, 1e-9);
  // The same again within a millisecond is more than any power explains.
  system.advance_ms(1);
  system.files[psys.info().where] = std::to_string(9'000'000 + 60'000'000);
  EXPECT_FALSE(psys.read());
}

TEST(Powercap, AReadingThatFailsLosesNothing) {
  FakeSystem system("laptop");
  const Counters counters = find_counters(system);
  Counter& psys = find(counters, "powercap", "psys");
  value(psys);
  system.advance_ms(100);
  system.failures[psys.info().where] = ENODATA;
  EXPECT_THAT(refusal(psys), HasSubstr("No data"));
  system.failures.clear();
  system.advance_ms(100);
  system.files[psys.info().where] = "11000000\n";
  EXPECT_NEAR(value(psys), 2.0, 1e-9);
}

TEST(Perf, PackagesAndDiesAreNamedLikePowercapNamesThem) {
  FakeSystem system("server");
  {
    const Counters counters = find_counters(system);
    ASSERT_EQ(counters.size(), 8u);
    for (const char* domain :
         {"package-0-die-0", "package-0-die-1", "package-1-die-0", "package-1-die-1"}) {
      EXPECT_TRUE(find(counters, "perf", domain).info().usable());
      EXPECT_EQ(find(counters, "powercap", domain).info().duplicate_of, "perf");
    }
    Counter& last = find(counters, "perf", "package-1-die-1");
    value(last);
    system.advance_ms(1000);
    system.perf_values[{2, 24}] = uint64_t{1} << 33;
    EXPECT_NEAR(value(last), 2.0, 1e-12);
  }
  EXPECT_EQ(system.perf_opened, 4);
  EXPECT_EQ(system.perf_closed, 4);
}

TEST(Perf, ARefusalNamesTheSettingAndPowercapIsUsed) {
  FakeSystem system("server");
  system.perf_failure = EACCES;
  const Counters counters = find_counters(system);
  const CounterInfo& info = find(counters, "perf", "package-0-die-0").info();
  EXPECT_EQ(info.problem, "kernel.perf_event_paranoid is 2");
  EXPECT_THAT(info.fix, HasSubstr("sudo sysctl kernel.perf_event_paranoid=0"));
  EXPECT_TRUE(find(counters, "powercap", "package-0-die-0").info().usable());
}

TEST(Perf, CoresOfAmdAreInsideTheirPackage) {
  const FakeSystem system("amd");
  const Counters counters = find_counters(system);
  EXPECT_EQ(find(counters, "perf", "package-0/core-4").info().within, "package-0");
  EXPECT_EQ(find(counters, "perf", "package-0").info().within, "");
}

TEST(AmdEnergy, SocketsAndCores) {
  FakeSystem system("old_amd");
  const Counters counters = find_counters(system);
  ASSERT_EQ(counters.size(), 2u);
  Counter& socket = find(counters, "amd_energy", "package-0");
  value(socket);
  system.advance_ms(10);
  system.files[socket.info().where] = "59000\n";
  EXPECT_NEAR(value(socket), 0.05, 1e-9);
}

}  // namespace
}  // namespace pj::energy
