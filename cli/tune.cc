// pj tune: measures other plans of a model on this machine and stores the fastest in a .pj file.
#include "runtime/tune/tune.h"

#include <filesystem>

#include "cli/commands.h"
#include "cli/errors.h"
#include "converters/load/choices.h"
#include "converters/load/pack_target.h"
#include "runtime/passes/passes.h"

namespace pj::cli {
namespace {

struct Options {
  std::string in, out;
  double budget_s = 30;
  int threads = 1;
  std::string isa;
};

void check_paths(const Options& options) {
  if (!options.out.ends_with(".pj")) usage_error("OUT '{}' must end in .pj", options.out);
  check_model_name(options.in);
  std::error_code ignored;
  if (std::filesystem::equivalent(options.in, options.out, ignored))
    usage_error("'{}' is both input and output; choose another name for the output", options.out);
}

// What the file has for other machines, as long as it speaks of the same operators.
std::vector<TargetRecord> other_targets(const LoadedFile& file, const Graph& graph, IsaSet isa) {
  std::vector<TargetRecord> others;
  if (file.graph.ops.size() != graph.ops.size()) return others;
  for (const TargetRecord& record : file.targets)
    if (record.isa != isa) others.push_back(record);
  return others;
}

std::string bands_text(const std::vector<BandChoice>& bands) {
  std::string text;
  for (const BandChoice& b : bands)
    text += fmt::format("{}{} operators from {} by {} rows{}", text.empty() ? "" : ", ", b.members,
                        b.op, b.rows, b.cols > 0 ? fmt::format(" x {} columns", b.cols) : "");
  return text.empty() ? "none: layer by layer" : text;
}

int execute(const Options& options) {
  check_paths(options);
  const LoadedFile file = unwrap(load_file(options.in));
  const std::shared_ptr<Model> model = load_for_isa(options.in, file, options.isa);
  TuneOptions tune_options;
  tune_options.threads = options.threads;
  tune_options.budget_ns = static_cast<int64_t>(options.budget_s * 1e9);
  Progress progress("plan");
  tune_options.progress = [&](size_t done, size_t total) { progress.update(done, total); };
  const Result<TuneResult> tuned = tune(model, tune_options);
  if (!tuned) fail("{}: {}", options.in, tuned.error().message);

  const Target& target = model->options().target;
  TargetRecord record = unwrap(pack_for_target(model->graph(), target));
  record.choices =
      write_choices(tuned->bands, {tuned->before_ns, tuned->after_ns,
                                   static_cast<int64_t>(tuned->candidates), options.threads});
  std::vector<TargetRecord> records = other_targets(file, model->graph(), target.isa);
  records.insert(records.begin(), std::move(record));
  unwrap(write_model(options.out, model->graph(), records));

  const auto before = static_cast<double>(tuned->before_ns) * 1e-6;
  const auto after = static_cast<double>(tuned->after_ns) * 1e-6;
  fmt::print("{}: {} ms, before {} ms ({:+.1f} %), for {} at {} thread{}\n", printable(options.out),
             ms_text(after), ms_text(before), (after / before - 1) * 100, target.name,
             options.threads, options.threads == 1 ? "" : "s");
  fmt::print("  {} of {} other plans were faster{}\n  bands: {}\n", tuned->accepted,
             tuned->candidates,
             tuned->complete ? "" : "; not all were measured, --budget allows no more",
             bands_text(tuned->bands));
  return kOk;
}

}  // namespace

int tune_command(const Args& args) {
  Options o;
  Parser parser("Find the fastest plan of a model on this machine, by measuring.", "pj tune");
  parser.option("MODEL", o.in, kModelHelp).required();
  parser.option("-o,--output", o.out, "the file to write; must end in .pj")
      .required()
      .type_name("OUT.pj");
  parser.option("--budget", o.budget_s, "seconds to measure for, about (default: 30)")
      .range(0.1, 86400.0)
      .type_name("S");
  parser.option("--threads", o.threads, "threads to tune for (default: 1)")
      .range(1, kMaxThreads)
      .type_name("N");
  add_isa_option(parser, o.isa);
  parser.footer(
      "Bands are varied: which layers form one, and how many rows it computes at a time. The "
      "choice\n"
      "is stored in the file with this CPU's name and used when the file is loaded on such a CPU.\n"
      "A plan has to be 1 % faster, twice, to replace the one before. Results do not change.\n\n"
      "Examples:\n"
      "  pj tune model.tflite -o model.pj\n"
      "  pj tune model.pj -o tuned.pj --threads 2 --budget 60");
  if (const auto status = parser.parse(args)) return *status;
  return execute(o);
}

}  // namespace pj::cli
