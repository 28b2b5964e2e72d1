// Energy from what was done: E = sum of coefficient * amount, over time, arithmetic and bytes
// moved.
//
// Coefficients come from counters of this machine (calibration.h) or from published figures of
// others (prior.h), and every estimate says which. They predict energy well without being physical
// constants: bytes and time go together in most layers, and a fit shares their energy among them as
// it likes. Never publish one as "pJ per byte".
#pragma once

#include <array>
#include <string>

#include "runtime/energy/energy.h"

namespace pj::energy {

enum class Term : uint8_t {
  kSeconds,      // of wall-clock time
  kCoreSeconds,  // of time, summed over the threads that worked
  kMacInt8,      // multiply-accumulates
  kMacF16,
  kMacF32,
  kByteL1,  // bytes that kernels read and write in the first cache
  kByteL2,  // bytes that pass between it and what is behind it
  kByteL3,  // between L2 and L3
  kByteDram,
};
inline constexpr size_t kTermCount = 9;

// Names in files: "seconds", "mac_int8", ...
const char* name_of(Term term);

// An amount, or a coefficient in joules, of each term.
struct Terms {
  std::array<double, kTermCount> values{};

  double& operator[](Term term) { return values[static_cast<size_t>(term)]; }
  double operator[](Term term) const { return values[static_cast<size_t>(term)]; }
  double& operator[](size_t term) { return values[term]; }
  double operator[](size_t term) const { return values[term]; }
};

struct EnergyModel {
  Terms joules, low, high;                     // a unit of each term: 0 <= low <= joules <= high
  EnergySource source = EnergySource::kPrior;  // never kMeasured
  IdlePolicy policy = IdlePolicy::kGross;
  std::string origin;    // where the coefficients come from, for people
  std::string cpu;       // cpu_identity() of the machine that was measured; empty: unknown
  double clock_ghz = 0;  // at which it was measured; 0: unknown
  double held_out_error =
      0;  // of a calibrated model: mean relative error on models it has not seen

  // The interval is as wide as the coefficients' ranges.
  Energy estimate(const Terms& amounts) const;
  // Of doing `a` instead of `b`: their errors are the same coefficients', so that the interval is
  // narrower than theirs, and may exclude 0 where theirs overlap.
  Energy difference(const Terms& a, const Terms& b) const;
};

}  // namespace pj::energy
