#include "runtime/energy/counters/accumulator.h"

namespace pj::energy {

Result<double> Accumulator::add(int64_t time_ns, uint64_t raw) {
  const std::optional<Value> last = last_;
  last_ = Value{time_ns, last && last->raw == raw ? last->changed_ns : time_ns, raw};
  if (range_ > 0 && raw > range_)
    return error(ErrorCode::kWrongState, "value {} is beyond its range {}", raw, range_);
  if (!last) return joules_;

  const auto seconds_since = [&](int64_t then_ns) {
    return static_cast<double>(time_ns - then_ns + slack_ns_) * 1e-9;
  };
  // Several wraps look like none.
  if (range_ > 0 &&
      kMostWatts * seconds_since(last->time_ns) > static_cast<double>(range_) * scale_)
    return error(ErrorCode::kWrongState,
                 "{:.0f} s passed between readings, enough to wrap more than once",
                 seconds_since(last->time_ns));
  uint64_t counts = raw - last->raw;
  if (raw < last->raw) {
    if (range_ == 0)
      return error(ErrorCode::kWrongState,
                   "the value fell from {} to {}, and where it wraps is unknown", last->raw, raw);
    counts = range_ - last->raw + raw;
  }
  const double joules = static_cast<double>(counts) * scale_;
  // A register that is late shows at once what it missed.
  const double seconds = seconds_since(last->changed_ns);
  if (joules > kMostWatts * seconds)
    return error(ErrorCode::kWrongState,
                 "the value went from {} to {} within {:.3g} s, which no power explains "
                 "(suspended, reset, or two counters in turn)",
                 last->raw, raw, seconds);
  joules_ += joules;
  return joules_;
}

}  // namespace pj::energy
