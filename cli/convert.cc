// pj convert: any model -> .pj, with weights packed for targets.
#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "converters/load/pack_target.h"
#include "kernels/registry.h"
#include "runtime/passes/passes.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string in, out;
  std::vector<std::string> targets;
  std::string weights;
};

std::vector<std::string> target_names() {
  std::vector<std::string> names{"host", "none"};
  for (const IsaLevel& level : isa_levels()) names.emplace_back(level.name);
  return names;
}

Target resolve_target(const std::string& name) {
  if (name == "host") {
    const IsaSet isa = unwrap(effective_isa(), kUsage) & built_isa();
    Target target = target_of(host_cpu(), isa);
    target.name = level_name(isa);
    return target;
  }
  if (!isa_by_name(name)) {
    const std::vector<std::string> names = target_names();
    std::string known;
    for (const std::string& n : names) known += ' ' + n;
    usage_error("there is no target '{}'{} (there are:{})", name, did_you_mean(name, names), known);
  }
  return unwrap(target_by_name(name));
}

std::vector<Target> resolve_targets(std::vector<std::string> names) {
  if (names.empty()) names = {"host"};
  if (std::find(names.begin(), names.end(), "none") != names.end()) {
    if (names.size() > 1) usage_error("--target none stands alone");
    return {};
  }
  std::vector<Target> targets;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    Target target = resolve_target(name);
    if (seen.insert(target.name).second) targets.push_back(std::move(target));
  }
  return targets;
}

int64_t packed_bytes(const TargetRecord& record) {
  int64_t bytes = 0;
  for (const PackedEntry& entry : record.packed)
    bytes += static_cast<int64_t>(entry.data.bytes.size());
  return bytes;
}

void check_paths(const Options& options) {
  if (!options.out.ends_with(".pj"))
    usage_error(
        "OUT '{}' must end in .pj; models are converted to that format (`pj export` writes "
        ".tflite)",
        options.out);
  check_model_name(options.in);
  // The input may be mapped while the output is written, and is not to be lost in any case.
  std::error_code ignored;
  if (fs::equivalent(options.in, options.out, ignored))
    usage_error("'{}' is both input and output; choose another name for the output", options.out);
}

int execute(const Options& options) {
  check_paths(options);
  const std::vector<Target> targets = resolve_targets(options.targets);
  LoadedFile file = unwrap(load_named(options.in));
  Graph& graph = file.graph;
  const size_t ops_before = graph.ops.size();
  if (const Status status = run_passes(graph); !status)
    fail("{}: {}", options.in, status.error().message);
  const int64_t before = constant_bytes(graph);
  const int narrow = options.weights == "f16" ? narrow_weights(graph) : 0;
  std::vector<TargetRecord> records;
  for (const Target& target : targets) records.push_back(unwrap(pack_for_target(graph, target)));
  if (file.map) unwrap(file.map->check());
  unwrap(write_model(options.out, graph, records));

  const std::string input = file.file_bytes > 0 ? bytes_text(file.file_bytes) : "none";
  fmt::print("{}: {} (input {}), {} operators (input {}), portable weights {}\n",
             printable(options.out), bytes_text(static_cast<int64_t>(fs::file_size(options.out))),
             input, graph.ops.size(), ops_before, bytes_text(constant_bytes(graph)));
  if (options.weights == "f16") {
    fmt::print("  f16 weights in {} layers: {} instead of {}\n", narrow,
               bytes_text(constant_bytes(graph)), bytes_text(before));
  }
  for (const TargetRecord& record : records)
    fmt::print("  packed for {}: {} in {} parts\n", record.name, bytes_text(packed_bytes(record)),
               record.packed.size());
  return kOk;
}

}  // namespace

int convert_command(const Args& args) {
  Options o;
  Parser parser("Turn a model into a .pj file that is used in place, without packing at load.",
                "pj convert");
  parser.option("IN", o.in, kModelHelp).required();
  parser.option("OUT", o.out, "the file to write; must end in .pj").required();
  std::string known;
  for (const std::string& name : target_names()) known += (known.empty() ? "" : ", ") + name;
  parser
      .option("--target", o.targets,
              "pack weights for these: " + known + " (default: host; none: portable only)")
      .commas()
      .type_name("T,...");
  parser
      .option("--weights", o.weights,
              "f16: store the weights of f32 layers in half the bytes; results move by about "
              "0.1 % of their range (default: as they are)")
      .one_of({"f16"})
      .type_name("f16");
  parser.footer(
      "Portable weights are always in the file, so it runs on every machine.\n\n"
      "Examples:\n"
      "  pj convert model.tflite model.pj\n"
      "  pj convert model.tflite model.pj --target avx2,neondot\n"
      "  pj convert model.tflite half.pj --weights f16\n"
      "  pj convert builtin:fashion fashion.pj --target none");
  if (const auto status = parser.parse(args)) return *status;
  return execute(o);
}

}  // namespace pj::cli
