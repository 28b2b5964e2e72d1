#include "runtime/metering/step_counter.h"

namespace pj::energy {
namespace {

std::string full_name(const CounterInfo& info) { return info.source + ":" + info.domain; }

bool is_package(const CounterInfo& info) {
  return info.domain.starts_with("package-") && info.domain.find('/') == std::string::npos;
}

// Batteries are renewed too seldom, and a fit is no measurement.
bool measures_steps(const CounterInfo& info) {
  return info.usable() && info.within.empty() && info.source != "battery" &&
         info.quality == EnergySource::kMeasured;
}

std::vector<Counter*> candidates(const Counters& counters, CounterKind kind) {
  std::vector<Counter*> found;
  for (const auto& counter : counters) {
    const CounterInfo& info = counter->info();
    if (measures_steps(info) && info.kind == kind &&
        (kind == CounterKind::kSampled || is_package(info)))
      found.push_back(counter.get());
  }
  return found;
}

Result<Counter*> named_counter(const Counters& counters, const std::string& wanted) {
  std::string names;
  for (const auto& counter : counters) {
    const CounterInfo& info = counter->info();
    if (!info.duplicate_of.empty()) continue;
    if (info.domain == wanted || full_name(info) == wanted) {
      if (info.readable()) return counter.get();
      return error(ErrorCode::kPlatformUnsupported, "counter '{}' cannot be read: {}{}{}",
                   full_name(info), info.problem, info.fix.empty() ? "" : "; ", info.fix);
    }
    names += (names.empty() ? "" : ", ") + full_name(info);
  }
  return error(ErrorCode::kInvalidArgument, "no counter '{}'; there are: {}", wanted, names);
}

}  // namespace

std::string no_counter_message(const System& system, const Counters& counters) {
  if (counters.empty()) {
    std::string hints;
    for (const std::string& hint : missing_counter_hints(system)) hints += "; " + hint;
    return "no power counter on this machine" + hints;
  }
  const CounterInfo& first = counters.front()->info();
  return fmt::format("no power counter can be read: {} {}: {}{}{} (`pj energy list` shows all)",
                     first.source, first.domain, first.problem, first.fix.empty() ? "" : "; ",
                     first.fix);
}

Result<Counter*> step_counter(const System& system, const Counters& counters,
                              const std::string& wanted) {
  bool any = false;
  for (const auto& counter : counters) any = any || counter->info().usable();
  if (!any)
    return error(ErrorCode::kPlatformUnsupported, "{}", no_counter_message(system, counters));
  if (!wanted.empty()) return named_counter(counters, wanted);
  for (const CounterKind kind : {CounterKind::kAccumulating, CounterKind::kSampled}) {
    const std::vector<Counter*> found = candidates(counters, kind);
    if (found.size() == 1) return found.front();
    std::string names;
    for (const Counter* counter : found)
      names += (names.empty() ? "" : ", ") + full_name(counter->info());
    if (found.size() > 1)
      return error(ErrorCode::kInvalidArgument,
                   "several counters could be meant: {}; choose one with --counter", names);
  }
  return error(ErrorCode::kInvalidArgument,
               "no counter covers the CPU alone or the whole board: choose one of `pj energy list` "
               "with --counter");
}

}  // namespace pj::energy
