#include "tests/energy/boards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <set>

namespace pj::energy {
namespace {

#define RAPL "/sys/class/powercap/intel-rapl"
#define PERF "/sys/bus/event_source/devices/"
#define TOPOLOGY(cpu) "/sys/devices/system/cpu/cpu" cpu "/topology/"
#define JETSON5 "/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/"
#define JETSON4 "/sys/bus/i2c/drivers/ina3221x/"

const std::vector<Board> kBoards = {
    {"laptop",
     {{RAPL ":0/name", "package-0\n"},
      {RAPL ":0/energy_uj", "262143000000\n"},
      {RAPL ":0/max_energy_range_uj", "262143328850\n"},
      {RAPL ":0:0/name", "core\n"},
      {RAPL ":0:0/energy_uj", "5000000\n"},
      {RAPL ":0:0/max_energy_range_uj", "262143328850\n"},
      {RAPL ":0:1/name", "dram\n"},
      {RAPL ":0:1/energy_uj", "7000000\n"},
      {RAPL ":0:1/max_energy_range_uj", "65712999613\n"},
      {RAPL ":1/name", "psys\n"},
      {RAPL ":1/energy_uj", "9000000\n"},
      {RAPL ":1/max_energy_range_uj", "262143328850\n"},
      {RAPL "-mmio:0/name", "package-0\n"},
      {RAPL "-mmio:0/energy_uj", "262143000000\n"},
      {RAPL "-mmio:0/max_energy_range_uj", "262143328850\n"},
      {RAPL "/enabled", "1\n"},
      {"/sys/class/power_supply/BAT0/type", "Battery\n"},
      {"/sys/class/power_supply/BAT0/status", "Discharging\n"},
      {"/sys/class/power_supply/BAT0/voltage_now", "12000000\n"},
      {"/sys/class/power_supply/BAT0/current_now", "500000\n"},
      {"/sys/class/power_supply/AC/type", "Mains\n"}}},
    {"server",  // two packages of two dies
     {{RAPL ":0/name", "package-0-die-0\n"},
      {RAPL ":0/energy_uj", "1000\n"},
      {RAPL ":0/max_energy_range_uj", "65532610987\n"},
      {RAPL ":1/name", "package-0-die-1\n"},
      {RAPL ":1/energy_uj", "2000\n"},
      {RAPL ":1/max_energy_range_uj", "65532610987\n"},
      {RAPL ":2/name", "package-1-die-0\n"},
      {RAPL ":2/energy_uj", "3000\n"},
      {RAPL ":2/max_energy_range_uj", "65532610987\n"},
      {RAPL ":3/name", "package-1-die-1\n"},
      {RAPL ":3/energy_uj", "4000\n"},
      {RAPL ":3/max_energy_range_uj", "65532610987\n"},
      {PERF "power/type", "23\n"},
      {PERF "power/cpumask", "0,8,16,24\n"},
      {PERF "power/events/energy-pkg", "event=0x02\n"},
      {PERF "power/events/energy-pkg.scale", "2.3283064365386962890625e-10\n"},
      {"/proc/sys/kernel/perf_event_paranoid", "2\n"},
      {TOPOLOGY("0") "physical_package_id", "0\n"},
      {TOPOLOGY("0") "die_id", "0\n"},
      {TOPOLOGY("8") "physical_package_id", "0\n"},
      {TOPOLOGY("8") "die_id", "1\n"},
      {TOPOLOGY("16") "physical_package_id", "1\n"},
      {TOPOLOGY("16") "die_id", "0\n"},
      {TOPOLOGY("24") "physical_package_id", "1\n"},
      {TOPOLOGY("24") "die_id", "1\n"}}},
    {"amd",
     {{PERF "power/type", "20\n"},
      {PERF "power/cpumask", "0\n"},
      {PERF "power/events/energy-pkg", "event=0x02\n"},
      {PERF "power/events/energy-pkg.scale", "2.3283064365386962890625e-10\n"},
      {PERF "power_core/type", "21\n"},
      {PERF "power_core/cpumask", "0-1\n"},
      {PERF "power_core/events/energy-core", "event=0x01\n"},
      {PERF "power_core/events/energy-core.scale", "2.3283064365386962890625e-10\n"},
      {TOPOLOGY("0") "physical_package_id", "0\n"},
      {TOPOLOGY("0") "core_id", "0\n"},
      {TOPOLOGY("0") "die_id", "0\n"},
      {TOPOLOGY("1") "physical_package_id", "0\n"},
      {TOPOLOGY("1") "core_id", "4\n"},
      {TOPOLOGY("1") "die_id", "0\n"},
      {RAPL ":0/name", "package-0\n"},
      {RAPL ":0/energy_uj", "77\n"},
      {RAPL ":0/max_energy_range_uj", "65532610987\n"}}},
    {"old_amd",
     {{"/sys/class/hwmon/hwmon2/name", "amd_energy\n"},
      {"/sys/class/hwmon/hwmon2/energy1_label", "Ecore000\n"},
      {"/sys/class/hwmon/hwmon2/energy1_input", "100\n"},
      {"/sys/class/hwmon/hwmon2/energy2_label", "Esocket0\n"},
      {"/sys/class/hwmon/hwmon2/energy2_input", "9000\n"}}},
    {"orin_nano",  // JetPack 5 and later
     {{JETSON5 "hwmon3/name", "ina3221\n"},
      {JETSON5 "hwmon3/update_interval", "13\n"},
      {JETSON5 "hwmon3/in1_label", "VDD_IN\n"},
      {JETSON5 "hwmon3/in1_input", "5000\n"},
      {JETSON5 "hwmon3/curr1_input", "1000\n"},
      {JETSON5 "hwmon3/shunt1_resistor", "5000\n"},
      {JETSON5 "hwmon3/in2_label", "VDD_CPU_GPU_CV\n"},
      {JETSON5 "hwmon3/in2_input", "5000\n"},
      {JETSON5 "hwmon3/curr2_input", "300\n"},
      {JETSON5 "hwmon3/in3_label", "NC\n"},
      {JETSON5 "hwmon3/in3_input", "5000\n"},
      {JETSON5 "hwmon3/curr3_input", "16\n"},
      {JETSON5 "hwmon3/in7_label", "sum of shunt voltages\n"},
      {JETSON5 "hwmon3/in7_input", "12\n"},
      // The same chip in the class of all monitors.
      {"/sys/class/hwmon/hwmon3/name", "ina3221\n"},
      {"/sys/class/hwmon/hwmon3/in1_input", "5000\n"},
      {"/sys/class/hwmon/hwmon3/curr1_input", "1000\n"}}},
    {"tx2",  // JetPack 4
     {{JETSON4 "0-0040/iio:device0/rail_name_0", "VDD_SYS_GPU\n"},
      {JETSON4 "0-0040/iio:device0/in_voltage0_input", "19000\n"},
      {JETSON4 "0-0040/iio:device0/in_current0_input", "10\n"},
      {JETSON4 "0-0041/iio:device1/rail_name_0", "VDD_IN\n"},
      {JETSON4 "0-0041/iio:device1/in_voltage0_input", "19000\n"},
      {JETSON4 "0-0041/iio:device1/in_current0_input", "200\n"},
      {JETSON4 "0-0041/iio:device1/rail_name_1", "VDD_SYS_CPU\n"},
      {JETSON4 "0-0041/iio:device1/in_voltage1_input", "19000\n"},
      {JETSON4 "0-0041/iio:device1/in_current1_input", "30\n"}}},
    {"agx_orin",  // two chips, and no rail that contains all
     {{JETSON5 "hwmon4/name", "ina3221\n"},
      {JETSON5 "hwmon4/in1_label", "VDD_GPU_SOC\n"},
      {JETSON5 "hwmon4/in1_input", "20000\n"},
      {JETSON5 "hwmon4/curr1_input", "200\n"},
      {JETSON5 "hwmon4/in2_label", "VDD_CPU_CV\n"},
      {JETSON5 "hwmon4/in2_input", "20000\n"},
      {JETSON5 "hwmon4/curr2_input", "100\n"},
      {JETSON5 "hwmon4/in3_label", "VIN_SYS_5V0\n"},
      {JETSON5 "hwmon4/in3_input", "5000\n"},
      {JETSON5 "hwmon4/curr3_input", "900\n"}}},
    {"agx_xavier",  // JetPack 4
     {{JETSON4 "1-0040/iio:device0/rail_name_0", "GPU\n"},
      {JETSON4 "1-0040/iio:device0/in_power0_input", "1500\n"},
      {JETSON4 "1-0040/iio:device0/in_voltage0_input", "19000\n"},
      {JETSON4 "1-0040/iio:device0/in_current0_input", "80\n"},
      {JETSON4 "1-0040/iio:device0/rail_name_1", "CPU\n"},
      {JETSON4 "1-0040/iio:device0/in_voltage1_input", "19000\n"},
      {JETSON4 "1-0040/iio:device0/in_current1_input", "50\n"},
      {JETSON4 "1-0041/iio:device1/rail_name_0", "SYS5V\n"},
      {JETSON4 "1-0041/iio:device1/in_voltage0_input", "5000\n"},
      {JETSON4 "1-0041/iio:device1/in_current0_input", "400\n"}}},
    {"pi4",  // with a monitor in its supply
     {{"/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4"},
      {"/sys/class/hwmon/hwmon1/name", "ina260\n"},
      {"/sys/class/hwmon/hwmon1/in1_input", "5100\n"},
      {"/sys/class/hwmon/hwmon1/curr1_input", "700\n"},
      {"/sys/class/hwmon/hwmon1/power1_input", "3570000\n"}}},
    {"monitors",
     {{"/sys/class/hwmon/hwmon0/name", "ina226\n"},
      {"/sys/class/hwmon/hwmon0/update_interval", "4\n"},
      {"/sys/class/hwmon/hwmon0/power1_input", "2500000\n"},
      {"/sys/class/hwmon/hwmon0/in1_input", "5000\n"},
      {"/sys/class/hwmon/hwmon0/curr1_input", "500\n"},
      {"/sys/class/hwmon/hwmon1/name", "ina228\n"},
      {"/sys/class/hwmon/hwmon1/energy1_input", "123456\n"},
      {"/sys/class/hwmon/hwmon1/power1_input", "1000000\n"},
      {"/sys/class/hwmon/hwmon2/name", "ina238\n"},
      {"/sys/class/hwmon/hwmon2/power1_input", "14000000\n"},
      {"/sys/class/hwmon/hwmon2/power1_label", "VIN\n"},
      {"/sys/class/hwmon/hwmon10/name", "adc\n"},
      {"/sys/class/hwmon/hwmon10/in2_input", "3300\n"},
      {"/sys/class/hwmon/hwmon10/curr2_input", "100\n"},
      {"/sys/class/hwmon/hwmon11/name", "k10temp\n"},
      {"/sys/class/hwmon/hwmon11/temp1_input", "42000\n"}}},
    {"pi5",
     {{"/proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0"},
      {"/usr/bin/vcgencmd",
       "   3V3_SYS_A current(1)=0.10000000A\n"
       "  VDD_CORE_A current(7)=2.00000000A\n"
       "   3V3_SYS_V volt(9)=3.30000000V\n"
       "  VDD_CORE_V volt(15)=0.75000000V\n"
       "     EXT5V_V volt(24)=5.15000000V\n"
       "      BATT_V volt(25)=0.00000000V\n"}}},
    {"phone",
     {{"/sys/bus/iio/devices/iio:device0/name", "s2mpg10-odpm\n"},
      {"/sys/bus/iio/devices/iio:device0/energy_value",
       "t=349894\nCH0(T=358356)[S10M_VDD_TPU], 555\nCH3(T=358356)[S2M_VDD_CPUCL2], 761330\n"},
      {"/sys/bus/iio/devices/iio:device1/name", "accelerometer\n"},
      {"/sys/class/power_supply/battery/type", "Battery\n"},
      {"/sys/class/power_supply/battery/status", "Charging\n"},
      {"/sys/class/power_supply/battery/voltage_now", "4000000\n"},
      {"/sys/class/power_supply/battery/current_now", "-250000\n"}}},
};

}  // namespace

const std::vector<Board>& boards() { return kBoards; }

const Board& board(const std::string& name) {
  for (const Board& b : kBoards)
    if (b.name == name) return b;
  ADD_FAILURE() << "no board " << name;
  return kBoards.front();
}

FakeSystem::FakeSystem(const std::string& board_name) {
  for (const BoardFile& file : board(board_name).files) files[file.path] = file.content;
}

Text FakeSystem::read(const std::string& path) const {
  if (const auto failure = failures.find(path); failure != failures.end())
    return {failure->second, ""};
  const auto file = files.find(path);
  return file == files.end() ? Text{ENOENT, ""} : Text{0, file->second};
}

std::vector<std::string> FakeSystem::list(const std::string& path) const {
  const std::string prefix = path.ends_with('/') ? path : path + '/';
  std::set<std::string> names;
  for (auto it = files.lower_bound(prefix); it != files.end() && it->first.starts_with(prefix);
       ++it)
    names.insert(
        it->first.substr(prefix.size(), it->first.find('/', prefix.size()) - prefix.size()));
  return {names.begin(), names.end()};
}

Text FakeSystem::run(const std::string& program, const std::string&) const { return read(program); }

int FakeSystem::perf_open(uint32_t, uint64_t config, int cpu) const {
  if (perf_failure != 0) return -perf_failure;
  ++perf_opened;
  descriptors_.emplace_back(config, cpu);
  return static_cast<int>(descriptors_.size()) - 1;
}

std::optional<uint64_t> FakeSystem::perf_read(int descriptor) const {
  return perf_values[descriptors_.at(static_cast<size_t>(descriptor))];
}

void FakeSystem::perf_close(int) const { ++perf_closed; }

Counter& find(const Counters& counters, const std::string& source, const std::string& domain) {
  for (const auto& counter : counters)
    if (counter->info().source == source && counter->info().domain == domain) return *counter;
  std::string all;
  for (const auto& counter : counters)
    all += counter->info().source + " " + counter->info().domain + "\n";
  ADD_FAILURE() << "no " << source << " " << domain << " among\n" << all;
  return *counters.at(0);
}

}  // namespace pj::energy
