// From raw values of an accumulating register to joules that only grow.
//
// A register wraps, but not every smaller value is a wrap: registers are reset by suspend, and some
// virtual machines show two registers in turn. What tells them apart is power. A step is believed
// if the joules that it stands for fit, at kMostWatts, into the time since the value was last seen
// to change; all else is refused, so no accepted figure can be wrong by more than that.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/base/result.h"

namespace pj::energy {

// No domain of the machines that we know draws more.
inline constexpr double kMostWatts = 2000;

class Accumulator {
 public:
  // `joules_per_count` > 0. `range`: the number of counts after which the register starts at 0
  // again; 0 if that is unknown, then every smaller value is refused. `slack_ns`: how old a value
  // may be when it is read.
  Accumulator(double joules_per_count, uint64_t range, int64_t slack_ns)
      : scale_(joules_per_count), range_(range), slack_ns_(slack_ns) {}

  // Joules since the first value. Errors: kWrongState if `raw` cannot follow the value before; it
  // is the new base then, and what passed since the value before is not counted. After a reading
  // that failed, nothing has to be told: the next value spans the gap.
  Result<double> add(int64_t time_ns, uint64_t raw);

 private:
  struct Value {
    int64_t time_ns, changed_ns;  // of reading it, and of first reading it
    uint64_t raw;
  };
  double scale_;
  uint64_t range_;
  int64_t slack_ns_;
  std::optional<Value> last_;
  double joules_ = 0;
};

}  // namespace pj::energy
