#include "runtime/energy/counters/counter.h"

namespace pj::energy {
namespace {

// perf, powercap and amd_energy read the same registers of a CPU.
bool reads_cpu_registers(const CounterInfo& info) {
  return info.source == "perf" || info.source == "powercap" || info.source == "amd_energy";
}

// The first that can be read stays; an unreadable one gives way to a later one.
void mark_duplicates(const Counters& counters) {
  for (const auto& counter : counters) {
    CounterInfo& info = counter->info();
    if (!reads_cpu_registers(info)) continue;
    for (const auto& other : counters) {
      if (other == counter) {
        if (info.readable()) break;
        continue;
      }
      if (reads_cpu_registers(other->info()) && other->info().domain == info.domain &&
          other->info().usable()) {
        info.duplicate_of = other->info().source;
        break;
      }
    }
  }
}

}  // namespace

Counters find_counters(const System& system) {
  Counters counters;
  find_perf(system, counters);
  find_powercap(system, counters);
  find_amd_energy(system, counters);
  find_ina3221(system, counters);
  find_hwmon(system, counters);
  find_pmic(system, counters);
  find_odpm(system, counters);
  find_battery(system, counters);
  mark_duplicates(counters);
  return counters;
}

}  // namespace pj::energy
