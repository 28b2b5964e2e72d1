// pj doctor: what this machine and build offer, what is missing, and how to get it.
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/peak.h"
#include "cli/table.h"
#include "kernels/registry.h"
#include "models/builtin.h"
#include "runtime/exec/xnnpack/xnnpack.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

struct Finding {
  bool serious;  // models will not run
  std::string what, fix;
};

struct Level {
  const char* name;
  bool cpu, build;
  bool rows;  // the catalog has kernels written for it
};

struct Diagnosis {
  CpuInfo cpu;
  std::vector<Level> levels;
  std::string in_use;  // level; empty if PJ_ISA asks for what is not there
  std::vector<std::string> pools;
  std::string xnnpack;       // generation of its API; empty: not in this build
  int64_t memory_limit = 0;  // of the process, in bytes; 0: none
  std::string zoo;           // empty: not found
  std::optional<MachinePeak> peak;
  std::vector<Finding> findings;
};

// Kernels of other architectures are no news: only levels that this CPU has, or that this build
// was made for, are listed.
std::vector<Level> list_levels(IsaSet cpu, IsaSet build) {
  std::vector<Level> levels;
  for (const IsaLevel& level : isa_levels()) {
    const auto catalog = kernel_catalog();
    const bool rows = std::any_of(catalog.begin(), catalog.end(),
                                  [&](const KernelDesc& k) { return k.isa == level.features; });
    const Level l{level.name, cpu.includes(level.features), build.includes(level.features), rows};
    if (l.cpu || l.build) levels.push_back(l);
  }
  return levels;
}

std::string find_zoo() {
  std::error_code ignored;
  if (const char* folder = std::getenv("PJ_ZOO"))
    return fs::exists(fs::path(folder) / "zoo.json", ignored) ? folder : "";
  const fs::path beside = fs::path("..") / "shared" / "zoo";
  return fs::exists(beside / "zoo.json", ignored) ? beside.string() : "";
}

void examine_isa(Diagnosis& d) {
  const IsaSet build = built_isa();
  d.levels = list_levels(d.cpu.isa, build);
  const Result<IsaSet> chosen = effective_isa();
  if (chosen) {
    d.in_use = level_name(*chosen & build);
  } else {
    d.findings.push_back({true, fmt::format("PJ_ISA: {}", chosen.error().message),
                          "unset PJ_ISA, or set it to a level listed above"});
  }
  if (chosen && std::getenv("PJ_ISA") != nullptr)
    d.findings.push_back({false, fmt::format("PJ_ISA limits kernels to {}", d.in_use),
                          "unset PJ_ISA to use all that this CPU has"});
  for (const Level& level : d.levels)
    if (level.cpu && level.rows && !level.build)
      d.findings.push_back(
          {false, fmt::format("the CPU has {}, but this build left its kernels out", level.name),
           "slower levels are used; build with a newer compiler"});
}

void examine_machine(Diagnosis& d) {
  for (const CpuNote& note : d.cpu.notes) d.findings.push_back({false, note.what, note.fix});
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
    d.memory_limit = static_cast<int64_t>(limit.rlim_cur);
  if (d.memory_limit > 0)
    d.findings.push_back(
        {false, fmt::format("memory is limited to {} a process", bytes_text(d.memory_limit)),
         "ulimit -v unlimited, if large models do not load"});
}

Diagnosis diagnose() {
  Diagnosis d;
  d.cpu = granted_cpu();
  examine_isa(d);
  examine_machine(d);
  for (const char* name : {"pthreadpool", "builtin"}) {
    const auto pool = make_pool(*pool_by_name(name), 2);
    if (pool) {
      d.pools.emplace_back(name);
    } else {
      d.findings.push_back({false, fmt::format("thread pool {}: {}", name, pool.error().message),
                            "use the other one with --pool"});
    }
  }
  if (d.pools.empty())
    d.findings.push_back({true, "no threads can be started", "raise `ulimit -u`"});
  if (const char* generation = xnnpack_generation()) {
    d.xnnpack = generation;
  } else {
    d.findings.push_back({false, "this build has no XNNPACK; portable kernels take its place",
                          "install libxnnpack-dev and build again"});
  }
  d.zoo = find_zoo();
  if (d.zoo.empty())
    d.findings.push_back({false, "the test zoo is not there; tests that need it are skipped",
                          "set PJ_ZOO to its folder (the one with zoo.json)"});
  return d;
}

bool healthy(const Diagnosis& d) {
  for (const Finding& f : d.findings)
    if (f.serious) return false;
  return true;
}

Json or_null(int64_t bytes) { return bytes > 0 ? Json(bytes) : Json(); }

Json to_json(const Diagnosis& d) {
  Json levels = Json::array(), findings = Json::array(), models = Json::array();
  Json kinds = Json::array();
  for (const CoreKind& k : d.cpu.kinds)
    kinds.push_back(Json{{"name", k.name}, {"cores", k.cores}, {"in_order", k.in_order}});
  for (const Level& l : d.levels)
    levels.push_back(Json{{"name", l.name}, {"cpu", l.cpu}, {"build", l.build}});
  for (const Finding& f : d.findings)
    findings.push_back(Json{{"serious", f.serious}, {"what", f.what}, {"fix", f.fix}});
  for (const BuiltinModel& m : builtin_models()) models.push_back(m.name);
  return Json{{"version", PJ_VERSION},
              {"cpu", d.cpu.name},
              {"features", to_string(d.cpu.isa)},
              {"cores", d.cpu.cores},
              {"core_kinds", kinds},
              {"default_threads", d.cpu.default_threads},
              {"l1_bytes", or_null(d.cpu.l1_bytes)},
              {"l2_bytes", or_null(d.cpu.l2_bytes)},
              {"l3_bytes", or_null(d.cpu.l3_bytes)},
              {"levels", levels},
              {"isa", d.in_use.empty() ? Json() : Json(d.in_use)},
              {"pools", d.pools},
              {"xnnpack", d.xnnpack.empty() ? Json() : Json(d.xnnpack)},
              {"memory_limit_bytes", or_null(d.memory_limit)},
              {"zoo", d.zoo.empty() ? Json() : Json(d.zoo)},
              {"models", models},
              {"peak", d.peak ? to_json(*d.peak) : Json()},
              {"findings", findings},
              {"healthy", healthy(d)}};
}

void print_text(const Diagnosis& d) {
  auto cache = [](int64_t bytes) { return bytes > 0 ? fmt::format("{} KiB", bytes / 1024) : "?"; };
  std::string pools;
  for (const std::string& p : d.pools) pools += (pools.empty() ? "" : ", ") + p;
  Table facts({{"", false}, {"", false}});
  facts.add({"version", PJ_VERSION});
  facts.add({"CPU", printable(d.cpu.name)});
  facts.add(
      {"cores", fmt::format("{}; threads by default: {}", d.cpu.cores, d.cpu.default_threads)});
  facts.add({"caches", fmt::format("L1 {}, L2 {}, L3 {}", cache(d.cpu.l1_bytes),
                                   cache(d.cpu.l2_bytes), cache(d.cpu.l3_bytes))});
  facts.add({"features", to_string(d.cpu.isa)});
  facts.add({"in use", d.in_use.empty() ? "nothing" : d.in_use});
  facts.add({"pools", pools});
  facts.add({"XNNPACK", d.xnnpack.empty() ? "not in this build" : "API of " + d.xnnpack});
  facts.add({"zoo", d.zoo.empty() ? "not found" : printable(d.zoo)});
  fmt::print("{}\n", facts.to_string());
  Table levels({{"level", false}, {"CPU", false}, {"build", false}});
  for (const Level& l : d.levels)
    levels.add({l.name, l.cpu ? "yes" : "no", l.build ? "yes" : "no"});
  fmt::print("{}\n", levels.to_string());
  if (d.peak) fmt::print("{}\n", to_text(*d.peak));
  for (const Finding& f : d.findings)
    fmt::print("{}: {}\n  {}\n", f.serious ? "PROBLEM" : "note", printable(f.what), f.fix);
  fmt::print("{}\n",
             healthy(d) ? "Ready to run models." : "Models will not run until this is mended.");
}

}  // namespace

int doctor_command(const Args& args) {
  bool json = false, no_peak = false;
  Parser parser("Show what this machine and build offer, what is missing and how to get it.",
                "pj doctor");
  parser.flag("--json", json, "one JSON object");
  parser.flag("--no-peak", no_peak, "do not measure what arithmetic and memory can do at most");
  parser.footer(
      "Peaks are those of one core, of every level that CPU and build have: the most that kernels\n"
      "can reach. A stored byte counts once, whatever the caches do for it.\n\n"
      "Exit status 1 if something keeps models from running.\n\n"
      "Examples:\n"
      "  pj doctor\n"
      "  pj doctor --json | jq .levels\n"
      "  PJ_ISA=avx2 pj doctor");
  if (const auto status = parser.parse(args)) return *status;
  Diagnosis d = diagnose();
  if (!no_peak) d.peak = measure_peak(d.cpu);
  if (json) {
    print_json(to_json(d));
  } else {
    print_text(d);
  }
  return healthy(d) ? kOk : kFailed;
}

}  // namespace pj::cli
