// The gauge of a battery: voltage in uV and current in uA, whose sign depends on the vendor. It
// tells what the device draws only while nothing charges it.
#include "runtime/energy/counters/file_counters.h"

namespace pj::energy {
namespace {

constexpr const char* kClass = "/sys/class/power_supply/";

class Battery : public PowerFiles {
 public:
  Battery(const System& system, CounterInfo info, const std::string& folder)
      : PowerFiles(system, std::move(info), folder + "voltage_now", folder + "current_now", 1e-12,
                   true),
        system_(system),
        folder_(folder) {}
  Result<Reading> read() override {
    const std::string status = read_line(system_, folder_ + "status");
    if (status != "Discharging")
      return error(ErrorCode::kFileUnreadable, "the battery is '{}', not discharging", status);
    return PowerFiles::read();
  }

 private:
  const System& system_;
  std::string folder_;
};

}  // namespace

void find_battery(const System& system, Counters& out) {
  for (const std::string& name : system.list(kClass)) {
    const std::string folder = kClass + name + "/";
    if (read_line(system, folder + "type") != "Battery") continue;
    CounterInfo info;
    info.source = "battery";
    info.domain = name;
    info.where = folder + "current_now";
    info.unit = "uV*uA";
    info.kind = CounterKind::kSampled;
    info.note = "the whole device, screen and radios included; gauges renew slowly";
    check_readable(system, folder + "voltage_now", info);
    if (info.readable()) check_readable(system, info.where, info);
    if (const std::string status = read_line(system, folder + "status");
        info.readable() && status != "Discharging") {
      info.problem = fmt::format("the battery is '{}': its current says nothing then", status);
      info.fix = "unplug the charger";
    }
    out.push_back(std::make_unique<Battery>(system, std::move(info), folder));
  }
}

}  // namespace pj::energy
