// pj profile --trace: Chrome's trace events (its Trace Event Format document), one row a thread;
// times in microseconds.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/energy_json.h"
#include "cli/profile_report.h"
#include "cli/step_traffic.h"

namespace pj::cli {
namespace {

constexpr int kProcess = 1;

double us(int64_t ns) { return static_cast<double>(ns) * 1e-3; }

Json metadata(const char* what, int thread, const std::string& name) {
  return Json{{"ph", "M"},
              {"pid", kProcess},
              {"tid", thread},
              {"name", what},
              {"args", Json{{"name", name}}}};
}

// Workers' pieces of a step have its name only; the rest is said once, where the step is.
Json span_event(const ProfileReport& report, const Trace::Span& span) {
  const Step& step = report.step(span.step);
  Json event{{"ph", "X"},
             {"pid", kProcess},
             {"tid", span.thread},
             {"ts", us(span.begin_ns)},
             {"dur", us(span.end_ns - span.begin_ns)},
             {"cat", "step"},
             {"name", step.name.empty() ? step.op : step.name}};
  if (span.thread != 0) return event;
  Json args{{"step", span.step},
            {"op", step.op},
            {"kernel", kernel_name(report.session(), step)},
            {"macs", step.macs},
            {"bound", report.bounds[span.step].name}};
  add_traffic(args, report.traffic[span.step]);
  add_energy(args, report.energies.step(span.step));
  event["args"] = args;
  return event;
}

// A track each for the figure and the ends of its interval: one track's values would be stacked.
void add_power(const Trace& trace, Json& events) {
  for (const Trace::Power& p : trace.power) {
    const double seconds = static_cast<double>(p.end_ns - p.begin_ns) * 1e-9;
    Json watts;
    add_energy(watts, &p.energy);
    const std::string label = fmt::format("power of {} ({}, {})", trace.meter,
                                          name_of(p.energy.source()), name_of(p.energy.policy()));
    for (const auto& [member, suffix] :
         {std::pair("energy_uj", ""), std::pair("energy_low_uj", " low"),
          std::pair("energy_high_uj", " high")})
      events.push_back(Json{{"ph", "C"},
                            {"pid", kProcess},
                            {"ts", us(p.begin_ns)},
                            {"name", label + suffix},
                            {"args", Json{{"W", watts[member].get<double>() * 1e-6 / seconds}}}});
  }
}

}  // namespace

Json to_trace_json(const ProfileReport& report, const Trace& trace) {
  Json events = Json::array();
  events.push_back(metadata("process_name", 0, "pj " + report.open.name));
  int threads = 1;
  for (const Trace::Span& span : trace.spans) threads = std::max(threads, span.thread + 1);
  for (int thread = 0; thread < threads; ++thread)
    events.push_back(metadata("thread_name", thread,
                              thread == 0 ? "session" : fmt::format("worker {}", thread)));
  for (const auto& [begin, end] : trace.runs)
    events.push_back(Json{{"ph", "X"},
                          {"pid", kProcess},
                          {"tid", 0},
                          {"ts", us(begin)},
                          {"dur", us(end - begin)},
                          {"cat", "run"},
                          {"name", "run"}});
  for (const Trace::Span& span : trace.spans) events.push_back(span_event(report, span));
  add_power(trace, events);
  return Json{
      {"displayTimeUnit", "ns"},
      {"traceEvents", events},
      {"otherData", Json{{"model", report.open.name}, {"energy_origin", report.energies.origin}}}};
}

}  // namespace pj::cli
