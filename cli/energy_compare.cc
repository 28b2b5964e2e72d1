// pj energy compare: what became dearer between two profiles, with a verdict for CI.
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/energy_json.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "runtime/base/file.h"
#include "runtime/energy/comparison.h"

namespace pj::cli {
namespace {

using namespace pj::energy;

struct Item {
  std::string name;  // unique in its report
  Energy energy;
};

// The output of `pj profile --json`.
struct Report {
  std::string path, model;
  int threads = 0;
  std::vector<Item> steps;
  std::optional<Energy> total;
};

std::string text_of(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : "";
}

Item parse_step(const Json& json, std::map<std::string, int>& seen, const std::string& path) {
  auto energy = parse_energy(json);
  if (!energy) usage_error("{}: {}", path, energy.error().message);
  if (!*energy) usage_error("{}: a step without energy", path);
  std::string name = text_of(json, "name");
  if (name.empty()) name = text_of(json, "op");
  const int n = ++seen[name];
  return {n > 1 ? fmt::format("{} ({})", name, n) : name, **energy};
}

Report read_report(const std::string& path) {
  const auto file = unwrap(MappedFile::open(path), kUsage);
  const auto bytes = file->bytes();
  const Json json =
      Json::parse(reinterpret_cast<const char*>(bytes.data()),
                  reinterpret_cast<const char*>(bytes.data()) + bytes.size(), nullptr, false);
  if (!json.is_object() || !json.contains("totals") || !json.contains("steps") ||
      !json["steps"].is_array())
    usage_error("{} is no profile: make one with `pj profile MODEL --json > FILE`", path);
  Report report;
  report.path = path;
  report.model = text_of(json, "model");
  if (json.contains("threads") && json["threads"].is_number_integer())
    report.threads = json["threads"].get<int>();
  auto total = parse_energy(json["totals"]);
  if (!total) usage_error("{}: {}", path, total.error().message);
  if (!*total)
    usage_error("{} has no energies: profile where there is a counter, or with --energy-model",
                path);
  report.total = *total;
  std::map<std::string, int> seen;
  for (const Json& step : json["steps"]) {
    if (!step.is_object()) usage_error("{}: a step that is no object", path);
    report.steps.push_back(parse_step(step, seen, path));
  }
  return report;
}

// Throws Failure if the two say nothing about each other.
void check_comparable(const Report& before, const Report& after) {
  const auto check = [&](const char* what, const std::string& a, const std::string& b) {
    if (a != b)
      usage_error("{} has the {} '{}', {} '{}': only the same can be compared", before.path, what,
                  printable(a), after.path, printable(b));
  };
  check("model", before.model, after.model);
  check("energy source", name_of(before.total->source()), name_of(after.total->source()));
  check("idle policy", name_of(before.total->policy()), name_of(after.total->policy()));
  check("number of threads", std::to_string(before.threads), std::to_string(after.threads));
}

struct Row {
  std::string name;
  const Energy* before = nullptr;
  const Energy* after = nullptr;
  std::optional<Comparison> change;  // of both
};

// In the order of the new report; those that are gone at the end.
std::vector<Row> match_steps(const Report& before, const Report& after) {
  std::vector<Row> rows;
  std::map<std::string, const Energy*> old;
  for (const Item& item : before.steps) old[item.name] = &item.energy;
  for (const Item& item : after.steps) {
    const auto found = old.find(item.name);
    rows.push_back({item.name, found == old.end() ? nullptr : found->second, &item.energy, {}});
    if (found != old.end()) old.erase(found);
  }
  for (const Item& item : before.steps)
    if (old.contains(item.name)) rows.push_back({item.name, &item.energy, nullptr, {}});
  for (Row& row : rows)
    if (row.before != nullptr && row.after != nullptr)
      row.change = compare(*row.after, *row.before, static_cast<int>(rows.size()));
  return rows;
}

const char* verdict_text(const Row& row) {
  if (row.before == nullptr) return "new";
  if (row.after == nullptr) return "gone";
  if (!row.change) return "?";
  switch (row.change->verdict()) {
    case Comparison::Verdict::kFirstNeedsLess:
      return "less";
    case Comparison::Verdict::kSecondNeedsLess:
      return "MORE";
    case Comparison::Verdict::kUndecided:
      break;
  }
  return "-";
}

std::string change_text(const std::optional<Comparison>& change) {
  if (!change) return "";
  return fmt::format("{:+.1f} % [{:+.1f}, {:+.1f}]", change->relative * 100, change->low * 100,
                     change->high * 100);
}

void print_rows(const std::vector<Row>& rows, const Row& total) {
  Table table({{"step", false}, {"old", false}, {"new", false}, {"change", false}, {"", false}});
  const auto add = [&](const Row& row) {
    table.add({shorten(printable(row.name), 32), row.before == nullptr ? "" : row.before->text(),
               row.after == nullptr ? "" : row.after->text(), change_text(row.change),
               verdict_text(row)});
  };
  for (const Row& row : rows) add(row);
  add(total);
  fmt::print("{}", table.to_string());
}

Json row_json(const Row& row) {
  Json json{{"name", row.name}};
  for (const auto& [name, energy] : {std::pair("old", row.before), std::pair("new", row.after)}) {
    Json side;
    if (energy != nullptr) add_energy(side, energy);
    json[name] = side;
  }
  json["change"] = nullptr;
  if (row.change)
    json["change"] = Json{{"relative", row.change->relative},
                          {"low", row.change->low},
                          {"high", row.change->high},
                          {"confidence", row.change->confidence}};
  json["verdict"] = verdict_text(row) == std::string("MORE") ? "more" : verdict_text(row);
  return json;
}

}  // namespace

int energy_compare_command(const Args& args) {
  std::string old_path, new_path;
  double allowed = 0;
  bool json = false;
  Parser parser("Compare the energies of two profiles of a model.", "pj energy compare");
  parser.option("OLD", old_path, "output of `pj profile MODEL --json`").required();
  parser.option("NEW", new_path, "the same, later").required();
  parser.option("--allow", allowed, "how much more a run may need, in percent (default: 0)")
      .range(0.0, 1000.0)
      .type_name("PERCENT");
  parser.flag("--json", json, "one JSON object");
  parser.footer(
      "Exit status 1 if a run needs more than before, and its 95 % interval leaves no doubt; 2 if\n"
      "the files cannot be compared: other models, threads, sources or idle policies. Intervals "
      "of\n"
      "steps are so wide that all of them hold at once. Machines drift from day to day: for a\n"
      "change that is small, measure both in turn, pj energy measure -- A --vs B.\n\n"
      "Examples:\n"
      "  pj profile m.tflite --json > old.json; ...; pj profile m.tflite --json > new.json\n"
      "  pj energy compare old.json new.json --allow 1");
  if (const auto status = parser.parse(args)) return *status;
  const Report before = read_report(old_path), after = read_report(new_path);
  check_comparable(before, after);
  const std::vector<Row> rows = match_steps(before, after);
  const Row total{"a run", &*before.total, &*after.total, compare(*after.total, *before.total)};
  if (!total.change)
    usage_error("{}: the energy of a run may be 0, which says nothing about changes", old_path);
  const bool regression = total.change->low > allowed / 100;
  if (json) {
    Json steps = Json::array();
    for (const Row& row : rows) steps.push_back(row_json(row));
    print_json(Json{{"model", after.model},
                    {"steps", steps},
                    {"total", row_json(total)},
                    {"regression", regression}});
  } else {
    print_rows(rows, total);
    if (regression)
      fmt::print("\nA run needs more energy than before{}.\n",
                 allowed > 0 ? fmt::format(" by over {} %", allowed) : "");
  }
  return regression ? kFailed : kOk;
}

}  // namespace pj::cli
