#include "runtime/energy/window.h"

#include <cmath>

namespace pj::energy {
namespace {

constexpr int64_t kSlowestEdgeNs = 20'000'000;
constexpr int64_t kEdgePeriods = 8;  // of an edge-synchronised window
constexpr int64_t kLeastSamples = 100, kLeadSamples = 5;

struct Edge {
  double joules;
  int64_t time_ns;
};

// Spins until the counter moves.
Result<Edge> next_edge(Bench& bench, const Meter& meter) {
  PJ_ASSIGN(const double before, bench.joules());
  const int64_t begin = bench.now_ns();
  // Longer than a busy machine may keep this thread from looking.
  const int64_t patience = 50 * meter.update_period_ns + 1'000'000'000;
  for (;;) {
    PJ_ASSIGN(const double joules, bench.joules());
    const int64_t now = bench.now_ns();
    if (joules != before) return Edge{joules, now};
    if (now - begin > patience)
      return error(ErrorCode::kWrongState, "the power counter did not move for {} ms",
                   (now - begin) / 1'000'000);
  }
}

Result<Edge> read_now(Bench& bench) {
  PJ_ASSIGN(const double joules, bench.joules());
  return Edge{joules, bench.now_ns()};
}

// Spinning is what next_edge does: reading the counter again and again.
Status do_work(Bench& bench, const Work& work) {
  switch (work.kind) {
    case WorkKind::kStep:
      bench.run(work.step, work.repetitions);
      return {};
    case WorkKind::kContext:
      bench.run_in_context(work.step, work.repetitions, 1);
      return {};
    case WorkKind::kWhole:
      bench.run_all(work.inferences);
      return {};
    case WorkKind::kIdle:
      bench.idle(work.ns);
      return {};
    case WorkKind::kSpin:
      for (const int64_t end = bench.now_ns() + work.ns; bench.now_ns() < end;)
        PJ_TRY(bench.joules());
      return {};
  }
  return {};
}

double seconds_between(int64_t begin_ns, int64_t end_ns) {
  return static_cast<double>(end_ns - begin_ns) * 1e-9;
}

// What a sampled meter shows is some samples old. The same work before the first reading makes
// both readings late by the same power, which cancels.
Work lead_in(const Work& work) {
  Work lead = work;
  lead.repetitions = work.repetitions * kLeadSamples / kLeastSamples + 1;
  lead.inferences = work.inferences * kLeadSamples / kLeastSamples + 1;
  lead.ns = work.ns * kLeadSamples / kLeastSamples;
  return lead;
}

}  // namespace

WindowRule window_rule(const Meter& meter, double error) {
  if (meter.kind == CounterKind::kSampled) return {false, kLeastSamples * meter.update_period_ns};
  if (meter.update_period_ns <= kSlowestEdgeNs)
    return {true, kEdgePeriods * meter.update_period_ns};
  const double length = static_cast<double>(meter.update_period_ns) / (std::sqrt(6.0) * error);
  return {false, static_cast<int64_t>(std::ceil(length))};
}

int64_t lead_in_ns(const Meter& meter) {
  return meter.kind == CounterKind::kSampled ? kLeadSamples * meter.update_period_ns : 0;
}

Result<WindowReading> read_window(Bench& bench, const Meter& meter, bool edges, const Work& work) {
  if (work.kind == WorkKind::kStep) bench.prepare(work.step);
  if (work.kind == WorkKind::kContext) bench.prepare_in_context(work.step);
  if (meter.kind == CounterKind::kSampled) PJ_TRY(do_work(bench, lead_in(work)));
  PJ_ASSIGN(const Edge begin, edges ? next_edge(bench, meter) : read_now(bench));
  PJ_TRY(do_work(bench, work));
  const int64_t done = bench.now_ns();
  // What a counter shows may be up to a period old even when it moves: the first edge can be one of
  // the time when the work still ran. At the second one the lag covers spinning only, as it did at
  // the beginning, and cancels.
  if (edges) PJ_TRY(next_edge(bench, meter));
  PJ_ASSIGN(const Edge end, edges ? next_edge(bench, meter) : read_now(bench));
  return WindowReading{end.joules - begin.joules, seconds_between(begin.time_ns, done),
                       seconds_between(done, end.time_ns)};
}

}  // namespace pj::energy
