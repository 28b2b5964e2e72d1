// The two kinds of counters that read files with one number, and how failures to read are told.
#pragma once

#include "runtime/energy/counters/accumulator.h"
#include "runtime/energy/counters/counter.h"

namespace pj::energy {

// A file that holds counts of `joules_per_count`.
class EnergyFile : public Counter {
 public:
  EnergyFile(const System& system, CounterInfo info, double joules_per_count, uint64_t range)
      : Counter(std::move(info)),
        system_(system),
        accumulator_(joules_per_count, range, this->info().update_period_ns) {}
  Result<Reading> read() override;

 private:
  const System& system_;
  Accumulator accumulator_;
};

// Power as the product of up to two files: power alone, or voltage and current.
class PowerFiles : public Counter {
 public:
  // `second` may be empty. Watts are the product times `scale`. With `either_sign` a negative
  // product counts by its size (batteries), otherwise as 0 (noise around zero).
  PowerFiles(const System& system, CounterInfo info, std::string first, std::string second,
             double scale, bool either_sign = false)
      : Counter(std::move(info)),
        system_(system),
        first_(std::move(first)),
        second_(std::move(second)),
        scale_(scale),
        either_sign_(either_sign) {}
  Result<Reading> read() override;

 private:
  const System& system_;
  std::string first_, second_;
  double scale_;
  bool either_sign_;
};

// Why `path` cannot be read, as info.problem says it, and info.fix for files that only root may
// read. Leaves both empty if it can be read.
void check_readable(const System& system, const std::string& path, CounterInfo& info);

}  // namespace pj::energy
