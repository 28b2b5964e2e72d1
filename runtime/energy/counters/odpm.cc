// On-device power monitor of Android phones, through iio. `energy_value` shows
//
//   t=349894
//   CH3(T=358356)[S2M_VDD_CPUCL2], 761330
//
// the time in ms and, for each rail, accumulated energy in uW*s.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/energy/counters/file_counters.h"

namespace pj::energy {
namespace {

constexpr const char* kDevices = "/sys/bus/iio/devices/";

struct Channel {
  std::string rail;
  uint64_t microjoules;
};

std::vector<Channel> parse_channels(std::string_view text) {
  std::vector<Channel> channels;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t open = line.find('['), close = line.find("], ");
    if (!line.starts_with("CH") || open == line.npos || close == line.npos || close < open)
      continue;
    const auto energy = parse_unsigned(first_line(line.substr(close + 3)));
    if (energy && close > open + 1)
      channels.push_back({std::string(line.substr(open + 1, close - open - 1)), *energy});
  }
  return channels;
}

class OdpmRail : public Counter {
 public:
  OdpmRail(const System& system, CounterInfo info)
      : Counter(std::move(info)),
        system_(system),
        accumulator_(1e-6, 0, this->info().update_period_ns) {}

  Result<Reading> read() override {
    const Text file = system_.read(info().where);
    const int64_t now = system_.now_ns();
    for (const Channel& channel : parse_channels(file.text)) {
      if (channel.rail != info().domain) continue;
      auto joules = accumulator_.add(now, channel.microjoules);
      if (!joules) return in_context(info().domain, std::move(joules).error());
      return Reading{now, *joules};
    }
    return error(ErrorCode::kFileUnreadable, "'{}' does not show rail {}{}", info().where,
                 info().domain, file.ok() ? "" : std::string(": ") + std::strerror(file.error));
  }

 private:
  const System& system_;
  Accumulator accumulator_;
};

CounterInfo rail_info(const std::string& file) {
  CounterInfo info;
  info.source = "odpm";
  info.where = file;
  info.unit = "uW*s";
  info.resolution = 1e-6;
  // The driver renews what it shows when it is asked, from a chip that samples by itself.
  info.update_period_ns = 8'000'000;
  return info;
}

}  // namespace

void find_odpm(const System& system, Counters& out) {
  for (const std::string& entry : system.list(kDevices)) {
    const std::string file = kDevices + entry + "/energy_value";
    const Text text = system.read(file);
    if (text.error == ENOENT) continue;
    if (!text.ok()) {
      CounterInfo info = rail_info(file);
      info.domain = read_line(system, kDevices + entry + "/name");
      info.problem = "only root and the power HAL may read it";
      info.fix = "adb root, or run pj with su";
      if (text.error != EACCES && text.error != EPERM) {
        info.problem = std::strerror(text.error);
        info.fix.clear();
      }
      out.push_back(std::make_unique<OdpmRail>(system, std::move(info)));
      continue;
    }
    for (const Channel& channel : parse_channels(text.text)) {
      CounterInfo info = rail_info(file);
      info.domain = channel.rail;
      out.push_back(std::make_unique<OdpmRail>(system, std::move(info)));
    }
  }
}

}  // namespace pj::energy
