// pj inspect: what is in a model file, and how this machine would run it.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/table.h"
#include "runtime/base/file.h"
#include "runtime/graph/op_table.h"
#include "runtime/passes/passes.h"

namespace pj::cli {
namespace {

struct Options {
  std::string model, isa;
  bool json = false, passes = false, verify = false;
};

struct Inspection {
  std::string name;
  LoadedFile file;
  std::optional<ModelFile> pj;  // the container, if it is a .pj file
  std::vector<PassReport> reports;
  std::shared_ptr<Model> model;
  std::shared_ptr<const CompiledModel> compiled;  // null if it cannot be planned...
  std::string obstacle;                           // ...and why
  bool assumed = false;                           // unknown dimensions were taken as 1
  bool verified = false;

  // After the passes; with all shapes if it could be planned.
  const Graph& graph() const { return compiled ? compiled->graph : model->graph(); }
  int64_t packed_bytes() const {
    int64_t bytes = 0;
    for (const PackedConstant& p : compiled->plan.program.packed) bytes += p.bytes;
    return bytes;
  }
};

SharedBytes map_file(const std::string& path) {
  const auto file = unwrap(MappedFile::open(path));
  return {file->bytes(), file};
}

void plan(Inspection& in) {
  std::vector<Shape> shapes;
  for (TensorId id : in.model->graph().inputs) {
    shapes.push_back(in.model->graph().tensor(id).shape);
    in.assumed = in.assumed || !is_static(shapes.back());
    shapes.back() = filled(shapes.back(), 1);
  }
  Result<std::shared_ptr<const CompiledModel>> compiled = in.model->compile(shapes);
  if (compiled) {
    in.compiled = std::move(*compiled);
  } else {
    in.obstacle = printable(compiled.error().message);
  }
}

Inspection inspect(const Options& options) {
  check_model_name(options.model);
  Inspection in;
  in.name = options.model;
  in.file = unwrap(load_named(options.model));
  if (in.file.kind == FileKind::kPj) {
    const SharedBytes bytes = map_file(options.model);
    in.pj = unwrap(read_model(bytes));
    if (options.verify) {
      const Status status = verify_sections(bytes);
      if (!status) fail("{}: {}", options.model, status.error().message);
      in.verified = true;
    }
  }
  if (options.passes) {
    Graph copy = in.file.graph;
    unwrap(run_passes(copy, &in.reports));
  }
  in.model = load_for_isa(options.model, in.file, options.isa);
  plan(in);
  return in;
}

const char* format_name(const Inspection& in) {
  if (in.file.kind == FileKind::kTopology) return "topology";
  return in.pj ? "pj" : "tflite";
}

// --- JSON ----------------------------------------------------------------------------------------

Json tensor_json(const Tensor& t) {
  const Quantization& q = t.quant;
  return Json{{"name", t.name},
              {"dtype", name_of(t.dtype)},
              {"shape", shape_json(t.shape)},
              {"scale", q.per_tensor() ? Json(q.scale[0]) : Json()},
              {"zero_point", q.per_tensor() ? Json(q.zero_point[0]) : Json()}};
}

Json tensors_json(const Graph& graph, const std::vector<TensorId>& ids) {
  Json list = Json::array();
  for (TensorId id : ids)
    if (id != kNoTensor) list.push_back(tensor_json(graph.tensor(id)));
  return list;
}

Json ops_json(const Inspection& in) {
  Json list = Json::array();
  const Graph& graph = in.graph();
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    list.push_back(Json{{"index", i},
                        {"name", op.name},
                        {"op", op.display_name()},
                        {"inputs", tensors_json(graph, op.inputs)},
                        {"outputs", tensors_json(graph, op.outputs)},
                        {"macs", in.compiled ? Json(mac_count(graph, op)) : Json()}});
  }
  return list;
}

Json container_json(const Inspection& in) {
  if (!in.pj) return {};
  const FileInfo& info = in.pj->info;
  Json sections = Json::array(), targets = Json::array();
  for (const SectionInfo& s : info.sections)
    sections.push_back(Json{{"kind", s.kind == SectionKind::kWeights ? "weights" : "packed"},
                            {"target", s.target >= 0 ? Json(s.target) : Json()},
                            {"offset", s.offset},
                            {"bytes", s.size},
                            {"crc32", fmt::format("{:08x}", s.crc32)}});
  for (const TargetRecord& t : in.pj->targets)
    targets.push_back(Json{{"name", t.name},
                           {"isa", to_string(t.isa)},
                           {"cores", t.cores},
                           {"l1_bytes", t.l1_bytes},
                           {"l2_bytes", t.l2_bytes},
                           {"l3_bytes", t.l3_bytes},
                           {"packed", t.packed.size()}});
  return Json{{"version", fmt::format("{}.{}", info.major, info.minor)},
              {"producer", in.pj->producer},
              {"metadata_bytes", info.metadata_bytes},
              {"sections", sections},
              {"targets", targets},
              {"verified", in.verified ? Json(true) : Json()}};
}

Json to_json(const Inspection& in, const Options& options) {
  const Graph& graph = in.graph();
  Json macs, arena, bound, packed, at_load;
  if (in.compiled) {
    int64_t sum = 0;
    for (const Op& op : graph.ops) sum += mac_count(graph, op);
    macs = sum;
    arena = in.compiled->plan.program.arena_bytes;
    bound = in.compiled->plan.program.arena_lower_bound;
    packed = in.packed_bytes();
    at_load = in.compiled->bytes_packed_at_load;
  }
  Json json{{"model", in.name},
            {"format", format_name(in)},
            {"file_bytes", in.file.file_bytes},
            {"isa", level_name(in.model->options().target.isa)},
            {"inputs", tensors_json(graph, graph.inputs)},
            {"outputs", tensors_json(graph, graph.outputs)},
            {"ops", ops_json(in)},
            {"macs", macs},
            {"weight_bytes", constant_bytes(graph)},
            {"packed_bytes", packed},
            {"packed_at_load_bytes", at_load},
            {"arena_bytes", arena},
            {"arena_lower_bound", bound},
            {"unknown_dims_as_1", in.assumed},
            {"obstacle", in.obstacle.empty() ? Json() : Json(in.obstacle)},
            {"pj", container_json(in)}};
  if (options.passes) {
    Json passes = Json::array();
    for (const PassReport& r : in.reports)
      passes.push_back(Json{{"name", r.name}, {"rewrites", r.rewrites}});
    json["passes"] = passes;
  }
  return json;
}

// --- text ----------------------------------------------------------------------------------------

void add_tensors(Table& table, const char* title, const Graph& graph,
                 const std::vector<TensorId>& ids) {
  for (size_t i = 0; i < ids.size(); ++i) {
    const Tensor& t = graph.tensor(ids[i]);
    const std::string quant =
        t.quant.per_tensor()
            ? fmt::format("scale {:.8g}, zero point {}", t.quant.scale[0], t.quant.zero_point[0])
            : "";
    table.add({i == 0 ? title : "", shorten(printable(t.name), 48), name_of(t.dtype),
               to_string(t.shape), quant});
  }
}

// Whether packed weights came with the file.
std::string packing_text(const Inspection& in) {
  const int64_t all = in.packed_bytes(), at_load = in.compiled->bytes_packed_at_load;
  if (all == 0) return "none needed";
  if (at_load == 0) return fmt::format("{}, used in place from the file", bytes_text(all));
  if (at_load == all) {
    const bool elsewhere = in.pj && !in.pj->targets.empty();
    return fmt::format("{}, packed at load{}", bytes_text(all),
                       elsewhere ? " (the file has no section for this CPU)" : "");
  }
  return fmt::format("{}, of which {} are packed at load", bytes_text(all), bytes_text(at_load));
}

void print_summary(const Inspection& in) {
  const Graph& graph = in.graph();
  Table table({{"", false}, {"", false}});
  auto add = [&](const char* key, std::string value) { table.add({key, std::move(value)}); };
  add("model", in.file.kind == FileKind::kTopology
                   ? fmt::format("{} (made up)", printable(in.name))
                   : fmt::format("{} (.{}, {})", printable(in.name), format_name(in),
                                 bytes_text(in.file.file_bytes)));
  add("planned for",
      fmt::format("{}, {}", level_name(in.model->options().target.isa), host_cpu().name) +
          (in.assumed ? ", with unknown dimensions as 1" : ""));
  add("weights", fmt::format("{} portable", bytes_text(constant_bytes(graph))));
  if (in.compiled) {
    const Program& program = in.compiled->plan.program;
    int64_t macs = 0;
    for (const Op& op : graph.ops) macs += mac_count(graph, op);
    add("packed", packing_text(in));
    add("MACs", count_text(macs));
    add("arena", fmt::format("{} (lower bound {})", bytes_text(program.arena_bytes),
                             bytes_text(program.arena_lower_bound)));
    add("steps", fmt::format("{} for {} operators", program.steps.size(), graph.ops.size()));
  } else {
    add("not planned", in.obstacle);
  }
  fmt::print("{}\n", table.to_string());
}

void print_container(const Inspection& in) {
  const FileInfo& info = in.pj->info;
  fmt::print(".pj version {}.{}, written by {}, metadata {}{}\n", info.major, info.minor,
             printable(in.pj->producer), bytes_text(static_cast<int64_t>(info.metadata_bytes)),
             in.verified ? ", all checksums correct" : "");
  Table table({{"section", false}, {"target", false}, {"bytes", true}, {"crc32", true}});
  for (const SectionInfo& s : info.sections) {
    const auto target = static_cast<size_t>(s.target);
    table.add({s.kind == SectionKind::kWeights ? "weights" : "packed",
               s.target >= 0 ? printable(in.pj->targets[target].name) : "any",
               fmt::format("{}", s.size), fmt::format("{:08x}", s.crc32)});
  }
  fmt::print("{}\n", table.to_string(2));
}

void print_text(const Inspection& in, const Options& options) {
  const Graph& graph = in.graph();
  print_summary(in);
  if (in.pj) print_container(in);
  if (options.verify && !in.pj)
    fmt::print("a {} has no checksums; its structure is correct\n\n",
               in.file.kind == FileKind::kTopology ? "topology" : ".tflite file");
  Table io({{"", false}, {"name", false}, {"type", false}, {"shape", false}, {"", false}});
  add_tensors(io, "inputs", graph, graph.inputs);
  add_tensors(io, "outputs", graph, graph.outputs);
  fmt::print("{}\n", io.to_string());
  if (options.passes) {
    Table passes({{"pass", false}, {"rewrites", true}});
    for (const PassReport& r : in.reports) passes.add({r.name, fmt::format("{}", r.rewrites)});
    fmt::print("{}{} operators in the file, {} after the passes\n\n", passes.to_string(),
               in.file.graph.ops.size(), graph.ops.size());
  }
  Table ops({{"#", true},
             {"op", false},
             {"output", false},
             {"type", false},
             {"shape", false},
             {"MACs", true}});
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    const Tensor& out = graph.tensor(op.outputs[0]);
    const int64_t macs = in.compiled ? mac_count(graph, op) : 0;
    ops.add({fmt::format("{}", i), op.display_name(), shorten(printable(out.name), 48),
             name_of(out.dtype), to_string(out.shape), macs > 0 ? count_text(macs) : "-"});
  }
  fmt::print("{}", ops.to_string());
}

}  // namespace

int inspect_command(const Args& args) {
  Options o;
  Parser parser("Show what is in a model file, and how this machine would run it.", "pj inspect");
  parser.option("MODEL", o.model, kModelHelp).required();
  parser.flag("--json", o.json, "one JSON object");
  parser.flag("--passes", o.passes, "also what each rewriting pass did");
  parser.flag("--verify", o.verify, "compare the sections of a .pj with their checksums");
  add_isa_option(parser, o.isa);
  parser.footer(
      "Operators are shown as they run, after the passes.\n\n"
      "Examples:\n"
      "  pj inspect builtin:fashion\n"
      "  pj inspect model.pj --verify\n"
      "  pj inspect model.tflite --passes --json");
  if (const auto status = parser.parse(args)) return *status;
  const Inspection in = inspect(o);
  if (o.json) {
    print_json(to_json(in, o));
  } else {
    print_text(in, o);
  }
  return kOk;
}

}  // namespace pj::cli
