// The power chip of a Raspberry Pi 5, through `vcgencmd pmic_read_adc`. Firmware prints
//
//   VDD_CORE_A current(7)=0.75012000A          or        VDD_CORE_A=0.75012000 A
//   VDD_CORE_V volt(15)=0.72000000V                      VDD_CORE_V=0.72000000 V
//
// for twelve rails, and EXT5V_V without a current: what the board draws from its supply is not
// measured. The sum over rails leaves out the USB ports and the losses of conversion.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "runtime/energy/counters/accumulator.h"
#include "runtime/energy/counters/counter.h"

namespace pj::energy {
namespace {

constexpr const char* kPrograms[] = {"/usr/bin/vcgencmd", "/opt/vc/bin/vcgencmd"};
constexpr int64_t kFreshNs = 5'000'000;  // both counters of one moment share one call

struct Rail {
  std::optional<double> amperes, volts;
};

std::map<std::string, Rail> parse_rails(std::string_view text) {
  std::map<std::string, Rail> rails;
  while (!text.empty()) {
    const std::string_view raw = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(raw.size() + 1, text.size()));
    const std::string line = first_line(raw);
    const size_t equals = line.find('=');
    const std::string name = line.substr(0, line.find_first_of(" =("));
    if (equals == line.npos || name.size() < 3) continue;
    const bool current = name.ends_with("_A"), voltage = name.ends_with("_V");
    std::string number = line.substr(equals + 1);
    if (!number.empty() && (number.back() == 'A' || number.back() == 'V')) number.pop_back();
    const auto value = parse_real(first_line(number));
    if (!value || *value < 0 || (!current && !voltage)) continue;
    Rail& rail = rails[name.substr(0, name.size() - 2)];
    (current ? rail.amperes : rail.volts) = value;
  }
  return rails;
}

// Watts of all rails that have both values; nothing if none has.
std::optional<double> sum_watts(std::string_view text) {
  double watts = 0;
  int complete = 0;
  for (const auto& [name, rail] : parse_rails(text)) {
    if (!rail.amperes || !rail.volts) continue;
    watts += *rail.amperes * *rail.volts;
    ++complete;
  }
  return complete > 0 && watts <= kMostWatts ? std::optional(watts) : std::nullopt;
}

class Pmic {
 public:
  Pmic(const System& system, std::string program) : system_(system), program_(std::move(program)) {}

  Result<Reading> read() {
    if (last_ && system_.now_ns() - last_->time_ns < kFreshNs) return *last_;
    last_.reset();
    const Text output = system_.run(program_, "pmic_read_adc");
    if (!output.ok())
      return error(ErrorCode::kFileUnreadable, "'{} pmic_read_adc' failed: {}", program_,
                   std::strerror(output.error));
    const auto watts = sum_watts(output.text);
    if (!watts)
      return error(ErrorCode::kFileUnreadable, "'{} pmic_read_adc' prints no rail with both values",
                   program_);
    last_ = Reading{system_.now_ns(), *watts};
    return *last_;
  }

 private:
  const System& system_;
  std::string program_;
  std::optional<Reading> last_;
};

class PmicCounter : public Counter {
 public:
  PmicCounter(std::shared_ptr<Pmic> pmic, CounterInfo info, double factor, double offset)
      : Counter(std::move(info)), pmic_(std::move(pmic)), factor_(factor), offset_(offset) {}
  Result<Reading> read() override {
    PJ_ASSIGN(Reading reading, pmic_->read());
    reading.value = reading.value * factor_ + offset_;
    return reading;
  }

 private:
  std::shared_ptr<Pmic> pmic_;
  double factor_, offset_;
};

}  // namespace

void find_pmic(const System& system, Counters& out) {
  if (read_line(system, "/proc/device-tree/model").find("Raspberry Pi 5") == std::string::npos &&
      read_line(system, "/proc/device-tree/model").find("Compute Module 5") == std::string::npos)
    return;
  std::string program;
  for (const char* candidate : kPrograms)
    if (program.empty() && system.run(candidate, "version").error != ENOENT) program = candidate;
  CounterInfo info;
  info.source = "pmic";
  info.domain = "rails";
  info.kind = CounterKind::kSampled;
  info.unit = "A*V";
  info.where = "vcgencmd pmic_read_adc";
  info.note = "sum over the rails: without USB ports and losses of conversion";
  const auto pmic = std::make_shared<Pmic>(system, program);
  if (program.empty()) {
    info.problem = "vcgencmd is not installed";
    info.fix = "sudo apt install raspi-utils";
  } else if (const auto reading = pmic->read(); !reading) {
    info.problem = reading.error().message;
    info.fix = "sudo usermod -aG video $USER, then log in again";
  }
  CounterInfo fit = info;
  fit.domain = "board (fit)";
  fit.note = "not measured: 1.1451 * rails + 0.5879 W, fitted by users with an external meter";
  fit.quality = EnergySource::kPrior;
  info.within = fit.domain;
  out.push_back(std::make_unique<PmicCounter>(pmic, std::move(info), 1, 0));
  out.push_back(std::make_unique<PmicCounter>(pmic, std::move(fit), 1.1451, 0.5879));
}

}  // namespace pj::energy
