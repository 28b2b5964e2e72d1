// The driver `amd_energy` of older kernels: energy of cores (label Ecore000) and sockets
// (Esocket0) in uJ, accumulated by the driver in 64 bits.
#include "runtime/energy/counters/file_counters.h"

namespace pj::energy {
namespace {

constexpr const char* kClass = "/sys/class/hwmon/";

void find_channel(const System& system, const std::string& folder, int channel, Counters& out) {
  const std::string label = read_line(system, fmt::format("{}energy{}_label", folder, channel));
  CounterInfo info;
  if (label.starts_with("Esocket")) {
    info.domain = "package-" + label.substr(7);
  } else if (label.starts_with("Ecore")) {
    const auto core = parse_unsigned(label.substr(5));
    if (!core) return;
    info.domain = fmt::format("core-{}", *core);
    info.within = "package-*";  // which of several is not told
  } else {
    return;
  }
  info.source = "amd_energy";
  info.where = fmt::format("{}energy{}_input", folder, channel);
  info.unit = "uJ";
  info.resolution = 15.3e-6;  // 2^-16 J, the register's usual unit
  info.update_period_ns = 1'000'000;
  check_readable(system, info.where, info);
  out.push_back(std::make_unique<EnergyFile>(system, std::move(info), 1e-6, 0));
}

}  // namespace

void find_amd_energy(const System& system, Counters& out) {
  for (const std::string& entry : system.list(kClass)) {
    const std::string folder = kClass + entry + "/";
    if (read_line(system, folder + "name") != "amd_energy") continue;
    for (int channel : numbered(system.list(folder), "energy", "_label"))
      find_channel(system, folder, channel, out);
  }
}

}  // namespace pj::energy
