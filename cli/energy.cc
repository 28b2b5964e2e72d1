// pj energy: which power counters this machine has, what a command costs in joules, and how joules
// are computed where nothing is measured.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/energy_model.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "runtime/energy/counters/counter.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

const char* kind_name(CounterKind kind) {
  return kind == CounterKind::kAccumulating ? "accumulating" : "sampled";
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }
Json or_null(double value) { return value > 0 ? Json(value) : Json(); }

std::string period_text(int64_t ns) {
  return ns > 0 ? fmt::format("{:.3g} ms", static_cast<double>(ns) * 1e-6) : "?";
}

std::string status_text(const CounterInfo& info) {
  if (!info.readable()) return "unreadable";
  return info.duplicate_of.empty() ? "readable" : "same as " + info.duplicate_of;
}

// --- list ----------------------------------------------------------------------------------------

Json counter_json(const CounterInfo& info) {
  const bool joules = info.kind == CounterKind::kAccumulating;
  return Json{{"source", info.source},
              {"domain", info.domain},
              {"where", info.where},
              {"unit", info.unit},
              {"kind", kind_name(info.kind)},
              {joules ? "resolution_uj" : "resolution_uw", or_null(info.resolution * 1e6)},
              {"update_period_ms", or_null(static_cast<double>(info.update_period_ns) * 1e-6)},
              {"within", or_null(info.within)},
              {"duplicate_of", or_null(info.duplicate_of)},
              {"readable", info.readable()},
              {"problem", or_null(info.problem)},
              {"fix", or_null(info.fix)},
              {"note", or_null(info.note)}};
}

void print_counters(const Counters& counters) {
  Table table({{"source", false},
               {"domain", false},
               {"kind", false},
               {"unit", false},
               {"period", true},
               {"within", false},
               {"status", false}});
  for (const auto& counter : counters) {
    const CounterInfo& info = counter->info();
    table.add({info.source, printable(info.domain), kind_name(info.kind), info.unit,
               period_text(info.update_period_ns), info.within.empty() ? "-" : info.within,
               status_text(info)});
  }
  fmt::print("{}", table.to_string());
}

// What several counters in a row share is said once.
void print_problems(const Counters& counters) {
  std::string last;
  for (const auto& counter : counters) {
    const CounterInfo& info = counter->info();
    std::string text;
    if (!info.readable()) text = "  cannot be read: " + printable(info.problem) + "\n";
    if (!info.fix.empty()) text += "  " + printable(info.fix) + "\n";
    if (!info.note.empty()) text += "  note: " + printable(info.note) + "\n";
    if (text.empty() || text == last) continue;
    fmt::print("\n{} {}\n{}", info.source, printable(info.domain), text);
    last = text;
  }
}

int list(bool json) {
  const HostSystem system;
  const Counters counters = find_counters(system);
  if (json) {
    Json all = Json::array(), hints = Json::array();
    for (const auto& counter : counters) all.push_back(counter_json(counter->info()));
    if (counters.empty())
      for (const std::string& hint : missing_counter_hints(system)) hints.push_back(hint);
    print_json(Json{{"counters", all}, {"hints", hints}});
    return kOk;
  }
  if (counters.empty()) {
    fmt::print("No power counter found.\n");
    for (const std::string& hint : missing_counter_hints(system)) fmt::print("  {}\n", hint);
    return kOk;
  }
  print_counters(counters);
  print_problems(counters);
  return kOk;
}

int list_command(const Args& args) {
  bool json = false;
  Parser parser("Show the power counters of this machine, and what keeps others from being read.",
                "pj energy list");
  parser.flag("--json", json, "one JSON object");
  parser.footer(
      "Counters that show the same registers are listed, but only one of them is used.\n\n"
      "Examples:\n"
      "  pj energy list\n"
      "  pj energy list --json | jq '.counters[] | select(.readable)'");
  if (const auto status = parser.parse(args)) return *status;
  return list(json);
}

// --- model ---------------------------------------------------------------------------------------

int model_command(const Args& args) {
  bool json = false;
  std::string file;
  Parser parser("Show the energy model that `pj profile` uses.", "pj energy model");
  parser.option("FILE", file,
                "a model's file (default: this CPU's calibration, else published figures of this "
                "kind of CPU)");
  parser.flag("--json", json, "one JSON object, which is a model's file");
  parser.footer(
      "Coefficients predict energy; they are no physical constants of the machine.\n"
      "`pj calibrate` fits them to a power counter.\n\n"
      "Examples:\n"
      "  pj energy model\n"
      "  pj energy model --json > board.json\n"
      "  pj profile builtin:fashion --energy-model board.json");
  if (const auto status = parser.parse(args)) return *status;
  const std::optional<FoundModel> found = find_energy_model(file);
  if (!found)
    fail(
        "no published figure for this CPU: measure it with `pj calibrate`, or give a file, "
        "pj energy model FILE (docs/energy.md has its form)");
  if (json) {
    print_json(to_json(found->model));
  } else {
    fmt::print("{}", to_text(found->model));
    if (!found->path.empty()) fmt::print("\nfrom {}\n", printable(found->path));
  }
  return kOk;
}

constexpr struct {
  const char* name;
  const char* summary;
  int (*run)(const Args&);
} kSubcommands[] = {
    {"list", "the power counters of this machine, and how to make the others readable",
     list_command},
    {"measure", "joules, watts and time of a command: pj energy measure -- CMD",
     energy_measure_command},
    {"compare", "what became dearer between two profiles, with an exit status for CI",
     energy_compare_command},
    {"model", "how `pj profile` computes energy where nothing is measured", model_command},
};

std::string help() {
  Table table({{"", false}, {"", false}});
  for (const auto& c : kSubcommands) table.add({c.name, c.summary});
  return fmt::format(
      "Read power counters.\n\nUsage: pj energy COMMAND ARGUMENTS\n\nCommands:\n{}\n"
      "PJ_SYSROOT names a folder with recorded files to read instead of this machine's.\n\n"
      "Examples:\n  pj energy list\n  pj energy measure -- pj bench builtin:fashion\n",
      table.to_string(2));
}

}  // namespace

int energy_command(const Args& args) {
  if (!args.empty() && (args[0] == "--help" || args[0] == "-h")) {
    fmt::print("{}", help());
    return kOk;
  }
  std::vector<std::string> names;
  for (const auto& c : kSubcommands) {
    names.emplace_back(c.name);
    if (!args.empty() && args[0] == c.name) return c.run(Args(args.begin() + 1, args.end()));
  }
  if (args.empty())
    usage_error("which command? list, measure, compare or model (see `pj energy --help`)");
  usage_error("unknown command 'energy {}'{} (see `pj energy --help`)", printable(args[0]),
              did_you_mean(args[0], names));
}

}  // namespace pj::cli
