// Readings of one counter, summed up in bounded memory to the energy between the first and the
// last, or to the reason why there is none.
#pragma once

#include <array>
#include <optional>

#include "runtime/energy/counters/counter.h"
#include "runtime/energy/energy.h"

namespace pj::energy {

// What a counter saw.
struct Usage {
  std::optional<Energy> energy;  // gross, of the counter's quality
  double seconds = 0;            // between the first and the last reading
  int64_t readings = 0;
  std::string problem;  // why there is no energy
  std::string note;     // what makes the figure less sure than its interval
};

class Integrator {
 public:
  explicit Integrator(const CounterInfo& info) : info_(info) {}

  void add(const Result<Reading>& reading);
  // Of all readings so far. The interval covers what the reading leaves open (when the register was
  // renewed, rounding, scatter of samples), not the error of the sensor itself.
  Usage usage() const;

 private:
  // Consecutive spans of a sampled counter; neighbours are merged when the array is full.
  struct Span {
    double seconds = 0, joules = 0;
  };
  static constexpr size_t kSpans = 64;

  void add_sample(const Reading& reading);
  void merge_spans();
  Energy figure(double joules, double half_width) const;
  Usage accumulated(Usage usage) const;
  Usage sampled(Usage usage) const;

  const CounterInfo& info_;
  std::optional<Reading> first_, last_;
  int64_t changed_ns_ = 0;  // when an accumulating value last grew
  int64_t readings_ = 0, failures_ = 0;
  std::string failure_;  // the first
  std::string problem_;  // values that contradict each other
  std::array<Span, kSpans> spans_{};
  size_t span_count_ = 0;
  int64_t per_span_ = 1, in_span_ = 0;  // samples
};

}  // namespace pj::energy
