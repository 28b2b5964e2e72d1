// pj: finds the command, runs it, and turns failures into one line and an exit status.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "models/builtin.h"
#include "models/topology.h"

namespace pj::cli {
namespace {

constexpr struct {
  const char* name;
  const char* summary;
  int (*run)(const Args&);
} kCommands[] = {
    {"run", "run a model on files, pictures or made-up numbers", run_command},
    {"bench", "measure time and memory of models", bench_command},
    {"eval", "measure accuracy on labelled data", eval_command},
    {"profile", "show where a model's time goes, step by step", profile_command},
    {"inspect", "show what is in a model file and how it would run", inspect_command},
    {"convert", "turn a model into a .pj file with packed weights", convert_command},
    {"tune", "find a model's fastest plan on this machine and store it", tune_command},
    {"export", "write a model as a .tflite file for other runtimes", export_command},
    {"energy", "list power counters, and measure what a command costs", energy_command},
    {"calibrate", "fit an energy model to this machine's power counter", calibrate_command},
    {"doctor", "show what this machine offers, what is missing and how to get it", doctor_command},
};

std::string help() {
  Table table({{"", false}, {"", false}});
  for (const auto& c : kCommands) table.add({c.name, c.summary});
  return fmt::format(
      "pj runs neural networks on CPUs with the least energy.\n\n"
      "Usage: pj COMMAND ARGUMENTS\n\nCommands:\n{}\n"
      "MODEL is {}.\n"
      "`pj COMMAND --help` shows options and examples; `pj --version` the version.\n\n"
      "Examples:\n"
      "  pj run builtin:fashion --input picture.png\n"
      "  pj bench model.tflite --threads 2\n"
      "  pj convert model.tflite model.pj\n\n"
      "Exit status: 0 done, 1 failed, 2 used wrongly.\n",
      table.to_string(2), kModelHelp);
}

// Models of the library, and topologies as they are without further parts in the name.
int list_builtins() {
  Table table({{"name", false}, {"input", false}, {"MACs", true}, {"weights", true}, {"", false}});
  auto add = [&](const char* name, const char* summary) {
    const std::string full = fmt::format("builtin:{}", name);
    const Graph graph = unwrap(load_named(full)).graph;
    table.add({full, to_string(graph.tensor(graph.inputs[0]).shape), count_text(total_macs(graph)),
               bytes_text(constant_bytes(graph)), summary});
  };
  for (const BuiltinModel& m : builtin_models()) add(m.name, m.summary);
  for (const Topology& t : topologies()) add(t.name, t.summary);
  fmt::print("{}\n{}", table.to_string(), kTopologyHelp);
  return kOk;
}

int dispatch(const Args& args) {
  if (args.empty()) {
    fmt::print(stderr, "{}", help());
    return kUsage;
  }
  const std::string& first = args[0];
  if (first == "--help" || first == "-h" || first == "help") {
    fmt::print("{}", help());
    return kOk;
  }
  if (first == "--version") {
    fmt::print("pj {}\n", PJ_VERSION);
    return kOk;
  }
  std::vector<std::string> names;
  for (const auto& c : kCommands) {
    names.emplace_back(c.name);
    if (first != c.name) continue;
    if (std::find(args.begin(), args.end(), "builtin:list") != args.end()) return list_builtins();
    return c.run(Args(args.begin() + 1, args.end()));
  }
  if (first.starts_with("-")) {
    names = {"--help", "--version"};
    usage_error("unknown option '{}'{} (see `pj --help`)", first, did_you_mean(first, names));
  }
  usage_error("unknown command '{}'{} (see `pj --help`)", first, did_you_mean(first, names));
}

int guarded(const Args& args) {
  try {
    return dispatch(args);
  } catch (const Failure& failure) {
    fmt::print(stderr, "pj: {}\n", printable(failure.what()));
    return failure.exit_code();
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "pj: out of memory\n");
  } catch (const std::exception& e) {
    fmt::print(stderr, "pj: {}\n", printable(e.what()));
  }
  return kFailed;
}

}  // namespace
}  // namespace pj::cli

int main(int argc, char** argv) {
  using namespace pj::cli;
  // A file that may not grow further is an error of the write, as a full disk is. Commands that are
  // run do not inherit a handler, as they would that the signal is ignored.
  std::signal(SIGXFSZ, [](int) {});
  const int status = guarded(Args(argv + std::min(argc, 1), argv + argc));
  // Numbers that never reached a full disk must not look like a success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "pj: cannot write to standard output\n");
    return status == kOk ? kFailed : status;
  }
  return status;
}
