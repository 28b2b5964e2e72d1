#include "runtime/energy/counters/sampler.h"

#include <algorithm>
#include <chrono>

#include "runtime/base/clock.h"

namespace pj::energy {

int64_t sampling_period_ns(const CounterInfo& info) {
  constexpr int64_t kSlow = 100'000'000, kFastest = 2'000'000;
  if (info.kind == CounterKind::kAccumulating || info.update_period_ns == 0) return kSlow;
  return std::max(info.update_period_ns, kFastest);
}

Sampler::Sampler(std::vector<Counter*> counters) {
  sources_.reserve(counters.size());
  for (Counter* counter : counters)
    sources_.push_back({counter, Integrator(counter->info()), sampling_period_ns(counter->info())});
}

Sampler::~Sampler() {
  if (thread_.joinable()) stop();
}

void Sampler::read_all() {
  for (Source& source : sources_) source.integrator.add(source.counter->read());
}

void Sampler::start() {
  read_all();
  for (Source& source : sources_) source.due_ns = now_ns() + source.period_ns;
  if (!sources_.empty()) thread_ = std::thread([this] { loop(); });
}

void Sampler::loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    int64_t next = INT64_MAX;
    for (const Source& source : sources_) next = std::min(next, source.due_ns);
    const int64_t wait = next - now_ns();
    if (wait > 0 &&
        wake_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return stopping_; }))
      return;
    for (Source& source : sources_) {
      if (source.due_ns > now_ns()) continue;
      source.integrator.add(source.counter->read());
      // Late readings are not caught up with.
      source.due_ns = std::max(source.due_ns + source.period_ns, now_ns());
    }
  }
}

std::vector<Usage> Sampler::stop() {
  if (thread_.joinable()) {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  read_all();
  std::vector<Usage> usages;
  for (const Source& source : sources_) usages.push_back(source.integrator.usage());
  return usages;
}

}  // namespace pj::energy
