#include "runtime/exec/periodic.h"

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cerrno>

namespace pj {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// The clock that sleep_until() sleeps by; now_ns() need not have the same origin.
int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * kSecond + t.tv_nsec;
}

// An absolute time: however long a frame took, the next one is due when it always was.
void sleep_until(int64_t ns) {
  const timespec t{static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

struct Usage {
  double cpu_ms;
  int64_t switches;
};
Usage usage() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) * 1e-3;
  };
  return {ms(u.ru_utime) + ms(u.ru_stime), int64_t{u.ru_nvcsw} + u.ru_nivcsw};
}

double to_ms(int64_t ns) { return static_cast<double>(ns) * 1e-6; }

}  // namespace

Result<PeriodicStats> run_periodic(Session& session, int64_t period_ns, FrameFn on_frame,
                                   void* context) {
  if (period_ns <= 0)
    return error(ErrorCode::kInvalidArgument, "a period of {} ns: it has to be positive",
                 period_ns);
  PeriodicStats stats;
  const Usage before = usage();
  int64_t due = monotonic_ns();
  double total_ms = 0;
  for (bool go_on = true; go_on;) {
    const int64_t start = monotonic_ns();
    PJ_TRY(session.run());
    const int64_t latency = monotonic_ns() - start;
    total_ms += to_ms(latency);
    stats.max_latency_ms = std::max(stats.max_latency_ms, to_ms(latency));
    stats.max_wakeup_ms = std::max(stats.max_wakeup_ms, to_ms(start - due));
    go_on = on_frame(context, stats.frames++, latency);
    due += period_ns;
    const int64_t late = monotonic_ns() - due;
    if (late > 0) {
      ++stats.missed;
      due += (late + period_ns - 1) / period_ns * period_ns;
    }
    if (go_on) sleep_until(due);
  }
  const Usage after = usage();
  const auto frames = static_cast<double>(stats.frames);
  stats.mean_latency_ms = total_ms / frames;
  stats.cpu_ms = (after.cpu_ms - before.cpu_ms) / frames;
  stats.context_switches = static_cast<double>(after.switches - before.switches) / frames;
  return stats;
}

}  // namespace pj
