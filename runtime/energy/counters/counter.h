// Power counters: one interface over every source. A counter either accumulates energy by itself
// or shows the power of a moment, and says which, how finely, how often, and, where it cannot be
// read, why not and what mends it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/energy/counters/system.h"
#include "runtime/energy/energy.h"

namespace pj::energy {

enum class CounterKind : uint8_t {
  kAccumulating,  // values are joules since the counter was opened
  kSampled,       // values are watts
};

struct CounterInfo {
  std::string source;  // "perf", "powercap", "ina3221", ...
  std::string domain;  // what it covers: "package-0", "VDD_IN"
  std::string where;   // the file, event or command behind it
  std::string unit;    // of the raw value: "uJ", "mV*mA"
  CounterKind kind = CounterKind::kAccumulating;
  double resolution = 0;                           // least step, in joules or watts; 0: unknown
  int64_t update_period_ns = 0;                    // how often the hardware renews it; 0: unknown
  EnergySource quality = EnergySource::kMeasured;  // of what it says: readings, or a fit to them
  std::string within;        // domain that contains this one and must not be added to it
  std::string duplicate_of;  // source of the counter that gives the same, and is used instead
  std::string note;          // what a reader of its figures must know
  std::string problem;       // why it cannot be read; empty if it can
  std::string fix;           // the command that mends it; empty if there is none

  bool readable() const { return problem.empty(); }
  bool usable() const { return readable() && duplicate_of.empty(); }
};

struct Reading {
  int64_t time_ns = 0;
  double value = 0;  // joules or watts, finite and not negative
};

class Counter {
 public:
  explicit Counter(CounterInfo info) : info_(std::move(info)) {}
  virtual ~Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  const CounterInfo& info() const { return info_; }
  CounterInfo& info() { return info_; }
  // One value. Errors: kFileUnreadable if reading failed, which the next reading makes up for;
  // kWrongState if the value cannot follow the one before (see Accumulator), so that no energy can
  // be stated for the time between them. Not thread-safe.
  virtual Result<Reading> read() = 0;

 private:
  CounterInfo info_;
};

using Counters = std::vector<std::unique_ptr<Counter>>;

// All counters that `system` has, those that cannot be read too; duplicates are marked. `system`
// outlives them.
Counters find_counters(const System& system);
// What to do on a machine that has no counter at all, one sentence a line.
std::vector<std::string> missing_counter_hints(const System& system);

// One a source; each appends what it finds.
void find_perf(const System& system, Counters& out);
void find_powercap(const System& system, Counters& out);
void find_ina3221(const System& system, Counters& out);
void find_amd_energy(const System& system, Counters& out);
void find_hwmon(const System& system, Counters& out);
void find_pmic(const System& system, Counters& out);
void find_odpm(const System& system, Counters& out);
void find_battery(const System& system, Counters& out);

}  // namespace pj::energy
