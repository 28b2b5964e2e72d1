// pj run: one inference, or one for each of several files.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <set>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/inputs.h"
#include "cli/labels.h"
#include "cli/table.h"
#include "cli/values.h"
#include "runtime/base/checksum.h"
#include "runtime/base/file.h"

namespace pj::cli {
namespace {

struct Options {
  std::string model, output, labels, dump;
  std::vector<std::string> inputs;
  size_t top = 0;  // 0: not given
  PictureOptions picture;
  ExecutionOptions execution;
};

// What one inference reads: a file for each input of the model, or made-up numbers.
struct Job {
  std::vector<std::string> files;  // empty: made-up numbers
  std::string folder;              // under --output and --dump-tensors; empty: none of its own
};

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (TensorId id : graph.inputs) names.push_back(graph.tensor(id).name.str());
  return names;
}

// "NAME=FILE" for an input of that name, or just a file (whose name may hold a '=').
struct NamedFile {
  std::optional<size_t> input;
  std::string file;
};
NamedFile parse_input(const std::vector<std::string>& names, const std::string& text) {
  for (size_t i = 0; i < names.size(); ++i)
    if (text.starts_with(names[i] + '=')) return {i, text.substr(names[i].size() + 1)};
  const size_t equals = text.find('=');
  std::error_code ignored;
  if (equals == std::string::npos || std::filesystem::exists(text, ignored))
    return {std::nullopt, text};
  const std::string name = text.substr(0, equals);
  std::string known;
  for (const std::string& n : names) known += fmt::format(" '{}'", n);
  usage_error("the model has no input '{}'{} (its inputs:{})", name, did_you_mean(name, names),
              known);
}

// Several files for the only input are several runs; otherwise every input gets one file.
std::vector<Job> plan_jobs(const Graph& graph, const std::vector<std::string>& inputs) {
  if (inputs.empty()) return {Job{}};
  const std::vector<std::string> names = input_names(graph);
  std::vector<Job> jobs;
  if (names.size() == 1) {
    std::set<std::string> folders;
    for (const std::string& text : inputs) {
      const std::string file = parse_input(names, text).file;
      const std::string folder = inputs.size() > 1 ? file_name_of(stem_of(file)) : "";
      if (!folders.insert(folder).second)
        usage_error("two inputs are called '{}', so their outputs would collide; rename one",
                    folder);
      jobs.push_back({{file}, folder});
    }
    return jobs;
  }
  std::vector<std::string> files(names.size());
  size_t next = 0;
  for (const std::string& text : inputs) {
    const NamedFile named = parse_input(names, text);
    const size_t i = named.input ? *named.input : next++;
    if (i >= files.size())
      usage_error("'{}' is one file more than the model's {} inputs", text, names.size());
    if (!files[i].empty()) usage_error("input '{}' got two files", names[i]);
    files[i] = named.file;
  }
  for (size_t i = 0; i < files.size(); ++i)
    if (files[i].empty())
      usage_error("input '{}' has no file; add --input {}=FILE", names[i], names[i]);
  return {Job{std::move(files), ""}};
}

void set_inputs(const OpenModel& open, const Job& job, const PictureOptions& options) {
  Session& session = *open.session;
  if (job.files.empty()) {
    complete_shapes(session);
    fill_random(session);
    return;
  }
  const Graph& declared = open.model->graph();
  std::vector<Shape> shapes;
  bool same = session.prepared();
  for (size_t i = 0; i < job.files.size(); ++i) {
    shapes.push_back(shape_for_file(declared.tensor(declared.inputs[i]), job.files[i]));
    same = same && shapes[i] == session.input(i).shape;
  }
  if (!same) unwrap(session.resize_inputs(shapes));
  for (size_t i = 0; i < job.files.size(); ++i)
    read_input(session.input(i), job.files[i], options, session.input_data(i));
}

std::string in_folder(const std::string& root, const Job& job) {
  const std::string folder = job.folder.empty() ? root : root + "/" + job.folder;
  make_folder(folder);
  return folder;
}

// --- dumping -------------------------------------------------------------------------------------

struct Dump {
  const Session& session;
  std::string folder;
  std::string problem;  // of the first file that could not be written

  // Called from code without exceptions, so problems are kept for later.
  void step(size_t index) {
    const Program& program = session.program();
    const Graph& graph = session.compiled().graph;
    const std::vector<Operand>& out = program.steps[index].members.back().out;
    for (size_t o = 0; o < out.size(); ++o) {
      const Step& step = program.steps[index];
      const TensorId id = step.op_indices.empty()
                              ? (out[o].buffer.space == Space::kOutput
                                     ? graph.outputs[static_cast<size_t>(out[o].buffer.index)]
                                     : kNoTensor)
                              : graph.ops[static_cast<size_t>(step.op_indices.back())].outputs[o];
      if (id == kNoTensor) continue;
      const Tensor& t = graph.tensor(id);
      const auto bytes = session.step_output(index, o);
      if (static_cast<int64_t>(bytes.size()) != byte_size(t)) continue;
      const std::string path = fmt::format("{}/{:04}_{}{}.npy", folder, index, file_name_of(t.name),
                                           o > 0 ? fmt::format("_{}", o) : "");
      const Status written = write_npy(path, t.dtype, t.shape, bytes);
      if (!written && problem.empty()) problem = written.error().message;
    }
  }
};

void run_once(const OpenModel& open, const Options& options, const Job& job) {
  if (options.dump.empty()) return unwrap(open.session->run());
  Dump dump{*open.session, in_folder(options.dump, job), ""};
  unwrap(open.session->run(
      [](void* context, size_t step) { static_cast<Dump*>(context)->step(step); }, &dump));
  if (!dump.problem.empty()) fail("{}", dump.problem);
}

// --- printing ------------------------------------------------------------------------------------

void write_outputs(const Session& session, const std::string& folder) {
  for (size_t i = 0; i < session.output_count(); ++i)
    unwrap(
        write_file_atomically(fmt::format("{}/output_{}.bin", folder, i), session.output_data(i)));
}

std::string statistics_text(const Session& session) {
  Table table({{"output", false},
               {"type", false},
               {"shape", false},
               {"min", true},
               {"max", true},
               {"mean", true},
               {"crc32", true}});
  for (size_t i = 0; i < session.output_count(); ++i) {
    const Tensor& t = session.output(i);
    const std::vector<double> values = real_values(t, session.output_data(i));
    auto text = [&](double v) {
      return values.empty() ? std::string("-") : fmt::format("{:.6g}", v);
    };
    double low = INFINITY, high = -INFINITY;
    for (double v : values) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
    const double sum = std::accumulate(values.begin(), values.end(), 0.0);
    table.add({shorten(printable(t.name), 40), name_of(t.dtype), to_string(t.shape), text(low),
               text(high), text(sum / static_cast<double>(values.size())),
               fmt::format("{:08x}", crc32(session.output_data(i)))});
  }
  return table.to_string();
}

// The labels to print with, once the model's outputs are known to fit them.
std::vector<std::string> labels_for(const Options& options) {
  return options.labels.empty() ? builtin_labels(options.model) : read_labels(options.labels);
}

void check_classes(const Session& session, const Options& options,
                   const std::vector<std::string>& labels) {
  const int64_t classes = elements(session.output(0).shape);
  if (session.output_count() != 1)
    usage_error("--labels and --top need a model with one output, this one has {}",
                session.output_count());
  if (!labels.empty() && static_cast<int64_t>(labels.size()) != classes)
    fail("{}: {} names for {} classes; write one line a class, in the model's order",
         options.labels, labels.size(), classes);
}

int execute(const Options& options) {
  const std::vector<std::string> labels = labels_for(options);
  const OpenModel open = open_model(options.model, options.execution);
  Session& session = *open.session;
  const std::vector<Job> jobs = plan_jobs(open.model->graph(), options.inputs);
  for (const Job& job : jobs) {
    set_inputs(open, job, options.picture);
    if (job.files.empty())
      fmt::print(stderr, "pj: no --input: running on made-up numbers, the same on every machine\n");
    const bool classes = !labels.empty() || options.top > 0;
    if (classes) check_classes(session, options, labels);
    run_once(open, options, job);
    if (!options.output.empty()) write_outputs(session, in_folder(options.output, job));
    if (jobs.size() > 1) fmt::print("{}\n", printable(job.files[0]));
    if (classes) {
      const size_t k = options.top > 0 ? options.top : 3;
      fmt::print("{}", top_classes_text(session.output(0), session.output_data(0), labels, k));
    } else {
      fmt::print("{}", statistics_text(session));
    }
  }
  return kOk;
}

}  // namespace

int run_command(const Args& args) {
  Options o;
  Parser parser("Run a model once, or once for each of several files.", "pj run");
  parser.option("MODEL", o.model, kModelHelp).required();
  parser
      .option("--input", o.inputs,
              "a picture (PNG, JPEG, BMP), .npy, or .bin (raw, little-endian). Repeated: "
              "several runs, or, with several inputs, one file each. Default: made-up numbers")
      .one_at_a_time()
      .type_name("[NAME=]FILE");
  parser
      .option("--output", o.output,
              "write each output, raw, to DIR/output_<i>.bin; with "
              "several runs to DIR/<file's stem>/output_<i>.bin")
      .type_name("DIR");
  parser.option("--labels", o.labels, "names of the classes, one a line").type_name("F");
  parser.option("--top", o.top, "print the K most likely classes (default: 3 if names are known)")
      .range(1, 1 << 20)
      .type_name("K");
  parser.option("--dump-tensors", o.dump, "write what every step computed to DIR as .npy")
      .type_name("DIR");
  add_picture_options(parser, o.picture);
  add_execution_options(parser, o.execution, DefaultThreads::kAllCores);
  parser.footer(
      "A picture is resized to the input's height and width. Pixels 0..255 become: int8 p - 128,\n"
      "uint8 p, float (p - 127.5) / 127.5; with --mean or --std (p - M) / S in real values.\n\n"
      "Examples:\n"
      "  pj run builtin:fashion --input boot.png --input shirt.png\n"
      "  pj run mobilenet.tflite --input bird.jpg --crop 0.875 --labels imagenet.txt --top 5\n"
      "  pj run detector.tflite --input images=frame.npy --output results");
  if (const auto status = parser.parse(args)) return *status;
  return execute(o);
}

}  // namespace pj::cli
