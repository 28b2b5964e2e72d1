#include "cli/common.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/errors.h"
#include "models/builtin.h"
#include "models/topology.h"
#include "runtime/base/clock.h"
#include "runtime/graph/op_table.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> builtin_names() {
  std::vector<std::string> names;
  for (const BuiltinModel& m : builtin_models())
    names.push_back(fmt::format("{}{}", kBuiltinPrefix, m.name));
  for (const Topology& t : topologies())
    names.push_back(fmt::format("{}{}", kBuiltinPrefix, t.name));
  return names;
}

// `name` is what follows the prefix.
void check_builtin_name(std::string_view name) {
  if (find_builtin(name) != nullptr) return;
  const std::string base = fmt::format("{}{}", kBuiltinPrefix, topology_name(name));
  if (find_topology(topology_name(name)) == nullptr)
    usage_error("there is no model '{}'{} (builtin:list shows the names)", base,
                did_you_mean(base, builtin_names()));
  if (const Result<TopologySpec> spec = parse_topology(name); !spec)
    usage_error("{}{}: {}", kBuiltinPrefix, name, spec.error().message);
}

// Files beside `path`, named as a user would write them.
std::vector<std::string> neighbours(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code ignored;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder, ignored))
    names.push_back((folder / entry.path().filename()).string());
  return names;
}

}  // namespace

const char* const kModelHelp =
    "a .pj or .tflite file, or builtin:NAME (builtin:list shows the names)";

const char* const kTopologyHelp =
    "After the name of a topology may follow, in any order: -f32, -f16 (weights) or -int8 (the\n"
    "default); the size of the input; the width of the layers. Its weights are made up.\n"
    "  builtin:mobilenet_v2-f32   builtin:resnet18-160   builtin:mobilenet_v2-int8-192-0.5x\n";

void add_execution_options(Parser& parser, ExecutionOptions& options, DefaultThreads threads) {
  const bool all = threads == DefaultThreads::kAllCores;
  options.default_threads = all ? std::min(granted_cpu().default_threads, kMaxThreads) : 1;
  parser
      .option("--threads", options.threads,
              all ? "threads to use (default: `pj doctor` says how many)"
                  : "threads to use (default: 1)")
      .range(1, kMaxThreads)
      .type_name("N");
  add_isa_option(parser, options.isa);
  parser.option("--pool", options.pool, "thread pool: builtin (default) or pthreadpool")
      .type_name("NAME");
  parser
      .option("--bands", options.bands,
              "on (default): run chains of layers a few rows at a time where that moves fewer "
              "bytes; off: layer by layer")
      .one_of({"on", "off"})
      .type_name("on|off");
  parser
      .option("--xnnpack", options.xnnpack,
              "XNNPACK's operators: off (default); auto: where picojoule has no kernel written "
              "for this CPU; only: wherever they give the same results. They run on a "
              "pthreadpool")
      .type_name("MODE");
  parser
      .option("--precision", options.precision,
              "what floats are computed in: f32 (default); f16: 16 bits where this CPU has such "
              "arithmetic, which is faster and rounds each activation to 11 bits")
      .one_of({"f32", "f16"})
      .type_name("f32|f16");
}

void add_isa_option(Parser& parser, std::string& isa) {
  parser
      .option("--isa", isa,
              "instruction set level, as `pj doctor` lists them (default: PJ_ISA, or else the "
              "best that this CPU has)")
      .type_name("LEVEL");
}

void check_model_name(const std::string& name) {
  if (name.starts_with(kBuiltinPrefix)) {
    check_builtin_name(std::string_view(name).substr(kBuiltinPrefix.size()));
    return;
  }
  std::error_code ignored;
  if (fs::exists(name, ignored)) return;
  // A bare word is meant as a name; "builtin:" may have been forgotten.
  if (name.find_first_of("./") == std::string::npos) {
    const std::string full = fmt::format("{}{}", kBuiltinPrefix, name);
    const std::string suggestion = did_you_mean(full, builtin_names());
    usage_error("there is no model or file '{}'{}", name,
                suggestion.empty() ? did_you_mean(name, neighbours(name)) : suggestion);
  }
  fail("there is no file '{}'{}", name, did_you_mean(name, neighbours(name)));
}

namespace {

std::shared_ptr<Model> make_named(const std::string& name, LoadedFile file,
                                  const LoadOptions& options) {
  Result<std::shared_ptr<Model>> model = make_model(std::move(file), options);
  if (!model) fail("{}: {}", name, model.error().message);
  return std::move(*model);
}

}  // namespace

OpenModel open_model(const std::string& name, const ExecutionOptions& options) {
  check_model_name(name);
  unwrap(effective_isa(options.isa), kUsage);
  SessionOptions session_options;
  session_options.pool_kind = unwrap(pool_by_name(options.pool), kUsage);
  LoadOptions load_options;
  load_options.isa = options.isa;
  load_options.bands = options.bands == "on";
  load_options.xnnpack = unwrap(xnnpack_mode_by_name(options.xnnpack), kUsage);
  load_options.f16 = options.precision == "f16";
  OpenModel open{name, make_named(name, unwrap(load_named(name)), load_options), nullptr};
  if (load_options.f16 && !open.model->options().f16)
    fmt::print(stderr, "pj: no arithmetic on 16-bit floats here: computing in f32\n");
  const int tuned = open.model->tuned_threads(), given = options.threads;
  session_options.threads = given > 0 ? given : (tuned > 0 ? tuned : options.default_threads);
  Result<std::unique_ptr<Session>> session = Session::create(open.model, session_options);
  if (!session) fail("{}: {}", name, session.error().message);
  open.session = std::move(*session);
  if (open.session->prepared()) {
    const std::string ignored = open.model->ignored_choices(open.session->compiled());
    if (!ignored.empty()) fmt::print(stderr, "pj: {}: {}\n", printable(name), printable(ignored));
  }
  return open;
}

std::shared_ptr<Model> load_for_isa(const std::string& name, LoadedFile file,
                                    const std::string& isa) {
  unwrap(effective_isa(isa), kUsage);
  LoadOptions options;
  options.isa = isa;
  return make_named(name, std::move(file), options);
}

std::string level_name(IsaSet isa) {
  std::string name;
  for (const IsaLevel& level : isa_levels()) {
    if (!isa.includes(level.features)) continue;
    bool covered = false;
    for (const IsaLevel& other : isa_levels())
      covered = covered || (isa.includes(other.features) && other.features != level.features &&
                            other.features.includes(level.features));
    if (!covered) name += fmt::format("{}{}", name.empty() ? "" : "+", level.name);
  }
  return name;
}

int64_t total_macs(const Graph& graph) {
  int64_t macs = 0;
  for (const Op& op : graph.ops) macs += mac_count(graph, op);
  return macs;
}

int64_t constant_bytes(const Graph& graph) {
  std::set<const std::byte*> seen;
  int64_t bytes = 0;
  for (const Tensor& t : graph.tensors)
    if (t.constant && seen.insert(t.data.bytes.data()).second)
      bytes += static_cast<int64_t>(t.data.bytes.size());
  return bytes;
}

Json shape_json(const Shape& shape) {
  Json json = Json::array();
  for (int32_t d : shape) json.push_back(d == kUnknownDim ? Json() : Json(d));
  return json;
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string ms_text(double ms) {
  const int decimals = ms >= 100 ? 1 : (ms >= 10 ? 2 : (ms >= 1 ? 3 : 4));
  return fmt::format("{:.{}f}", ms, decimals);
}

Progress::Progress(std::string label)
    : label_(std::move(label)), terminal_(isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (terminal_ && last_ns_ != 0) fmt::print(stderr, "\r\033[K");
}

void Progress::update(size_t done, size_t total) {
  if (!terminal_ || now_ns() - last_ns_ < 100'000'000) return;
  last_ns_ = now_ns();
  fmt::print(stderr, "\r{} {}/{}", label_, done, total);
  std::fflush(stderr);
}

void make_folder(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) fail("cannot create folder '{}': {}", path, code.message());
}

std::string file_name_of(std::string_view text) {
  std::string name(text.substr(0, 100));
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-')
      c = '_';
  return name;
}

std::string stem_of(const std::string& path) { return fs::path(path).stem().string(); }

}  // namespace pj::cli
