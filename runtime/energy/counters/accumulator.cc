#include "runtime/energy/counters/accumulator.h"

namespace pj::energy {

Result<double> Accumulator::add(int64_t time_ns, uint64_t raw) {
  const std::optional<Value> last = last_;
  last_ = Value{time_ns, raw};
  if (range_ > 0 && raw > range_)
    return error(ErrorCode::kWrongState, "value {} is beyond its range {}", raw, range_);
  if (!last) return joules_;

  const double seconds = static_cast<double>(time_ns - last->time_ns + slack_ns_) * 1e-9;
  const double possible = kMostWatts * seconds;
  // Several wraps look like none.
  if (range_ > 0 && possible > static_cast<double>(range_) * scale_)
    return error(ErrorCode::kWrongState,
                 "{:.0f} s passed between readings, enough to wrap more than once", seconds);
  uint64_t counts = raw - last->raw;
  if (raw < last->raw) {
    if (range_ == 0)
      return error(ErrorCode::kWrongState,
                   "the value fell from {} to {}, and where it wraps is unknown", last->raw, raw);
    counts = range_ - last->raw + raw;
  }
  const double joules = static_cast<double>(counts) * scale_;
  if (joules > possible)
    return error(ErrorCode::kWrongState,
                 "the value went from {} to {} within {:.3g} s, which no power explains "
                 "(suspended, reset, or two counters in turn)",
                 last->raw, raw, seconds);
  joules_ += joules;
  return joules_;
}

}  // namespace pj::energy
