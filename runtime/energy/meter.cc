#include "runtime/energy/meter.h"

#include <algorithm>
#include <chrono>

#include "runtime/energy/counters/sampler.h"

namespace pj::energy {
namespace {

// One after the other. The reading after a failure spans the gap; so many leave too much open.
constexpr int kMostFailures = 10;

}  // namespace

LiveMeter::LiveMeter(Counter& counter)
    : counter_(counter), period_ns_(sampling_period_ns(counter.info())), last_(counter.read()) {
  if (counter.info().kind == CounterKind::kSampled) thread_ = std::thread([this] { loop(); });
}

LiveMeter::~LiveMeter() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Meter LiveMeter::meter() const {
  Meter meter;
  meter.kind = counter_.info().kind;
  if (const int64_t period = counter_.info().update_period_ns; period > 0)
    meter.update_period_ns = period;
  if (meter.kind == CounterKind::kSampled)
    meter.update_period_ns = std::max(meter.update_period_ns, period_ns_);
  return meter;
}

Result<double> LiveMeter::joules() {
  if (counter_.info().kind == CounterKind::kAccumulating) {
    PJ_ASSIGN(const Reading reading, counter_.read());
    return reading.value;
  }
  const std::scoped_lock lock(mutex_);
  PJ_TRY(last_);
  return joules_;
}

void LiveMeter::add(const Result<Reading>& reading) {
  if (!last_) return;
  if (reading)
    joules_ += reading->value * static_cast<double>(reading->time_ns - last_->time_ns) * 1e-9;
  failures_ = reading ? 0 : failures_ + 1;
  if (reading || failures_ > kMostFailures) last_ = reading;
}

void LiveMeter::loop() {
  std::unique_lock lock(mutex_);
  while (
      !wake_.wait_for(lock, std::chrono::nanoseconds(period_ns_), [this] { return stopping_; })) {
    lock.unlock();
    const Result<Reading> reading = counter_.read();  // some take long
    lock.lock();
    add(reading);
  }
}

}  // namespace pj::energy
