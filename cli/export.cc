// pj export: a model as a .tflite file, for other runtimes.
#include "converters/tflite/export.h"

#include <filesystem>

#include "cli/commands.h"
#include "cli/errors.h"
#include "cli/table.h"
#include "runtime/base/file.h"

namespace pj::cli {
namespace {

namespace fs = std::filesystem;

int execute(const std::string& in, const std::string& out) {
  if (!out.ends_with(".tflite"))
    usage_error("OUT '{}' must end in .tflite; models are exported to that format", out);
  check_model_name(in);
  // The input may be mapped while the output is written, and is not to be lost in any case.
  std::error_code ignored;
  if (fs::equivalent(in, out, ignored))
    usage_error("'{}' is both input and output; choose another name for the output", out);

  const LoadedFile file = unwrap(load_named(in));
  const Result<SharedBytes> bytes = export_tflite(
      file.graph,
      fmt::format("Written by Picojoule {} from {}", PJ_VERSION, fs::path(in).filename().string()));
  if (!bytes) fail("{}: {}", in, bytes.error().message);
  unwrap(write_file_atomically(out, bytes->bytes));
  fmt::print("{}: {}, {} operators, weights {}\n", printable(out),
             bytes_text(static_cast<int64_t>(bytes->bytes.size())), file.graph.ops.size(),
             bytes_text(constant_bytes(file.graph)));
  return kOk;
}

}  // namespace

int export_command(const Args& args) {
  std::string in, out;
  Parser parser("Write a model as a .tflite file, so that other runtimes can run it too.",
                "pj export");
  parser.option("MODEL", in, kModelHelp).required();
  parser.option("OUT", out, "the file to write; must end in .tflite").required();
  parser.footer(
      "Made for the builtin topologies. Other models can be written if their operators are among\n"
      "those; if not, they are named.\n\n" +
      std::string(kTopologyHelp) +
      "\nExamples:\n"
      "  pj export builtin:mobilenet_v2 mobilenet_v2.tflite\n"
      "  pj export builtin:resnet18-f16-160 resnet18.tflite");
  if (const auto status = parser.parse(args)) return *status;
  return execute(in, out);
}

}  // namespace pj::cli
