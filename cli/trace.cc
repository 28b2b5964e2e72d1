#include "cli/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "cli/errors.h"
#include "cli/inputs.h"
#include "runtime/base/clock.h"
#include "runtime/energy/meter.h"

namespace pj::cli {
namespace {

using energy::Energy;

constexpr int64_t kMostRuns = 20;
constexpr size_t kMostSpans = 20'000;
constexpr int64_t kPowerNs = 500'000'000;  // of running, where there is a counter
constexpr int64_t kMostPowerSamples = 100;

// Any pool, noting when each of its threads works.
class TracingPool final : public ThreadPool {
 public:
  explicit TracingPool(std::unique_ptr<ThreadPool> pool)
      : pool_(std::move(pool)), spans_(static_cast<size_t>(pool_->threads())) {
    for (auto& spans : spans_) spans.reserve(kMostSpans);
  }
  int threads() const override { return pool_->threads(); }
  ::pthreadpool* pthreadpool() override { return pool_->pthreadpool(); }
  void run(int slots, Work work, void* context, bool last) override {
    struct Region {
      TracingPool& pool;
      Work work;
      void* context;
    } region{*this, work, context};
    pool_->run(
        slots,
        [](void* r, int slot) {
          auto& [pool, work_of_slot, its_context] = *static_cast<Region*>(r);
          const int64_t begin = now_ns();
          work_of_slot(its_context, slot);
          // A slot's own list: no two threads write to one.
          auto& spans = pool.spans_[static_cast<size_t>(slot)];
          if (spans.size() < spans.capacity())
            spans.push_back({thread_number(), pool.step, begin, now_ns()});
        },
        &region, last);
  }
  const std::vector<std::vector<Trace::Span>>& spans() const { return spans_; }

  size_t step = 0;  // that runs now

 private:
  // Threads are numbered when they are first seen; the session's own was seen before.
  static int thread_number() {
    static std::atomic<int> next{0};
    thread_local const int number = next++;
    return number;
  }

 public:
  static int number_this_thread() { return thread_number(); }

 private:
  std::unique_ptr<ThreadPool> pool_;
  std::vector<std::vector<Trace::Span>> spans_;  // one list a slot
};

// Joules of pieces of time, sampled by a thread of its own.
class PowerTrack {
 public:
  explicit PowerTrack(energy::Counter& counter) : meter_(counter) {
    const auto known = meter_.meter();
    period_ns_ = 4 * known.update_period_ns;
    // Both ends of a piece are off by up to an update, evenly spread.
    error_ns_ = 1.96 * static_cast<double>(known.update_period_ns) / std::sqrt(6.0);
    thread_ = std::thread([this] { loop(); });
  }
  std::vector<Trace::Power> stop() {
    stopping_ = true;
    thread_.join();
    return std::move(samples_);
  }

 private:
  void loop() {
    auto before = meter_.joules();
    int64_t begin = now_ns();
    while (!stopping_) {
      std::this_thread::sleep_for(std::chrono::nanoseconds(period_ns_));
      const auto after = meter_.joules();
      const int64_t end = now_ns();
      if (before && after && samples_.size() < kMostPowerSamples) {
        const double joules = *after - *before;
        const double half = joules * std::min(1.0, error_ns_ / static_cast<double>(end - begin));
        samples_.push_back({begin, end,
                            Energy(joules, joules - half, joules + half,
                                   energy::EnergySource::kMeasured, energy::IdlePolicy::kGross)});
      }
      before = after;
      begin = end;
    }
  }

  energy::LiveMeter meter_;
  int64_t period_ns_ = 0;
  double error_ns_ = 0;
  std::atomic<bool> stopping_{false};
  std::vector<Trace::Power> samples_;
  std::thread thread_;
};

// A session like that of `open` whose threads are watched.
std::unique_ptr<Session> traced_session(const OpenModel& open, TracingPool& pool) {
  SessionOptions options;
  options.pool = &pool;
  auto traced = unwrap(Session::create(open.model, options));
  complete_shapes(*traced);
  fill_random(*traced);
  return traced;
}

}  // namespace

Trace take_trace(const OpenModel& open, energy::Counter* counter) {
  const Session& session = *open.session;
  const bool prepared = session.model().options().prepared != nullptr;
  TracingPool pool(
      unwrap(make_pool(prepared ? PoolKind::kPthreadpool : PoolKind::kBuiltin, session.threads())));
  TracingPool::number_this_thread();
  const auto traced = traced_session(open, pool);
  unwrap(traced->run());  // warms up
  std::unique_ptr<PowerTrack> power;
  if (counter != nullptr) power = std::make_unique<PowerTrack>(*counter);
  Trace trace;
  trace.threads = session.threads();
  const size_t steps = traced->program().steps.size();
  struct Watch {
    TracingPool& pool;
    Trace& trace;
    int64_t before;
  } watch{pool, trace, 0};
  trace.spans.reserve(kMostSpans);
  const int64_t start = now_ns();
  for (auto runs = size_t{0}; runs < kMostRuns && (runs + 1) * steps < kMostSpans; ++runs) {
    pool.step = 0;
    const int64_t begin = watch.before = now_ns();
    unwrap(traced->run(
        [](void* w, size_t step) {
          auto& [its_pool, its_trace, before] = *static_cast<Watch*>(w);
          const int64_t now = now_ns();
          its_trace.spans.push_back({0, step, before, now});
          before = now;
          its_pool.step = step + 1;
        },
        &watch));
    trace.runs.emplace_back(begin, now_ns());
  }
  while (power && now_ns() - start < kPowerNs) unwrap(traced->run());
  if (power) {
    trace.power = power->stop();
    std::erase_if(trace.power, [&](const Trace::Power& p) { return p.begin_ns < start; });
    trace.meter = fmt::format("{} {}", counter->info().source, counter->info().domain);
  }
  // Workers' pieces beside the session's own thread, whose steps cover its pieces.
  for (const auto& spans : pool.spans())
    for (const Trace::Span& span : spans)
      if (span.thread != 0 && span.begin_ns >= start && span.step < steps)
        trace.spans.push_back(span);
  // Threads in the order in which they were first busy, without gaps.
  std::vector<int> numbers{0};
  for (Trace::Span& span : trace.spans) {
    const auto known = std::find(numbers.begin(), numbers.end(), span.thread);
    const auto row = static_cast<int>(known - numbers.begin());
    if (known == numbers.end()) numbers.push_back(span.thread);
    span.thread = row;
    span.begin_ns -= start, span.end_ns -= start;
  }
  for (auto& [begin, end] : trace.runs) begin -= start, end -= start;
  for (Trace::Power& p : trace.power) p.begin_ns -= start, p.end_ns -= start;
  return trace;
}

}  // namespace pj::cli
