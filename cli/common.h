// What all commands share: options, opening models, printing.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/parser.h"
#include "converters/named/named.h"
#include "runtime/exec/session.h"

namespace pj::cli {

using Json = nlohmann::ordered_json;

// --- options -------------------------------------------------------------------------------------

struct ExecutionOptions {
  int threads = 0;  // 0: default_threads
  int default_threads = 1;
  std::string isa;
  std::string pool = "builtin";
  std::string bands = "on";
  std::string xnnpack = "off";
  std::string precision = "f32";
};
enum class DefaultThreads { kOne, kAllCores };
// --threads, --isa, --pool, --bands, --xnnpack, --precision.
void add_execution_options(Parser& parser, ExecutionOptions& options, DefaultThreads threads);
// --isa alone.
void add_isa_option(Parser& parser, std::string& isa);
// The help of MODEL.
extern const char* const kModelHelp;
// Paragraph on what may follow a topology's name.
extern const char* const kTopologyHelp;

// --- models --------------------------------------------------------------------------------------

// Throws Failure if there is no such model, with a suggestion.
void check_model_name(const std::string& name);

struct OpenModel {
  std::string name;
  std::shared_ptr<Model> model;
  std::unique_ptr<Session> session;  // unprepared while input shapes are unknown
};
OpenModel open_model(const std::string& name, const ExecutionOptions& options);
// The model alone, planned for `isa` with this project's kernels: what files hold is about them.
std::shared_ptr<Model> load_for_isa(const std::string& name, LoadedFile file,
                                    const std::string& isa);

// Name of the level or levels ("avx2", "neoni8mm+neonfp16") that cover `isa`.
std::string level_name(IsaSet isa);
// Multiply-accumulates of one inference; shapes are known.
int64_t total_macs(const Graph& graph);
// Bytes of a graph's constants, those that share memory once.
int64_t constant_bytes(const Graph& graph);

// --- printing ------------------------------------------------------------------------------------

Json shape_json(const Shape& shape);  // unknown dimensions are null
// One line on stdout. Bytes that are no UTF-8 are replaced.
void print_json(const Json& json);
// "0.0123" with as many digits as matter.
std::string ms_text(double ms);

// A line on stderr that is rewritten in place, if that is a terminal.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(size_t done, size_t total);

 private:
  std::string label_;
  bool terminal_;
  int64_t last_ns_ = 0;
};

// --- files ---------------------------------------------------------------------------------------

void make_folder(const std::string& path);
// A file name from any text: letters, digits, '.', '_' and '-'; at most 100 characters.
std::string file_name_of(std::string_view text);
// "bird" for "a/bird.png".
std::string stem_of(const std::string& path);

}  // namespace pj::cli
