#include "runtime/energy/counters/counter.h"

namespace pj::energy {

std::vector<std::string> missing_counter_hints(const System& system) {
  std::vector<std::string> hints;
  const std::string cpuinfo = system.read("/proc/cpuinfo").text;
  const bool x86 = cpuinfo.find("vendor_id") != std::string::npos;
  if (cpuinfo.find(" hypervisor") != std::string::npos) {
    hints.emplace_back(
        "this is a virtual machine: its host keeps the power counters; measure on the metal");
  } else if (x86) {
    hints.emplace_back("load the driver of the CPU's counters: sudo modprobe intel_rapl_msr");
  }
  if (!x86)
    hints.emplace_back(
        "boards without a counter (Raspberry Pi 4) need an external INA226, INA228 or INA260 on "
        "I2C, which the kernel shows through hwmon");
  return hints;
}

}  // namespace pj::energy
