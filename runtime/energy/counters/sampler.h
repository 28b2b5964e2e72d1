// Reads counters in the background while something else runs.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/energy/counters/integrator.h"

namespace pj::energy {

// Reads each counter as often as it has news: sampled ones at their update period, accumulating
// ones often enough that no wrap is missed. Memory does not grow with time.
class Sampler {
 public:
  // The counters outlive the sampler, and nobody else reads them meanwhile.
  explicit Sampler(std::vector<Counter*> counters);
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  // Takes the first readings, then starts the thread. Call once.
  void start();
  // Takes the last readings and returns what each counter saw, in the order of the counters.
  std::vector<Usage> stop();

 private:
  struct Source {
    Counter* counter;
    Integrator integrator;
    int64_t period_ns, due_ns = 0;
  };
  void read_all();
  void loop();

  std::vector<Source> sources_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

// How often a sampler reads a counter.
int64_t sampling_period_ns(const CounterInfo& info);

}  // namespace pj::energy
