#include "runtime/energy/counters/file_counters.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace pj::energy {
namespace {

Result<double> read_number(const System& system, const std::string& path) {
  const Text file = system.read(path);
  if (!file.ok())
    return error(ErrorCode::kFileUnreadable, "cannot read '{}': {}", path,
                 std::strerror(file.error));
  const auto value = parse_signed(first_line(file.text));
  if (!value)
    return error(ErrorCode::kFileUnreadable, "'{}' holds no number: '{}'", path,
                 first_line(file.text).substr(0, 40));
  return static_cast<double>(*value);
}

}  // namespace

Result<Reading> EnergyFile::read() {
  const Text file = system_.read(info().where);
  const int64_t now = system_.now_ns();
  const auto raw = file.ok() ? parse_unsigned(first_line(file.text)) : std::nullopt;
  if (!raw) {
    return error(ErrorCode::kFileUnreadable, "cannot read '{}': {}", info().where,
                 file.ok() ? "no number in it" : std::strerror(file.error));
  }
  auto joules = accumulator_.add(now, *raw);
  if (!joules) return in_context(info().where, std::move(joules).error());
  return Reading{now, *joules};
}

Result<Reading> PowerFiles::read() {
  PJ_ASSIGN(double value, read_number(system_, first_));
  if (!second_.empty()) {
    PJ_ASSIGN(const double factor, read_number(system_, second_));
    value *= factor;
  }
  const double watts = value * scale_;
  if (std::abs(watts) > kMostWatts)
    return error(ErrorCode::kFileUnreadable, "'{}' says {:.3g} W, which cannot be", first_, watts);
  return Reading{system_.now_ns(), either_sign_ ? std::abs(watts) : std::max(watts, 0.0)};
}

void check_readable(const System& system, const std::string& path, CounterInfo& info) {
  const Text file = system.read(path);
  if (file.error == EACCES || file.error == EPERM) {
    info.problem = "only root may read it";
    info.fix = fmt::format("sudo chmod a+r {}", path);
  } else if (!file.ok()) {
    info.problem = std::strerror(file.error);
    if (file.error == ENODATA)
      info.fix = "the sensor is switched off or suspended; read again while it is in use";
  } else if (!parse_signed(first_line(file.text)) && !parse_unsigned(first_line(file.text))) {
    info.problem = "there is no number in it";
  }
}

}  // namespace pj::energy
