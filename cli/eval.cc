// pj eval: accuracy of a classifier on labelled data.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/dataset.h"
#include "cli/errors.h"
#include "cli/values.h"
#include "runtime/base/clock.h"

namespace pj::cli {
namespace {

constexpr size_t kClassesForTop5 = 20;  // below, the five best of them say little

struct Options {
  std::string model, data, output;
  size_t limit = 0;  // 0: all
  size_t every = 1;
  int64_t label_offset = 0;
  bool json = false;
  PictureOptions picture;
  ExecutionOptions execution;
};

struct Outcome {
  size_t count = 0, classes = 0, top1 = 0, top5 = 0;
  int64_t run_ns = 0;
  std::vector<int32_t> decisions;

  bool has_top5() const { return classes >= kClassesForTop5; }
  double share(size_t hits) const { return static_cast<double>(hits) / static_cast<double>(count); }
  double ms_per_sample() const {
    return static_cast<double>(run_ns) * 1e-6 / static_cast<double>(count);
  }
};

void add_sample(Session& session, int64_t label, Outcome& outcome) {
  if (label < 0 || label >= static_cast<int64_t>(outcome.classes))
    fail(
        "sample {}: class {} does not exist, the model has {}; --label-offset shifts the data's "
        "labels",
        outcome.count, label, outcome.classes);
  const int64_t start = now_ns();
  unwrap(session.run());
  outcome.run_ns += now_ns() - start;
  const std::vector<double> scores = real_values(session.output(0), session.output_data(0));
  const std::vector<size_t> best = top_k(scores, outcome.has_top5() ? 5 : 1);
  const auto wanted = static_cast<size_t>(label);
  outcome.decisions.push_back(static_cast<int32_t>(best[0]));
  outcome.top1 += best[0] == wanted ? 1 : 0;
  outcome.top5 += std::find(best.begin(), best.end(), wanted) != best.end() ? 1 : 0;
  ++outcome.count;
}

Outcome evaluate(const Options& options, const OpenModel& open) {
  Session& session = *open.session;
  if (session.input_count() != 1)
    fail("{}: it has {} inputs; accuracy is measured on models with one", open.name,
         session.input_count());
  const std::unique_ptr<Dataset> data = open_dataset(options.data);
  complete_shapes(session);
  Outcome outcome;
  outcome.classes = static_cast<size_t>(elements(session.output(0).shape));
  if (outcome.classes == 0) fail("{}: its output is empty", open.name);
  size_t samples = (data->size() + options.every - 1) / options.every;
  if (options.limit > 0) samples = std::min(samples, options.limit);
  Progress progress("evaluating");
  for (size_t n = 0; n < samples; ++n) {
    const size_t i = n * options.every;
    data->fill(i, session.input(0), options.picture, session.input_data(0));
    add_sample(session, data->label(i) + options.label_offset, outcome);
    progress.update(n + 1, samples);
  }
  return outcome;
}

void print(const Options& options, const OpenModel& open, const Outcome& outcome) {
  if (options.json) {
    print_json(Json{{"model", options.model},
                    {"data", options.data},
                    {"threads", open.session->threads()},
                    {"isa", level_name(open.model->options().target.isa)},
                    {"count", outcome.count},
                    {"classes", outcome.classes},
                    {"top1", outcome.share(outcome.top1)},
                    {"top5", outcome.has_top5() ? Json(outcome.share(outcome.top5)) : Json()},
                    {"ms_per_sample", outcome.ms_per_sample()}});
    return;
  }
  fmt::print("top-1 {:.2f} %  ({} of {})\n", outcome.share(outcome.top1) * 100, outcome.top1,
             outcome.count);
  if (outcome.has_top5())
    fmt::print("top-5 {:.2f} %  ({} of {})\n", outcome.share(outcome.top5) * 100, outcome.top5,
               outcome.count);
  fmt::print("{} ms per sample\n", ms_text(outcome.ms_per_sample()));
}

}  // namespace

int eval_command(const Args& args) {
  Options o;
  Parser parser("Measure the accuracy of a classifier.", "pj eval");
  parser.option("MODEL", o.model, kModelHelp).required();
  parser.option("--data", o.data, "a folder of labelled data, see below").required().type_name("D");
  const Option limit = parser.option("--limit", o.limit, "only the first N samples")
                           .range(1, 1 << 30)
                           .type_name("N");
  parser.option("--every", o.every, "only every K-th sample, beginning with the first")
      .range(1, 1 << 30)
      .type_name("K")
      .excludes(limit);
  parser
      .option("--label-offset", o.label_offset,
              "added to the data's labels; 1 for models whose class 0 is background")
      .type_name("N");
  parser.flag("--json", o.json, "one JSON object");
  parser.option("--output", o.output, "write the decisions (top-1 classes, int32) as .npy")
      .type_name("FILE.npy");
  add_picture_options(parser, o.picture);
  add_execution_options(parser, o.execution, DefaultThreads::kAllCores);
  parser.footer(
      "Labelled data is a folder with\n"
      "  labels.npy and one array of samples, images*.npy or inputs*.npy; or\n"
      "  pictures and labels.csv or labels.txt with lines 'file,class number'; or\n"
      "  one folder a class with its pictures, classes in the order of their names; or\n"
      "  pictures whose names begin with the class number: 007.jpg\n"
      "uint8 arrays are pixels and are converted like pictures (see `pj run --help`).\n"
      "The first output is taken as one score a class. Times do not include reading samples.\n\n"
      "Examples:\n"
      "  pj eval kws.tflite --data kws01\n"
      "  pj eval mobilenet.tflite --data imagenet250 --crop 0.875 --label-offset 1\n"
      "  pj eval resnet8_f32.tflite --data cifar10 --mean 0 --std 1 --output decisions.npy");
  if (const auto status = parser.parse(args)) return *status;
  if (!o.output.empty() && !o.output.ends_with(".npy"))
    usage_error("--output {}: the file's name must end in .npy", o.output);

  const OpenModel open = open_model(o.model, o.execution);
  const Outcome outcome = evaluate(o, open);
  if (!o.output.empty())
    unwrap(write_npy(o.output, DType::kI32, Shape{static_cast<int32_t>(outcome.decisions.size())},
                     std::as_bytes(std::span(outcome.decisions))));
  print(o, open, outcome);
  return kOk;
}

}  // namespace pj::cli
