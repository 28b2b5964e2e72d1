// Any model file -> something to run.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/file.h"
#include "runtime/exec/model.h"
#include "runtime/exec/xnnpack/xnnpack.h"
#include "runtime/format/pj_file.h"

namespace pj {

enum class FileKind {
  kPj,
  kTflite,
  kTopology,  // no file: built by models/ (converters/named)
};

struct LoadedFile {
  FileKind kind = FileKind::kTflite;
  Graph graph;                            // validated, before the passes
  std::vector<TargetRecord> targets;      // packed weights of a .pj
  std::vector<PackedWeights> packed;      // all of them, as Model::create takes them
  int64_t file_bytes = 0;                 // 0 if there is no file
  std::shared_ptr<const MappedFile> map;  // whose bytes these are, if a file's
};

// Recognises the format by its content, not by the file's name; maps the file read-only. Errors:
// those of the file, reader and importer, each beginning with the name.
Result<LoadedFile> load_file(const std::string& name);
// The same from memory that `bytes.owner` keeps alive; `name` is for messages only.
Result<LoadedFile> load_bytes(SharedBytes bytes, const std::string& name);

struct LoadOptions {
  std::string isa;  // level to plan for; empty: PJ_ISA, or else what the host has
  int64_t max_arena_bytes = int64_t{1} << 32;
  bool bands = true;  // PlanOptions::bands
  bool tuned = true;  // follow what a tuner chose on a CPU like this one, if the file has it
  XnnpackMode xnnpack = XnnpackMode::kOff;
  bool f16 = false;  // ModelOptions::f16
};
// "f32" or "f16", as users write what floats are computed in. Errors: kInvalidArgument.
Result<bool> allows_f16(std::string_view precision);
// load_file() and Model::create() for this machine.
Result<std::shared_ptr<Model>> load_model(const std::string& name, const LoadOptions& options = {});
Result<std::shared_ptr<Model>> make_model(LoadedFile file, const LoadOptions& options = {});

}  // namespace pj
