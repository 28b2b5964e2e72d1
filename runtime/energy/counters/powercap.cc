// RAPL through powercap: /sys/class/powercap/intel-rapl:P[:S], with the same names on AMD.
// `intel-rapl-mmio` shows the same domains a second time.
#include <cerrno>

#include "runtime/energy/counters/file_counters.h"

namespace pj::energy {
namespace {

constexpr const char* kClass = "/sys/class/powercap/";

// "intel-rapl:0" of "intel-rapl:0:1"; empty for a zone that is in no other.
std::string parent_of(const std::string& zone) {
  const size_t first = zone.find(':'), last = zone.rfind(':');
  return first == last ? "" : zone.substr(0, last);
}

// The energy files have been for root alone since CVE-2020-8694.
void explain(const System& system, CounterInfo& info, bool range_known) {
  check_readable(system, info.where, info);
  if (!info.fix.empty())
    info.note = "until reboot; every local user can then watch what others compute";
  if (info.readable() && !range_known)
    info.note = "max_energy_range_uj is unreadable, so a wrap ends a measurement without a figure";
}

void find_zone(const System& system, const std::string& zone, Counters& out) {
  const std::string folder = kClass + zone + "/";
  const std::string name = read_line(system, folder + "name");
  if (name.empty() || system.read(folder + "energy_uj").error == ENOENT) return;
  const std::string parent = parent_of(zone);
  const std::string package = parent.empty() ? "" : read_line(system, kClass + parent + "/name");
  const auto range = read_unsigned(system, folder + "max_energy_range_uj");
  CounterInfo info;
  info.source = "powercap";
  info.domain = package.empty() ? name : package + "/" + name;
  info.where = folder + "energy_uj";
  info.unit = "uJ";
  info.resolution = 61e-6;  // 2^-14 J, the usual unit of the register; the file shows more digits
  info.update_period_ns = 1'000'000;
  // DRAM is listed below the package, but not part of its energy.
  if (name != "dram") info.within = package;
  explain(system, info, range && *range > 0);
  out.push_back(std::make_unique<EnergyFile>(system, std::move(info), 1e-6, range.value_or(0)));
}

}  // namespace

void find_powercap(const System& system, Counters& out) {
  // The memory-mapped copies last, so that they give way.
  const std::vector<std::string> zones = system.list(kClass);
  for (const bool mapped : {false, true})
    for (const std::string& zone : zones)
      if (zone.find(':') != zone.npos && zone.starts_with("intel-rapl-mmio") == mapped)
        find_zone(system, zone, out);
  // psys covers the packages and more.
  bool psys = false;
  for (const auto& counter : out) psys = psys || counter->info().domain == "psys";
  for (const auto& counter : out)
    if (psys && counter->info().domain.starts_with("package-") && counter->info().within.empty())
      counter->info().within = "psys";
}

}  // namespace pj::energy
