// Any counter as one that accumulates: joules so far, whenever they are asked for.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/energy/window.h"

namespace pj::energy {

// A counter that shows the power of a moment is read by a thread of its own, as often as it has
// news, and its power summed up over time. That thread sleeps between readings; what it costs is
// in every figure, those of spinning and resting too.
class LiveMeter {
 public:
  // The counter outlives the meter, and nobody else reads it meanwhile.
  explicit LiveMeter(Counter& counter);
  ~LiveMeter();
  LiveMeter(const LiveMeter&) = delete;
  LiveMeter& operator=(const LiveMeter&) = delete;

  // What windows need to know of it.
  Meter meter() const;
  // Errors: those of Counter::read; those of a sampled counter that fails again and again last.
  Result<double> joules();

 private:
  void loop();
  void add(const Result<Reading>& reading);

  Counter& counter_;
  int64_t period_ns_ = 0;  // of sampling
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  Result<Reading> last_;
  double joules_ = 0;  // until the last reading
  int failures_ = 0;   // since then
  std::thread thread_;
};

}  // namespace pj::energy
