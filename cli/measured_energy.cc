#include "cli/measured_energy.h"

#include <chrono>
#include <thread>

#include "runtime/base/clock.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

class SessionBench final : public Bench {
 public:
  SessionBench(Session& session, Counter& counter) : session_(session), counter_(counter) {}

  size_t steps() const override { return session_.program().steps.size(); }
  void prepare(size_t step) override { keep(session_.run_steps(0, step)); }
  void run(size_t step, int64_t repetitions) override {
    for (int64_t i = 0; i < repetitions; ++i) keep(session_.run_steps(step, step + 1));
  }
  void run_all(int64_t repetitions) override {
    for (int64_t i = 0; i < repetitions; ++i) keep(session_.run());
  }
  void idle(int64_t ns) override { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }
  int64_t now_ns() override { return pj::now_ns(); }
  Result<double> joules() override {
    PJ_ASSIGN(const Reading reading, counter_.read());
    return reading.value;
  }

  const Status& status() const { return status_; }

 private:
  void keep(const Status& status) {
    if (status_ && !status) status_ = status;
  }

  Session& session_;
  Counter& counter_;
  Status status_;  // the first failure of a step
};

}  // namespace

Counter* step_counter(const Counters& counters) {
  Counter* found = nullptr;
  for (const auto& counter : counters) {
    const CounterInfo& info = counter->info();
    if (!info.usable() || info.kind != CounterKind::kAccumulating ||
        !info.domain.starts_with("package-") || info.domain.find('/') != std::string::npos)
      continue;
    if (found != nullptr) return nullptr;
    found = counter.get();
  }
  return found;
}

Result<Attribution> measure_steps(Session& session, Counter& counter) {
  SessionBench bench(session, counter);
  Meter meter;
  meter.update_period_ns = counter.info().update_period_ns;
  auto result = attribute(bench, meter, {});
  if (result) PJ_TRY(bench.status());
  return result;
}

}  // namespace pj::cli
