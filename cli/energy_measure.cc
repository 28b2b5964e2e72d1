// pj energy measure: what a command costs in joules, or which of two costs less.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/energy_json.h"
#include "cli/energy_options.h"
#include "cli/errors.h"
#include "cli/spawn.h"
#include "runtime/base/clock.h"
#include "runtime/energy/comparison.h"
#include "runtime/energy/counters/sampler.h"
#include "runtime/energy/meter.h"
#include "runtime/metering/step_counter.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::vector<Counter*> usable_counters(const System& system, const Counters& counters) {
  std::vector<Counter*> usable;
  for (const auto& counter : counters)
    if (counter->info().usable()) usable.push_back(counter.get());
  if (usable.empty()) fail("{}", no_counter_message(system, counters));
  return usable;
}

struct MeasureOptions {
  bool json = false;
  double seconds = 60;  // of comparing
  std::string counter;
};

struct Measurement {
  std::vector<Usage> usages;  // one a counter
  double seconds = 0;         // that the command ran
  int exit_status = 0;
};

Measurement measure(const std::vector<Counter*>& counters, const Args& command, bool json) {
  Measurement m;
  Sampler sampler(counters);
  sampler.start();
  const int64_t begin = now_ns();
  // Standard output is for the JSON alone.
  m.exit_status =
      run_program(command, json ? ChildOutput::kToStandardError : ChildOutput::kInherited);
  m.seconds = static_cast<double>(now_ns() - begin) * 1e-9;
  m.usages = sampler.stop();
  return m;
}

Json usage_json(const CounterInfo& info, const Usage& usage) {
  Json json{{"source", info.source},
            {"domain", info.domain},
            {"within", or_null(info.within)},
            {"seconds", usage.seconds},
            {"readings", usage.readings}};
  add_energy(json, usage.energy ? &*usage.energy : nullptr);
  json["problem"] = or_null(usage.problem);
  json["note"] = or_null(info.note.empty() ? usage.note : info.note);
  return json;
}

void print_measurement(const std::vector<Counter*>& counters, const Measurement& m) {
  fmt::print(stderr, "\n{:.4g} s\n", m.seconds);
  for (size_t i = 0; i < counters.size(); ++i) {
    const CounterInfo& info = counters[i]->info();
    const Usage& usage = m.usages[i];
    fmt::print(stderr, "\n{} {}{}\n", info.source, printable(info.domain),
               info.within.empty() ? "" : fmt::format(", a part of {}", printable(info.within)));
    if (usage.energy) {
      fmt::print(stderr, "  {}\n  {}\n", usage.energy->text(),
                 usage.energy->watts_text(usage.seconds));
    } else {
      fmt::print(stderr, "  no figure: {}\n", printable(usage.problem));
    }
    for (const std::string& note : {info.note, usage.note})
      if (!note.empty()) fmt::print(stderr, "  note: {}\n", printable(note));
  }
}

int measure(const Args& command, bool json) {
  const HostSystem system;
  const Counters all = find_counters(system);
  const std::vector<Counter*> counters = usable_counters(system, all);
  const Measurement m = measure(counters, command, json);
  if (json) {
    Json usages = Json::array();
    for (size_t i = 0; i < counters.size(); ++i)
      usages.push_back(usage_json(counters[i]->info(), m.usages[i]));
    print_json(Json{{"command", command},
                    {"exit_status", m.exit_status},
                    {"seconds", m.seconds},
                    {"counters", usages}});
  } else {
    print_measurement(counters, m);
  }
  return m.exit_status;
}

// --- two commands --------------------------------------------------------------------------------

// Two commands as the steps of a bench. A command that fails makes every later reading fail: the
// code that measures knows no exceptions.
class CommandBench final : public Bench {
 public:
  CommandBench(const Args& a, const Args& b, LiveMeter& meter) : commands_{a, b}, meter_(meter) {}

  size_t steps() const override { return commands_.size(); }
  void prepare(size_t) override {}
  void run(size_t step, int64_t repetitions) override {
    for (; repetitions > 0 && failure_.empty(); --repetitions) run_once(commands_[step]);
  }
  void run_all(int64_t repetitions) override {
    for (size_t step = 0; step < steps(); ++step) run(step, repetitions);
  }
  void idle(int64_t ns) override { std::this_thread::sleep_for(std::chrono::nanoseconds(ns)); }
  int64_t now_ns() override { return pj::now_ns(); }
  Result<double> joules() override {
    if (!failure_.empty()) return error(ErrorCode::kWrongState, "{}", failure_);
    return meter_.joules();
  }

 private:
  void run_once(const Args& command) {
    try {
      const int status = run_program(command, ChildOutput::kToStandardError);
      if (status != 0) failure_ = fmt::format("'{}' ended with exit status {}", command[0], status);
    } catch (const Failure& failure) {
      failure_ = failure.what();
    }
  }

  std::vector<Args> commands_;
  LiveMeter& meter_;
  std::string failure_;
};

const char* verdict_text(Comparison::Verdict verdict) {
  switch (verdict) {
    case Comparison::Verdict::kFirstNeedsLess:
      return "the first needs less";
    case Comparison::Verdict::kSecondNeedsLess:
      return "the second needs less";
    case Comparison::Verdict::kUndecided:
      break;
  }
  return "no difference that is certain";
}

int measure_two(const Args& a, const Args& b, const MeasureOptions& o) {
  const HostSystem system;
  const Counters counters = find_counters(system);
  Counter& counter = *unwrap(step_counter(system, counters, o.counter));
  LiveMeter meter(counter);
  CommandBench bench(a, b, meter);
  const Comparison c =
      unwrap(compare(bench, meter.meter(), 0, 1, static_cast<int64_t>(o.seconds * 1e9)));
  const char* quality = name_of(counter.info().quality);
  const char* policy = name_of(IdlePolicy::kGross);
  if (o.json) {
    print_json(Json{{"first", a},
                    {"second", b},
                    {"counter", counter.info().source + ":" + counter.info().domain},
                    {"relative", c.relative},
                    {"low", c.low},
                    {"high", c.high},
                    {"confidence", c.confidence},
                    {"energy_source", quality},
                    {"idle_policy", policy},
                    {"blocks", c.blocks},
                    {"verdict", verdict_text(c.verdict())}});
    return kOk;
  }
  fmt::print(
      "the first needs {:+.2f} % [{:+.2f}, {:+.2f}] of the second's energy more or less: {}\n"
      "{} {}, {}, {}; {} blocks A B B A, {:.0f} % interval\n",
      c.relative * 100, c.low * 100, c.high * 100, verdict_text(c.verdict()), counter.info().source,
      printable(counter.info().domain), quality, policy, c.blocks, c.confidence * 100);
  return kOk;
}

}  // namespace

int energy_measure_command(const Args& args) {
  const auto dashes = std::find(args.begin(), args.end(), "--");
  const auto versus = std::find(dashes, args.end(), "--vs");
  MeasureOptions o;
  Parser parser("Measure the energy of the machine while a command runs, or compare two commands.",
                "pj energy measure [OPTIONS] -- CMD [--vs CMD]");
  parser.flag("--json", o.json, "one JSON object; the commands' output goes to standard error");
  parser.option("--seconds", o.seconds, "for two commands: time to measure (default: 60)")
      .range(0.1, 86400.0)
      .type_name("S");
  parser.option("--counter", o.counter, std::string("for two commands: ") + kCounterHelp)
      .type_name("DOMAIN");
  parser.footer(
      "The report on one command goes to standard error. Intervals cover what reading the counter\n"
      "leaves open, not the sensor's own error; the energy is that of all that ran meanwhile. The\n"
      "exit status is that of the command, or 1 if no counter can be read: then it does not "
      "run.\n\n"
      "With --vs both commands run many times in blocks A B B A, which takes out the drift of a\n"
      "machine that warms up. Their output goes to standard error; both have to succeed.\n\n"
      "Examples:\n"
      "  pj energy measure -- pj bench builtin:fashion --seconds 5\n"
      "  pj energy measure --json -- ./robot 2>log | jq .counters\n"
      "  pj energy measure -- pj bench a.pj --runs 500 --vs pj bench b.pj --runs 500 2>/dev/null");
  if (const auto status = parser.parse(Args(args.begin(), dashes))) return *status;
  if (dashes == args.end() || dashes + 1 == versus)
    usage_error("which command? pj energy measure -- CMD (see `pj energy measure --help`)");
  const Args first(dashes + 1, versus);
  if (versus == args.end()) return measure(first, o.json);
  if (versus + 1 == args.end())
    usage_error("which second command? pj energy measure -- CMD --vs CMD");
  return measure_two(first, Args(versus + 1, args.end()), o);
}

}  // namespace pj::cli
