// Any monitor that the kernel shows through hwmon: INA226, INA260 and INA238 (power), INA228 and
// INA780 (power and accumulated energy), and others with the same files. Units are hwmon's: uJ,
// uW, mA, mV.
#include "runtime/energy/counters/rails.h"

namespace pj::energy {
namespace {

constexpr const char* kClass = "/sys/class/hwmon/";

// Read by sources of their own.
bool has_own_source(const std::string& chip) { return chip == "ina3221" || chip == "amd_energy"; }

struct Chip {
  std::string name, folder;
  std::vector<std::string> files;
  int64_t period_ns = 0;

  std::string file(const char* kind, int channel, const char* what) const {
    return fmt::format("{}{}{}_{}", folder, kind, channel, what);
  }
};

CounterInfo channel_info(const System& system, const Chip& chip, const char* kind, int channel) {
  const std::string label = read_line(system, chip.file(kind, channel, "label"));
  CounterInfo info;
  info.source = "hwmon";
  info.domain = chip.name + "/" + (label.empty() ? fmt::format("{}{}", kind, channel) : label);
  info.where = chip.file(kind, channel, "input");
  info.update_period_ns = chip.period_ns;
  return info;
}

// The best that a chip has: energy, else power, else voltage times current.
void find_channels(const System& system, const Chip& chip, Counters& out) {
  const auto energies = numbered(chip.files, "energy", "_input");
  for (int i : energies) {
    CounterInfo info = channel_info(system, chip, "energy", i);
    info.unit = "uJ";
    info.resolution = 1e-6;
    info.note = "where it wraps is unknown, so a wrap ends a measurement without a figure";
    check_readable(system, info.where, info);
    out.push_back(std::make_unique<EnergyFile>(system, std::move(info), 1e-6, 0));
  }
  if (!energies.empty()) return;
  const auto powers = numbered(chip.files, "power", "_input");
  for (int i : powers) {
    CounterInfo info = channel_info(system, chip, "power", i);
    info.unit = "uW";
    info.kind = CounterKind::kSampled;
    check_readable(system, info.where, info);
    const std::string file = info.where;
    out.push_back(std::make_unique<PowerFiles>(system, std::move(info), file, "", 1e-6));
  }
  if (!powers.empty()) return;
  for (int i : numbered(chip.files, "curr", "_input"))
    for (const std::string& voltage : chip.files)
      if (voltage == fmt::format("in{}_input", i))
        add_rail(system, channel_info(system, chip, "curr", i), chip.folder + voltage,
                 chip.file("curr", i, "input"), out);
}

}  // namespace

void find_hwmon(const System& system, Counters& out) {
  for (const std::string& entry : system.list(kClass)) {
    Chip chip;
    chip.folder = kClass + entry + "/";
    chip.name = read_line(system, chip.folder + "name");
    if (chip.name.empty() || has_own_source(chip.name)) continue;
    chip.files = system.list(chip.folder);
    const auto interval_ms = read_unsigned(system, chip.folder + "update_interval");
    if (interval_ms && *interval_ms < 60'000)
      chip.period_ns = static_cast<int64_t>(*interval_ms) * 1'000'000;
    find_channels(system, chip, out);
  }
}

}  // namespace pj::energy
