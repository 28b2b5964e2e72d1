// The three-channel monitors of Jetson boards. JetPack 4 shows them through iio, later ones
// through hwmon. They hold the power of a moment only. Rails are told by their labels: numbers of
// hwmon folders move from boot to boot.
#include "runtime/energy/counters/rails.h"

namespace pj::energy {
namespace {

constexpr const char* kIioDriver = "/sys/bus/i2c/drivers/ina3221x/";
constexpr const char* kHwmonDriver = "/sys/bus/i2c/drivers/ina3221/";
constexpr int64_t kConversionNs = 6'600'000;  // three channels, voltage and current, 1.1 ms each
constexpr double kShuntStep = 40e-6;          // volts

// Rails that feed all others of their board.
bool feeds_the_board(const std::string& rail) { return rail == "VDD_IN" || rail == "POM_5V_IN"; }

CounterInfo rail_info(const std::string& label, int64_t period_ns) {
  CounterInfo info;
  info.source = "ina3221";
  info.domain = label;
  info.update_period_ns = period_ns;
  return info;
}

// A channel that nothing is connected to says so in its label.
bool connected(const std::string& label) { return !label.empty() && label != "NC"; }

void find_iio(const System& system, const std::string& folder, Counters& out) {
  for (int i : numbered(system.list(folder), "rail_name_", "")) {
    const std::string label = read_line(system, fmt::format("{}rail_name_{}", folder, i));
    if (!connected(label)) continue;
    add_rail(system, rail_info(label, kConversionNs),
             fmt::format("{}in_voltage{}_input", folder, i),
             fmt::format("{}in_current{}_input", folder, i), out);
  }
}

// Channels 1 to 3 are rails; 4 to 6 are the voltages over their shunts, 7 the sum of those.
void find_hwmon_rails(const System& system, const std::string& folder, Counters& out) {
  const auto interval_ms = read_unsigned(system, folder + "update_interval");
  const int64_t period = interval_ms && *interval_ms > 0 && *interval_ms < 60'000
                             ? static_cast<int64_t>(*interval_ms) * 1'000'000
                             : kConversionNs;
  for (int i = 1; i <= 3; ++i) {
    const std::string label = read_line(system, fmt::format("{}in{}_label", folder, i));
    if (!connected(label)) continue;
    const std::string voltage = fmt::format("{}in{}_input", folder, i);
    CounterInfo info = rail_info(label, period);
    info.resolution = rail_resolution(
        kShuntStep, read_unsigned(system, fmt::format("{}shunt{}_resistor", folder, i)),
        read_unsigned(system, voltage));
    add_rail(system, std::move(info), voltage, fmt::format("{}curr{}_input", folder, i), out);
  }
}

// The device's folders that begin with `prefix`, with a slash at the end.
std::vector<std::string> folders(const System& system, const std::string& parent,
                                 const std::string& prefix) {
  std::vector<std::string> found;
  for (const std::string& name : system.list(parent))
    if (name.starts_with(prefix)) found.push_back(parent + name + "/");
  return found;
}

}  // namespace

void find_ina3221(const System& system, Counters& out) {
  const size_t first = out.size();
  for (const std::string& device : folders(system, kIioDriver, ""))
    for (const std::string& iio : folders(system, device, "iio:device")) find_iio(system, iio, out);
  for (const std::string& device : folders(system, kHwmonDriver, ""))
    for (const std::string& hwmon : folders(system, device + "hwmon/", "hwmon"))
      find_hwmon_rails(system, hwmon, out);
  std::string whole;
  for (size_t i = first; i < out.size(); ++i)
    if (feeds_the_board(out[i]->info().domain)) whole = out[i]->info().domain;
  for (size_t i = first; i < out.size(); ++i)
    if (out[i]->info().domain != whole) out[i]->info().within = whole;
}

}  // namespace pj::energy
